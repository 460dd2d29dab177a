
// Logins over time, as /history has them: an hour by the second, seven days by the minute.
const times = {slots: {1: new Map(), 60: new Map()}, verdicts: [], bits: 2, least: 18, buckets: 74, now: 0, loaded: false};
const KEPT = {1: 3600, 60: 604800};

function slotTake(a) {
	times.slots[a[0]].set(a[1], {t: a[1], logins: a[2], failed: a[3], slow: a[4], ended: a[5], causes: a[6], times: a[7]});
}
function slotsForget() {
	for (const period of [1, 60])
		for (const t of times.slots[period].keys()) if (t <= times.now - KEPT[period]) times.slots[period].delete(t);
}
function sumNew(t) { return {t: t, logins: 0, failed: 0, slow: 0, ended: 0, causes: new Map(), times: new Map()}; }
function sumAdd(sum, slot) {
	for (const k of ["logins", "failed", "slow", "ended"]) sum[k] += slot[k];
	for (const k of ["causes", "times"])
		for (let i = 0; i < slot[k].length; i += 2) sum[k].set(slot[k][i], (sum[k].get(slot[k][i]) || 0) + slot[k][i + 1]);
}
// The slots that begin in a period, in s: by the second as far as these reach.
function periodSum(from, to) {
	const sum = sumNew(from), period = from > times.now - KEPT[1] ? 1 : 60;
	for (const s of times.slots[period].values()) if (s.t >= from && s.t < to) sumAdd(sum, s);
	return sum;
}
function bucketTime(i) {
	if (!i) return Math.pow(2, times.least) / 2;
	const width = 1 << times.bits, k = i - 1;
	return Math.pow(2, times.least + Math.floor(k / width)) * (width + k % width + 0.5) / width;
}
// Nearest rank; the middle of the bucket that has it. null: no times.
function quantile(sum, q) {
	const all = [...sum.times].sort((a, b) => a[0] - b[0]), count = all.reduce((n, b) => n + b[1], 0);
	let rank = Math.ceil(q * count);
	for (const [i, n] of all) if ((rank -= n) <= 0) return bucketTime(i);
	return null;
}

// The chart: a bar has a number of seconds, the newest at the right.
const BARS = 120;
let bars = [], barWidth = 10, cursor = null, dragging = null;
function barsMake() {
	const span = SPANS[view.span], period = span <= KEPT[1] ? 1 : 60, count = span <= 900 ? 90 : BARS;
	barWidth = Math.max(period, Math.ceil(span / count / period) * period);
	const last = Math.floor(times.now / barWidth) * barWidth, n = Math.ceil(span / barWidth), first = last - (n - 1) * barWidth;
	bars = Array.from({length: n}, (_, i) => sumNew(first + i * barWidth));
	for (const s of times.slots[period].values()) {
		const i = Math.floor((s.t - first) / barWidth);
		if (i >= 0 && i < n) sumAdd(bars[i], s);
	}
}
function chartAxis(svg, width, height) {
	const steps = [60, 120, 300, 600, 1800, 3600, 7200, 14400, 21600, 43200, 86400], span = bars.length * barWidth;
	const step = steps.find(s => span / s <= (width < 600 ? 4 : 10)) || 86400, offset = new Date(times.now * 1000).getTimezoneOffset() * 60;
	for (let t = Math.ceil((bars[0].t - offset) / step) * step + offset; t < bars[0].t + span; t += step) {
		const x = (t - bars[0].t) / span * width;
		svg.append(shape("line", "axis", {x1: x, x2: x, y1: 0, y2: height}));
		if (x > 18 && x < width - 18) svg.append(shape("text", "", {x: x, y: height + 12, "text-anchor": "middle"}, step >= 86400 ?
			new Date(t * 1000).toLocaleDateString([], {weekday: "short", day: "numeric"}) : when(t).split(" ").pop()));
	}
}
function chartBars(svg, width, height) {
	const up = Math.max(1, ...bars.map(b => b.logins - b.failed)), down = Math.max(0, ...bars.map(b => b.failed));
	const below = Math.max(height * 0.22, height * down / (up + down) * 0.9), zero = height - below, w = width / bars.length;
	const gap = w > 4 ? 1 : 0;
	const draw = (cls, x, y, h) => h > 0 && svg.append(shape("rect", cls, {x: x, y: y, width: Math.max(1, w - gap), height: h}));
	bars.forEach((b, i) => {
		const tall = n => n && Math.max(2, (zero - 12) * n / up), x = i * w, ok = b.logins - b.failed - b.slow;
		draw("ok", x, zero - tall(ok), tall(ok));
		draw("slow", x, zero - tall(ok) - tall(b.slow), tall(b.slow));
		draw("failed", x, zero, b.failed && Math.max(3, below * b.failed / Math.max(down, 1)));
	});
	svg.append(shape("line", "zero", {x1: 0, x2: width, y1: zero, y2: zero}));
	const per = barWidth === 1 ? "second" : barWidth < 60 ? barWidth + " s" : barWidth === 60 ? "minute" : ago(barWidth);
	svg.append(shape("text", "", {x: 2, y: 10}, up + " per " + per));
	if (down) svg.append(shape("text", "", {x: 2, y: height - 3}, down + " failed per " + per));
}
function barText(b) {
	return when(b.t, true) + ": " + many(b.logins, "login") + ", " + b.failed + " failed, " + b.slow + " slow";
}
function chart() {
	const svg = $("chart"), width = svg.clientWidth || 800, height = (svg.clientHeight || 150) - 16;
	if (!times.now) return;
	barsMake();
	svg.setAttribute("viewBox", "0 0 " + width + " " + (height + 16));
	svg.replaceChildren();
	chartAxis(svg, width, height);
	chartBars(svg, width, height);
	const x = t => Math.min(width, Math.max(0, (t - bars[0].t) / (bars.length * barWidth) * width));
	const chosen = dragging || (view.from !== null && [view.from, view.to]);
	if (chosen && x(chosen[1]) > x(chosen[0]))
		svg.append(shape("rect", "chosen", {x: x(chosen[0]), y: 0, width: x(chosen[1]) - x(chosen[0]), height: height}));
	if (cursor !== null) svg.append(shape("line", "cursor", {x1: x(cursor + barWidth / 2), x2: x(cursor + barWidth / 2), y1: 0, y2: height}));
	tip();
}
function tip() {
	const box = $("tip"), words = el("span"), at = bars.find(b => b.t === cursor);
	if (view.from !== null) {
		const sum = periodSum(view.from, view.to), clear = el("button", "", "Clear period");
		words.textContent = "Selected " + when(view.from, true) + " to " + when(view.to, true) + ": " + many(sum.logins, "login") + ", " +
			sum.failed + " failed (" + percent(sum.failed, sum.logins) + "), " + sum.slow + " slow (" + percent(sum.slow, sum.logins) + ")";
		clear.type = "button";
		clear.addEventListener("click", () => choosePeriod(null, null));
		if (!box.querySelector("button")) box.replaceChildren(words, clear);
		else box.firstChild.textContent = words.textContent;
	} else {
		words.textContent = at ? barText(at) : "Drag over the chart, or use Shift and the arrow keys, to select a period.";
		box.replaceChildren(words);
	}
	$("chart").setAttribute("aria-valuetext", view.from !== null ? box.firstChild.textContent : at ? barText(at) : "no period selected");
	$("chart").setAttribute("aria-valuemin", bars[0].t);
	$("chart").setAttribute("aria-valuemax", times.now);
	$("chart").setAttribute("aria-valuenow", cursor === null ? times.now : cursor);
}
function choosePeriod(from, to) {
	view.from = from;
	view.to = to;
	changed();
}
function chartPointer() {
	const svg = $("chart");
	let began = null;
	const at = e => {
		const box = svg.getBoundingClientRect(), i = Math.floor((e.clientX - box.left) / box.width * bars.length);
		return bars[Math.min(bars.length - 1, Math.max(0, i))].t;
	};
	svg.addEventListener("pointerdown", e => {
		if (!bars.length || e.button) return;
		began = at(e);
		svg.setPointerCapture(e.pointerId);
	});
	svg.addEventListener("pointermove", e => {
		if (!bars.length) return;
		cursor = at(e);
		if (began !== null) dragging = [Math.min(began, cursor), Math.max(began, cursor) + barWidth];
		chart();
	});
	svg.addEventListener("pointerup", e => {
		if (began === null) return;
		const period = [Math.min(began, at(e)), Math.max(began, at(e)) + barWidth];
		began = dragging = null;
		choosePeriod(period[0], period[1]);
	});
	svg.addEventListener("pointercancel", () => { began = dragging = null; chart(); });
	svg.addEventListener("pointerleave", () => { if (began === null) { cursor = null; chart(); } });
	svg.addEventListener("keydown", e => {
		const by = {ArrowLeft: -1, ArrowRight: 1, Home: -1e6, End: 1e6}[e.key];
		if (e.key === "Escape") choosePeriod(null, null);
		else if (!by || !bars.length) return;
		else {
			const first = bars[0].t, last = bars[bars.length - 1].t, old = cursor === null ? last : cursor;
			cursor = Math.min(last, Math.max(first, old + by * barWidth));
			if (e.shiftKey) {
				const anchor = view.from === null ? old : view.from === old ? view.to - barWidth : view.from;
				choosePeriod(Math.min(anchor, cursor), Math.max(anchor, cursor) + barWidth);
			}
			chart();
		}
		e.preventDefault();
		e.stopPropagation();
	});
}
async function historyLoad() {
	const answer = await fetch("history", {cache: "no-store"});
	if (!answer.ok) throw new Error("/history: " + answer.status);
	const doc = await answer.json();
	for (const k of ["verdicts", "bits", "least", "buckets"]) times[k] = doc[k];
	times.now = Math.max(times.now, doc.now);
	times.slots[1].clear();
	times.slots[60].clear();
	for (const a of doc.slots) if (a) slotTake(a);
	times.loaded = true;
	changed();
}
