
// The logins that were sent, the newest first, as far as they are kept here; and what of them is shown.
let logins = [], matching = [], limit = PAGE, paused = false, dirty = true, opened = null, lastSeq = 0, shownSeq = 0, keptBytes = 0;

function fits(r, except) {
	if (view.from !== null && (r.at < view.from * 1000 || r.at >= view.to * 1000)) return false;
	for (const f of FACETS) if (f !== except && view.chosen[f] !== undefined && facetOf[f](r) !== view.chosen[f]) return false;
	if (view.only === "problem" ? !r.problem : view.only && r.verdict.class !== view.only) return false;
	return !view.find || r.words.includes(view.find.toLowerCase());
}
function scaleOf(rows) {
	if (SCALES[view.scale]) return SCALES[view.scale];
	const most = Math.max(1e6, ...rows.map(r => r.total_ns || 0)), ten = Math.pow(10, Math.floor(Math.log10(most)));
	return [1, 2, 5, 10].map(n => n * ten).find(n => n >= most);
}
function sorted() {
	return view.sort ? [...matching].sort((a, b) => (b.total_ns || 0) - (a.total_ns || 0)) : matching;
}
function show() {
	dirty = false;
	const list = $("logins"), focused = document.activeElement && document.activeElement.dataset ? document.activeElement.dataset.seq : null;
	const rows = sorted().slice(0, limit), have = new Map(), scale = scaleOf(rows);
	for (const li of list.children) if (li.firstChild.dataset) have.set(li.firstChild.dataset.seq, li);
	const items = rows.map(r => {
		const old = have.get(String(r.seq));
		if (old && old.firstChild.dataset.scale === String(scale) && (old.children.length > 1) === (opened === r.seq)) return old;
		const li = row(r, scale, opened === r.seq);
		if (!old && !view.sort && have.size && r.seq > shownSeq) li.classList.add("new");
		return li;
	});
	list.replaceChildren(...(items.length ? items : [el("li", "dim", logins.length ? "No login fits." : "None yet.")]));
	if (focused) {
		const again = list.querySelector('[data-seq="' + CSS.escape(focused) + '"]');
		if (again && document.activeElement !== again) again.focus({preventScroll: true});
	}
	shownSeq = lastSeq;
	$("older").hidden = matching.length <= limit;
	setText("shown", matching.length + " of " + logins.length + (stats && stats.not_shown ? "; " + stats.not_shown + " more were counted, not sent" : "") +
		(paused ? "; paused" : ""));
	setText("scale-text", duration(scale));
}
function chips() {
	const list = FACETS.filter(f => view.chosen[f] !== undefined).map(f => {
		const b = el("button", "", f + ": " + (view.chosen[f] || "(none)") + " \u00d7");
		b.type = "button";
		b.setAttribute("aria-label", "No longer only " + f + " " + view.chosen[f]);
		b.addEventListener("click", () => choose(f, view.chosen[f]));
		return b;
	});
	$("chips").hidden = !list.length;
	$("chips").replaceChildren(...list);
}
function refilter() {
	matching = logins.filter(r => fits(r));
	limit = PAGE;
	dirty = true;
}
// The view changed: by the user, or by the address.
function changed() {
	viewWrite();
	for (const k of ["find", "only", "sort", "scale"]) if ($(k).value !== view[k]) $(k).value = view[k];
	for (const b of $("spans").children) b.setAttribute("aria-pressed", String(b.textContent === view.span));
	chips();
	refilter();
	facets();
	tell();
}
function choose(facet, value) {
	if (view.chosen[facet] === value) delete view.chosen[facet];
	else view.chosen[facet] = value;
	changed();
}
function take(r, problem, size) {
	const t = r.tds;
	r.problem = Boolean(problem);
	r.size = size || 2000;
	r.at = millis(r.time) + (r.total_ns || 0) / 1e6; // its end, which the history counts by
	r.words = [end(r.client), end(r.server), t.app, t.host, t.database, t.driver, t.instance, r.outcome, r.verdict.name, r.auth.user, r.auth.method, r.id]
		.filter(w => w).join(" ").toLowerCase();
	logins.unshift(r);
	keptBytes += r.size;
	while (logins.length > KEEP || keptBytes > KEEP_BYTES) keptBytes -= logins.pop().size;
	if (paused || !fits(r)) return;
	matching.unshift(r);
	if (matching.length > logins.length) matching.length = logins.length;
	dirty = true;
}

// Export of what is shown: all logins that fit, in the order of the list.
function csvCell(value) {
	const text = value === null || value === undefined ? "" : String(value), formula = /^\s*[=+\-@]/.test(text) && typeof value !== "number";
	return formula || /[",\r\n ]/.test(text) ? '"' + (formula ? "'" : "") + text.replace(/"/g, '""') + '"' : text;
}
const COLUMNS = {time: r => r.time, id: r => r.id, client: r => r.client.addr, client_port: r => r.client.port, server: r => r.server.addr,
	server_port: r => r.server.port, app: r => r.tds.app, database: r => r.tds.database, driver: r => r.tds.driver, host: r => r.tds.host,
	auth: r => r.auth.method, encryption: r => r.encryption.effective, outcome: r => r.outcome, outcome_basis: r => r.outcome_basis,
	verdict: r => r.verdict.name, verdict_class: r => r.verdict.class, total_ms: r => r.total_ns === null ? null : r.total_ns / 1e6,
	client_ms: r => r.waits.client_ns / 1e6, server_ms: r => r.waits.server_ns / 1e6, network_ms: r => r.waits.network_ns / 1e6,
	error: r => r.error && r.error.number, text: r => r.verdict.text};
function exportCsv() {
	return [Object.keys(COLUMNS).join(",")].concat(sorted().map(r => Object.values(COLUMNS).map(f => csvCell(f(r))).join(","))).join("\r\n") + "\r\n";
}
const OWN = new Set(["seq", "at", "words", "size", "problem"]);
function exportJson() {
	return sorted().map(r => JSON.stringify(r, (k, v) => OWN.has(k) && k !== "text" ? undefined : v)).join("\n") + "\n";
}
function save(name, type, text) {
	const a = el("a"), at = URL.createObjectURL(new Blob([text], {type: type}));
	a.href = at;
	a.download = name;
	a.click();
	setTimeout(() => URL.revokeObjectURL(at), 10000);
}
