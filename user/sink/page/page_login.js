
// One login: its row, its bar, and what an opened row shows. Verdicts are known by their class, never by their name.
const WAITED = {client: 1, server: 1, network: 1};
function sideClass(s) { return WAITED[s.waits_on] ? s.waits_on : "network"; }
// How a part of a step is drawn: the program's own time as the side's, the rest in a colour of its own.
const HELD = {unaccepted: 1, unread: 1, stopped: 1, throttled: 1};
function partClass(s, p) {
	if (p.part === "process") return sideClass(s);
	if (p.part === "unacknowledged") return "network";
	return sideClass(s) + (HELD[p.part] ? " held" : " asked");
}
function partText(p) {
	return p.part + " " + (p.basis === "inferred" ? "~" : "") + duration(p.ns) + (p.peer ? " " + end(p.peer) : "");
}
// A login's steps as one bar; scale: ns that fill the width, as in all bars.
function waterfall(r, scale) {
	const fall = el("span", "fall"), drawn = el("span", "drawn"), steps = r.steps.filter(s => s.ns > 0);
	const total = steps.reduce((sum, s) => sum + s.ns, 0);
	for (const s of steps)
		for (const p of s.within || [null]) {
			const bar = el("i", p ? partClass(s, p) : sideClass(s));
			bar.style.flexGrow = String(p ? p.ns : s.ns);
			bar.title = s.name + ": " + duration(s.ns) + ", waiting for the " + s.waits_on + (p ? "; of it " + partText(p) : "");
			drawn.append(bar);
		}
	drawn.style.width = Math.min(100, 100 * total / scale) + "%";
	if (total > scale * 1.001) drawn.className = "drawn over";
	if (total) fall.append(drawn);
	fall.setAttribute("role", "img");
	fall.setAttribute("aria-label", steps.map(s => s.name + " " + duration(s.ns) + " " + s.waits_on +
		(s.within ? " (" + s.within.map(partText).join(", ") + ")" : "")).join(", ") || "no times");
	return fall;
}
// The parts of a step, as rows under it; at: where the step begins in the login, in ns.
function partRows(s, at, total) {
	return (s.within || []).map(p => {
		const row = el("div", "part"), bar = el("b", partClass(s, p));
		bar.style.width = (100 * p.ns / total) + "%";
		bar.style.marginLeft = (100 * at / total) + "%";
		at += p.ns;
		row.append(el("span", "", p.part), el("span", "dim", p.basis), el("span", "side dim"), el("span", "total", duration(p.ns)), bar);
		if (p.peer || p.grounds) row.append(el("span", "why", [p.peer && end(p.peer), p.grounds].filter(x => x).join(": ")));
		return row;
	});
}
// What the login's hosts asked of others meanwhile.
function asked(r) {
	const list = r.dependencies || [], table = el("table", "asks"), head = el("tr"), body = el("tbody");
	if (!list.length) return null;
	for (const [name, cls] of [["asked meanwhile", ""], ["of", ""], ["for", ""], ["requests", "num"], ["time", "num"], ["away", "num of"], ["result", ""]]) {
		const th = el("th", cls, name);
		th.scope = "col";
		head.append(th);
	}
	for (const d of list) {
		const tr = el("tr");
		tr.append(el("td", "", "the " + d.side), el("td", "", d.kind + " " + end(d.peer)),
			el("td", "", [d.operation, d.target].filter(x => x).join(" ") || "-"),
			el("td", "num", d.requests + (d.unanswered ? ", " + d.unanswered + " unanswered" : "")),
			el("td", "num", duration(d.ns)), el("td", "num of", duration(d.rtt_ns)), el("td", d.result && d.result !== "ok" ? "warning" : "", d.result || "-"));
		body.append(tr);
	}
	const top = el("thead");
	top.append(head);
	table.append(top, body);
	return table;
}
function details(r) {
	const box = el("div", "more"), list = el("div"), facts = el("div", "facts");
	const total = Math.max(1, r.steps.reduce((sum, s) => sum + s.ns, 0));
	let before = 0;
	for (const s of r.steps) {
		const row = el("div", "step"), bar = el("b", WAITED[s.waits_on] ? s.waits_on : "network");
		bar.style.width = (100 * s.ns / total) + "%";
		bar.style.marginLeft = (100 * before / total) + "%";
		row.append(el("span", "", s.name), el("span", "dim", s.phase), el("span", "dim", s.waits_on),
			el("span", "total", duration(s.ns)), bar);
		list.append(row, ...partRows(s, before, total));
		before += s.ns;
	}
	const tls = r.tls || {}, cert = tls.certificate || {}, t = r.tds;
	const rows = [["says", r.verdict.text], ["cause", r.verdict.name + " (" + r.verdict.class + ")"], ["started", r.time], ["interface", r.interface], ["vantage point", r.vantage],
		["phases", Object.entries(r.phases).filter(p => p[1] !== null).map(p => p[0].replace("_ns", "") + " " + duration(p[1])).join(", ")],
		["waiting time", "client " + duration(r.waits.client_ns) + ", server " + duration(r.waits.server_ns) + ", network " + duration(r.waits.network_ns)],
		["outcome", r.outcome + " (" + r.outcome_basis + ", " + r.confidence + ")"],
		["authentication", r.auth.method + " (" + r.auth.basis + ")"], ["grounds", r.auth.grounds],
		["error", r.error && r.error.number + ": " + r.error.message],
		["redirected to", r.redirect && r.redirect.host + ":" + r.redirect.port],
		["TDS", t.version], ["server version", t.server_version], ["instance", t.instance], ["SPID", t.spid],
		["driver", t.driver], ["program", t.app], ["host", t.host], ["database", t.database],
		["connection id", t.connection_id], ["record id", r.id], ["encryption", r.encryption.effective],
		["TLS", tls.version && tls.version + " " + (tls.cipher || "")], ["SNI", tls.sni],
		["alert", tls.alert && tls.alert.description + " from the " + tls.alert.from],
		["certificate", cert.subject], ["issued by", cert.issuer], ["valid until", cert.not_after],
		["retransmissions", r.tcp.retransmits || null]];
	for (const [name, value] of rows)
		if (value !== null && value !== undefined && value !== "") {
			const fact = el("div");
			fact.append(el("span", "dim", name + ": "), el("span", "", String(value)));
			facts.append(fact);
		}
	const asks = asked(r);
	box.append(list, ...(asks ? [asks] : []), facts);
	return box;
}
// A login that went well and has nothing to say takes one line.
const MARKS = {ok: "\u2713 ", slow: "\u25b2 ", failed: "\u2715 ", unknown: "? ", ended: "\u2013 "};
function row(r, scale, opened) {
	const li = el("li"), cls = r.verdict.class, b = el("button", "login " + cls), guess = r.outcome_basis === "inferred" ? "~" : "";
	b.type = "button";
	b.dataset.seq = r.seq;
	b.dataset.scale = scale;
	b.setAttribute("aria-expanded", String(opened));
	b.append(el("span", "dim clock-of", clock(r.time)), el("span", "from", end(r.client)), el("span", "to", end(r.server)),
		el("span", "app", r.tds.app || ""), el("span", "outcome", MARKS[cls] + guess + r.outcome),
		el("span", "auth dim", (r.auth.basis === "inferred" ? "~" : "") + (r.auth.method === "unknown" ? "?" : r.auth.method) +
			", " + r.encryption.effective),
		el("span", "total", duration(r.total_ns)), waterfall(r, scale));
	if (cls !== "ok" && cls !== "ended" || r.problem) b.append(el("span", "says", r.verdict.text));
	else b.title = r.verdict.text;
	li.append(b);
	if (opened) li.append(details(r));
	return li;
}
