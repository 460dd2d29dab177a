
// What the page says first: how it is now, in words and in numbers.
const BAD = 0.05, RECENT_S = 60, GAP_S = 600;
let stats = null, awaited = null, pending = [], failovers = new Map();

// Since when has a share of the logins been that bad? Minutes without logins do not interrupt it.
function badSince(key) {
	const minutes = [...times.slots[60].values()].filter(m => m.logins).sort((a, b) => b.t - a.t);
	let since = null, last = times.now;
	for (const m of minutes) {
		if (m[key] / m.logins < BAD || last - m.t > GAP_S) break;
		since = last = m.t;
	}
	if (since === null) since = Math.floor(times.now / 60) * 60 - 60;
	const seconds = [...times.slots[1].values()].filter(s => s.t >= since && s[key]).map(s => s.t);
	return seconds.length ? Math.min(...seconds) : since;
}
function topOf(rows, f) {
	const counts = new Map();
	for (const r of rows) counts.set(facetOf[f](r), (counts.get(facetOf[f](r)) || 0) + 1);
	return [...counts].sort((a, b) => b[1] - a[1]);
}
function whomText(cls, since) {
	const rows = logins.filter(r => r.verdict.class === cls && r.at / 1000 >= since - 1);
	if (!rows.length) return "";
	const servers = topOf(rows, "server"), clients = topOf(rows, "client"), causes = topOf(rows, "cause");
	const share = (list, one) => list.length === 1 ? list[0][0] : many(list.length, one) + ", most " + list[0][0] + " (" + percent(list[0][1], rows.length) + ")";
	const says = rows.find(r => r.verdict.name === causes[0][0]).verdict.text;
	return "At " + share(servers, "server") + ", from " + share(clients, "client") + ". Mostly " + causes[0][0] + " (" +
		percent(causes[0][1], rows.length) + "): " + says;
}
function mood() {
	const sum = periodSum(times.now - RECENT_S, times.now + 1), n = sum.logins, waits = awaited ? awaited.count : 0;
	const cls = n && sum.failed / n >= BAD ? "bad" : n && sum.slow / n >= BAD || waits ? "slow" : n ? "fine" : "quiet";
	const key = cls === "bad" ? "failed" : "slow";
	const since = cls === "bad" || cls === "slow" && sum.slow / n >= BAD ? badSince(key) : null;
	const longest = pending.length ? pending.reduce((a, p) => Math.max(a, waited(p)), 0) : 0;
	const text = cls === "bad" ? percent(sum.failed, n) + " of logins fail" : since ? percent(sum.slow, n) + " of logins are slow" :
		waits ? many(waits, "login waits", "logins wait") + ", the longest for " + ago(longest) :
			cls === "fine" ? "Fine: " + (sum.failed + sum.slow ? sum.failed + " failed, " + sum.slow + " slow of " + many(n, "login") : "all " + many(n, "login") + " went well") +
				" in the last minute" : "Quiet: no login in the last minute";
	if ($("now").className !== cls) setText("announce", text);
	$("now").className = cls;
	$("mark").textContent = {bad: "\u2715", slow: "\u25b2", fine: "\u2713", quiet: "\u25cb"}[cls];
	setText("mood", text);
	const lasts = since ? "since " + when(since) + " (" + ago(times.now - since) + ")" : "";
	const last = cls === "quiet" ? Math.max(0, ...[...times.slots[60].values()].filter(m => m.logins).map(m => m.t)) : 0;
	setText("since", lasts || (last ? "(the last one was at " + when(last) + ")" : ""));
	setText("whom", since ? whomText(key, since) : "");
}
function setText(id, text) { if ($(id).textContent !== text) $(id).textContent = text; }

function empty() {
	const seen = logins.length || pending.length || [...times.slots[60].values()].some(m => m.logins), w = stats && stats.watched;
	$("empty").hidden = Boolean(seen) || !times.loaded || !w;
	$("now").hidden = !$("empty").hidden;
	document.body.classList.toggle("nothing", !$("empty").hidden);
	if (!w) return;
	const what = w.where + " for port " + w.ports + (w.any_port ? " and TDS on any other" : "");
	setText("watched", "watching " + what);
	setText("empty-watched", "Watching " + what + " since " + when(millis(stats.started) / 1000, true) + ".");
	const ended = [...times.slots[60].values()].reduce((n, m) => n + m.ended, 0);
	setText("empty-seen", "Seen so far: " + many(w.segments, "packet") + " of these ports, " + many(w.connections, "connection") + " open now, " +
		many(ended, "connection") + " that wanted no login (probes, scans).");
	setText("empty-do", w.segments ? "Connections that were open before tdsmon began have no login to show; the next one will be here." :
		"If logins are expected: do they pass this interface, and is the server's port among those watched? \u201ctdsmon doctor\u201d checks both.");
}

function tile(name, cls, value, small) {
	const box = el("div", cls), dd = el("dd");
	dd.append(el("b", "", value), el("small", "", small || "\u00a0"));
	box.append(el("dt", "", name), dd);
	return box;
}
function numbers() {
	const chosen = view.from !== null, from = chosen ? view.from : times.now - RECENT_S, to = chosen ? view.to : times.now;
	const sum = periodSum(from, to), of = chosen ? "selected period" : "last minute", rate = sum.logins / Math.max(1, to - from);
	const time = q => { const t = quantile(sum, q); return t === null ? "-" : duration(Number(t.toPrecision(2))); };
	const longest = pending.length ? Math.max(...pending.map(waited)) : 0, lost = stats ? stats.lost.reduce((n, l) => n + l.value, 0) : 0;
	$("numbers").replaceChildren(
		tile("logins/s", "", rate && rate < 10 ? rate.toFixed(rate < 1 ? 2 : 1) : String(Math.round(rate)), of),
		tile("failed", sum.failed ? "failed" : "", percent(sum.failed, sum.logins), sum.failed + " of " + sum.logins),
		tile("slow", sum.slow ? "slow" : "", percent(sum.slow, sum.logins), sum.slow + " of " + sum.logins),
		tile("p50", "", time(0.5), "login time"), tile("p95", "", time(0.95), "login time"), tile("p99", "", time(0.99), "login time"),
		tile("waiting", longest ? "slow" : "", String(awaited ? awaited.count : 0), longest ? "longest " + ago(longest) : "none for 5 s"),
		tile("lost", lost ? "failed" : "", lost.toLocaleString(), lost ? "see below" : "none"));
	const lostText = stats ? stats.lost.map(l => l.value + " " + l.text).join("; ") : "";
	$("losses").hidden = !lostText;
	setText("losses", lostText ? "Not seen whole: " + lostText : "");
}

// Causes: of all logins by the history; of those that were kept here, as soon as a group is chosen.
function causeCounts() {
	const groups = FACETS.some(f => f !== "cause" && view.chosen[f] !== undefined) || view.find;
	const span = SPANS[view.span], chosen = view.from !== null;
	if (groups) {
		const rows = logins.filter(r => r.problem && fits(r, "cause"));
		return [topOf(rows, "cause"), rows.length, "of " + many(rows.length, "login") + " that fit, kept here"];
	}
	const sum = periodSum(chosen ? view.from : times.now - span, chosen ? view.to : times.now + 1);
	const list = [...sum.causes].map(([id, n]) => [times.verdicts[id] || "others", n]).sort((a, b) => b[1] - a[1]);
	return [list, sum.logins, chosen ? "in the selected period" : "in the last " + ago(span)];
}
function choice(facet, name, count, shares, says) {
	const b = el("button", "choice"), meter = el("span", "meter"), n = el("span", "count", count.text);
	b.type = "button";
	b.setAttribute("aria-pressed", String(view.chosen[facet] === name));
	b.title = name;
	b.append(el("span", "name", name || "(none)"), n);
	if (count.failed) n.append(" ", el("b", "", "\u2715" + count.failed));
	if (says) b.append(el("span", "says", says));
	for (const [cls, share] of shares) {
		const i = el("i", cls);
		i.style.width = 100 * share + "%";
		meter.append(i);
	}
	b.append(meter);
	b.dataset.facet = facet;
	b.dataset.value = name;
	return b;
}
function causes() {
	const [list, of, where] = causeCounts(), text = new Map(), classes = new Map(), most = list.length ? list[0][1] : 1;
	for (const c of stats ? stats.causes : []) text.set(c.name, c.text);
	for (let i = logins.length - 1; i >= 0; i--) {
		const v = logins[i].verdict;
		if (logins[i].problem) text.set(v.name, v.text);
		classes.set(v.name, v.class);
	}
	const items = list.slice(0, 12).map(([name, n]) => {
		const li = el("li");
		li.append(choice("cause", name, {text: n.toLocaleString()}, [[classes.get(name) === "slow" ? "slow" : "failed", n / most]], text.get(name)));
		return li;
	});
	setText("causes-of", where);
	$("causes").replaceChildren(...(items.length ? items : [el("li", "dim", of ? "None of " + many(of, "login") + "." : "None.")]));
}
const facetOf = {server: r => end(r.server), client: r => r.client.addr, app: r => r.tds.app || "", database: r => r.tds.database || "",
	driver: r => r.tds.driver || "", cause: r => r.verdict.name};
function facets() {
	const open = document.activeElement && document.activeElement.dataset ? document.activeElement.dataset : {};
	const boxes = FACETS.slice(0, 5).map(f => {
		const counts = new Map(), box = el("div"), list = el("ol");
		for (const r of logins) {
			if (!fits(r, f)) continue;
			const key = facetOf[f](r), c = counts.get(key) || {n: 0, failed: 0, slow: 0};
			c.n++;
			c.failed += r.verdict.class === "failed";
			c.slow += r.verdict.class === "slow";
			counts.set(key, c);
		}
		const all = [...counts].sort((a, b) => b[1].failed - a[1].failed || b[1].slow - a[1].slow || b[1].n - a[1].n), most = Math.max(1, ...all.map(a => a[1].n));
		for (const [name, c] of all.slice(0, 8)) {
			const li = el("li");
			li.append(choice(f, name, {text: c.n.toLocaleString(), failed: c.failed}, [["failed", c.failed / most], ["slow", c.slow / most],
				["ok", (c.n - c.failed - c.slow) / most]]));
			list.append(li);
		}
		if (all.length > 8) list.append(el("li", "dim", many(all.length - 8, "more")));
		box.append(el("h3", "", f + (all.length > 1 ? " (" + all.length + ")" : "")), list);
		return box;
	});
	setText("facets-of", FACETS.slice(0, 5).join(", ") + "; of " + many(logins.length, "login") + " kept here");
	$("facets").replaceChildren(...boxes);
	if (open.facet) focusChoice(open);
}
function focusChoice(d) {
	for (const b of document.querySelectorAll(".choice"))
		if (b.dataset.facet === d.facet && b.dataset.value === d.value && b !== document.activeElement) b.focus({preventScroll: true});
}
function failoversShow() {
	const list = [...failovers.values()].sort((a, b) => b.id - a.id).slice(0, 10);
	$("failovers").hidden = !list.length;
	$("failovers").querySelector("ol").replaceChildren(...list.map(f => {
		const li = el("li", f.over ? "" : "going");
		li.append(el("span", "dim", when(millis(f.time) / 1000, true) + " "), el("span", "", f.text));
		return li;
	}));
}
