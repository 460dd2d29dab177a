"use strict";
// Text from the wire is only ever set by textContent, so it cannot become markup.
const KEEP = 10000, KEEP_BYTES = 64 << 20, PAGE = innerWidth < 760 ? 50 : 200;
const FACETS = ["server", "client", "app", "database", "driver", "cause"];
const SPANS = {"15m": 900, "1h": 3600, "6h": 21600, "24h": 86400, "7d": 604800};
const SCALES = {"": 0, "10ms": 1e7, "100ms": 1e8, "1s": 1e9, "10s": 1e10, "60s": 6e10};
const $ = id => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";

function el(tag, cls, text) {
	const e = document.createElement(tag);
	if (cls) e.className = cls;
	if (text !== undefined && text !== null) e.textContent = text;
	return e;
}
function shape(name, cls, attributes, text) {
	const s = document.createElementNS(SVG, name);
	s.setAttribute("class", cls);
	for (const k in attributes) s.setAttribute(k, attributes[k]);
	if (text !== undefined) s.textContent = text;
	return s;
}
function end(e) { return (e.addr.includes(":") ? "[" + e.addr + "]" : e.addr) + ":" + e.port; }
function duration(ns) {
	if (ns === null || ns === undefined) return "-";
	if (ns < 1e3) return ns + " ns";
	if (ns < 1e6) return Number((ns / 1e3).toPrecision(3)) + " \u00b5s";
	if (ns < 1e9) return Number((ns / 1e6).toPrecision(3)) + " ms";
	return Number((ns / 1e9).toPrecision(3)) + " s";
}
function ago(s) {
	if (s < 120) return Math.round(s) + " s";
	if (s < 7200) return Math.round(s / 60) + " min";
	if (s < 172800) return Math.round(s / 3600) + " h";
	return Math.round(s / 86400) + " days";
}
function many(n, one, more) { return n.toLocaleString() + " " + (n === 1 ? one : more || one + "s"); }
function percent(n, of) {
	const p = 100 * n / of;
	return !of ? "-" : p === 0 ? "0 %" : p < 0.1 ? "< 0.1 %" : p < 10 ? p.toFixed(1) + " %" : Math.round(p) + " %";
}
function millis(time) { return Date.parse(time.replace(/(\.\d{3})\d*Z$/, "$1Z")); }
function clock(time) {
	const t = new Date(millis(time));
	return isNaN(t) ? time : t.toLocaleTimeString([], {hour12: false}) + "." + String(t.getMilliseconds()).padStart(3, "0");
}
// A time of day; with the day if it is not today.
function when(s, seconds) {
	const t = new Date(s * 1000), short = {hour: "2-digit", minute: "2-digit", hour12: false};
	if (seconds) short.second = "2-digit";
	const day = t.toDateString() === new Date().toDateString() ? "" : t.toLocaleDateString([], {weekday: "short", day: "numeric", month: "short"}) + " ";
	return day + t.toLocaleTimeString([], short);
}

// How the user looks at it; the address bar keeps it.
const view = {find: "", only: "", sort: "", scale: "", span: "15m", from: null, to: null, chosen: {}};
function viewRead() {
	const q = new URLSearchParams(location.hash.slice(1)), number = k => /^\d{1,12}$/.test(q.get(k) || "") ? Number(q.get(k)) : null;
	view.find = q.get("find") || "";
	view.only = ["problem", "failed", "slow", "ok"].includes(q.get("only")) ? q.get("only") : "";
	view.sort = q.get("sort") === "slowest" ? "slowest" : "";
	view.scale = Object.hasOwn(SCALES, q.get("scale") || "") ? q.get("scale") || "" : "";
	view.span = Object.hasOwn(SPANS, q.get("span") || "") ? q.get("span") : "15m";
	view.from = number("from");
	view.to = number("to");
	if (view.from === null || view.to === null || view.to <= view.from) view.from = view.to = null;
	view.chosen = {};
	for (const f of FACETS) if (q.has(f)) view.chosen[f] = q.get(f);
}
function viewWrite() {
	const q = new URLSearchParams();
	for (const k of ["find", "only", "sort", "scale"]) if (view[k]) q.set(k, view[k]);
	if (view.span !== "15m") q.set("span", view.span);
	if (view.from !== null) { q.set("from", view.from); q.set("to", view.to); }
	for (const f of FACETS) if (view.chosen[f] !== undefined) q.set(f, view.chosen[f]);
	const hash = String(q);
	if (location.hash.slice(1) !== hash) history.replaceState(null, "", hash ? "#" + hash : location.pathname + location.search);
}
