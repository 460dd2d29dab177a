
// Percentiles of the phases, in slots of ten seconds.
const SLOT_S = 10, SLOTS = 90, PHASES = ["total", "tcp", "prelogin", "tls", "login", "auth"];
let slots = new Map();
function plots() {
	const now = Math.max(0, ...slots.keys()), boxes = [];
	for (const t of slots.keys()) if (t <= now - SLOTS * SLOT_S) slots.delete(t);
	const all = [...slots.values()].sort((a, b) => a.t - b.t);
	for (const phase of PHASES) {
		const box = el("div", "plot"), values = all.filter(s => s.times[phase]), last = values[values.length - 1];
		const y = ns => 68 - 66 * Math.min(1, Math.max(0, (Math.log10(Math.max(ns, 1e4)) - 4) / 6.5));
		const svg = shape("svg", "", {viewBox: "0 0 900 70", preserveAspectRatio: "none", role: "img"});
		for (const ns of [1e6, 1e9]) svg.append(shape("line", "axis", {x1: 0, x2: 900, y1: y(ns), y2: y(ns), "vector-effect": "non-scaling-stroke"}));
		["p99", "p95", "p50"].forEach((p, i) => {
			const points = values.map(s => {
				const x = 900 - (now - s.t) / SLOT_S * 10;
				return (x - 10) + "," + y(s.times[phase][2 - i]) + " " + x + "," + y(s.times[phase][2 - i]);
			});
			svg.append(shape("polyline", p, {points: points.join(" ")}));
		});
		const words = last ? last.times[phase].map(duration).join(", ") : "none";
		svg.setAttribute("aria-label", phase + ", latest median, 95th and 99th percentile: " + words);
		box.append(el("div", "", phase), svg, el("div", "dim now", words));
		box.title = "lines at 1 ms and 1 s";
		boxes.push(box);
	}
	$("plots").replaceChildren(...boxes);
}

// Everything but the list, about once a second.
function tell() {
	if (!times.now) return;
	mood();
	empty();
	numbers();
	chart();
	causes();
}
function statsTake(s) {
	stats = s;
	times.now = s.now;
	slotsForget();
	for (const slot of s.slots) slots.set(slot.t, slot);
	$("totals").textContent = many(s.logins, "login") + ", " + s.failed + " failed, since " + clock(s.since);
	if (!paused) tell();
	if (!paused && facetsDirty) { facetsDirty = false; facets(); }
	if ($("phases").open) plots();
}
let facetsDirty = false;

function move(by) {
	const all = [...document.querySelectorAll(".login")], at = all.indexOf(document.activeElement);
	const next = all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + by))];
	if (next) next.focus();
}
function pause() {
	paused = !paused;
	$("pause").textContent = paused ? "Resume" : "Pause";
	$("pause").setAttribute("aria-pressed", String(paused));
	if (!paused) changed(); else dirty = true;
}
function wire() {
	for (const name of Object.keys(SPANS)) {
		const b = el("button", "", name);
		b.type = "button";
		b.addEventListener("click", () => { view.span = name; changed(); });
		$("spans").append(b);
	}
	for (const name of Object.keys(SCALES)) {
		const o = el("option", "", name ? duration(SCALES[name]) : "to fit");
		o.value = name;
		$("scale").append(o);
	}
	$("zone").textContent = Intl.DateTimeFormat().resolvedOptions().timeZone;
	$("filter").addEventListener("input", () => {
		for (const k of ["find", "only", "sort", "scale"]) view[k] = $(k).value;
		changed();
	});
	$("filter").addEventListener("submit", e => e.preventDefault());
	$("pause").addEventListener("click", pause);
	$("json").addEventListener("click", () => save("tdsmon-logins.json", "application/x-ndjson", exportJson()));
	$("csv").addEventListener("click", () => save("tdsmon-logins.csv", "text/csv", exportCsv()));
	$("older").addEventListener("click", () => { limit += PAGE; dirty = true; });
	$("logins").addEventListener("click", e => {
		const b = e.target.closest(".login");
		if (!b) return;
		opened = opened === Number(b.dataset.seq) ? null : Number(b.dataset.seq);
		dirty = true;
	});
	document.querySelector("aside").addEventListener("click", e => {
		const b = e.target.closest(".choice");
		if (!b) return;
		const d = {facet: b.dataset.facet, value: b.dataset.value};
		choose(d.facet, d.value);
		focusChoice(d);
	});
	$("phases").addEventListener("toggle", plots);
	addEventListener("hashchange", () => { viewRead(); changed(); });
	addEventListener("resize", chart);
	chartPointer();
	document.addEventListener("keydown", e => {
		if (e.ctrlKey || e.metaKey || e.altKey || e.target.id === "chart") return;
		if (e.target.matches("input, select")) {
			if (e.key === "Escape") e.target.blur();
			return;
		}
		if (e.key === "j" || e.key === "ArrowDown") move(1);
		else if (e.key === "k" || e.key === "ArrowUp") move(-1);
		else if (e.key === "/") $("find").focus();
		else if (e.key === "p") pause();
		else return;
		e.preventDefault();
	});
	if (innerWidth < 1100) $("facets-box").open = false;
}

// Once a second the server sends how many logins wait, then the longest waits. In between the clocks run here.
function waited(p) { return p.ns / 1e9 + (performance.now() - p.came) / 1e3; }
function showPending() {
	$("waiting").hidden = !pending.length;
	$("waiting-count").textContent = awaited && awaited.count > pending.length ?
		"the longest " + pending.length + " of " + awaited.count : "";
	$("pending").replaceChildren(...pending.map(p => {
		const li = el("li"), row = el("div", "pending"), what = el("span", "what");
		what.append(el("span", "key " + (WAITED[p.waits_on] ? p.waits_on : "network")), "the " + p.waits_on + ": " + p.for);
		row.append(p.clock, el("span", "from", end(p.client)), el("span", "to", end(p.server)), el("span", "phase dim", p.phase), what);
		li.append(row);
		return li;
	}));
	runClocks();
}
function runClocks() {
	for (const p of pending) p.clock.textContent = waited(p).toFixed(1) + " s";
}
function decided(id) {
	if (!pending.some(p => p.id === id)) return;
	pending = pending.filter(p => p.id !== id);
	if (awaited) awaited.count--;
	showPending();
}

let run;
function connect() {
	const source = new EventSource("events"), login = problem => e => {
		const r = JSON.parse(e.data);
		r.seq = Number(e.lastEventId);
		if (r.seq <= lastSeq) return;
		lastSeq = r.seq;
		decided(r.id);
		take(r, problem, e.data.length);
		facetsDirty = true;
	};
	const load = () => historyLoad().catch(e => { $("state").textContent = e.message; $("state").className = "live lost"; });
	source.onopen = () => { $("state").textContent = "live"; $("state").className = "live"; };
	source.onerror = () => {
		pending = [];
		awaited = null;
		showPending();
		$("state").textContent = "connection lost, reconnecting";
		$("state").className = "live lost";
	};
	source.addEventListener("login", login(false));
	source.addEventListener("problem", login(true));
	source.addEventListener("begin", e => {
		// A restarted program counts from zero.
		const now = JSON.parse(e.data).run;
		if (run !== undefined && run !== now) {
			logins = [];
			lastSeq = keptBytes = 0;
			slots.clear();
			failovers.clear();
			failoversShow();
			refilter();
		}
		run = now;
		load();
	});
	source.addEventListener("stale", load);
	source.addEventListener("slots", e => JSON.parse(e.data).forEach(slotTake));
	source.addEventListener("failover", e => {
		const f = JSON.parse(e.data);
		failovers.set(f.id, f);
		if (failovers.size > 20) failovers.delete(Math.min(...failovers.keys()));
		failoversShow();
	});
	source.addEventListener("waiting", e => {
		awaited = JSON.parse(e.data);
		awaited.list = [];
		if (!awaited.shown) { pending = []; showPending(); }
	});
	source.addEventListener("pending", e => {
		const p = JSON.parse(e.data);
		if (!awaited || !awaited.list) return;
		p.came = performance.now();
		p.clock = el("span", "clock");
		awaited.list.push(p);
		if (awaited.list.length < awaited.shown) return;
		pending = awaited.list;
		awaited.list = null;
		showPending();
	});
	source.addEventListener("stats", e => statsTake(JSON.parse(e.data)));
}
setInterval(runClocks, 100);
function frame() {
	if (dirty) show();
	requestAnimationFrame(frame);
}
wire();
viewRead();
changed();
plots();
connect();
frame();
