// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Periods, groups and causes on the page: period.js URL FOLDER PART ARGUMENTS. Each part expects what page.test did
// before; screenshots go to FOLDER.
"use strict";
const fs = require("fs");
const { WAIT, tell, differ, texts, open, run } = require("./browser.js");
const [url, folder, part, ...args] = process.argv.slice(2);
const WIDE = { colorScheme: "light", viewport: { width: 1440, height: 1000 } };
const rows = page => page.locator(".login").count();
const rowsAre = (page, n) => page.waitForFunction(want => document.querySelectorAll(".login").length === want, n, WAIT);
// The numbers are replaced every second: what is read must not be taken from the page in two steps.
const tile = (page, name) => page.evaluate(want => {
	const dd = [...document.querySelectorAll("#numbers > div")].find(d => d.querySelector("dt").textContent === want).querySelector("dd");
	return [...dd.children].map(e => e.textContent.trim());
}, name);
// The page asks for the history once a second: what has just ended is in the numbers a little later. If it never is, the
// case that follows says what is there.
const numbersAre = (page, want) => page.waitForFunction(text => document.querySelector("#numbers").textContent.includes(text), want,
	WAIT).catch(() => null);
const clear = async page => { await page.evaluate(() => { location.hash = ""; }); await page.waitForTimeout(100); };

async function nothing(page) {
	await tell("empty: it says what is watched, and what was seen", async () => {
		await page.waitForSelector("#empty:visible", WAIT);
		const text = await page.innerText("#empty");
		return /Watching lo .* for port [\d, ]+ since \d/.test(text) && /0 packets/.test(text) && /doctor/.test(text) ? null : text;
	});
	await page.screenshot({ path: folder + "/empty.png" });
	await tell("empty: no heading without a text, before tdsmon has said what it watches", async () => {
		const got = await page.evaluate(() => {
			const hidden = () => document.getElementById("empty").hidden, full = stats;
			statsTake(Object.assign({}, full, { watched: undefined }));
			const before = hidden();
			statsTake(full);
			return [before, hidden()];
		});
		return differ(got, [true, false]);
	});
}

/* ARGUMENTS: the quick server, the slow one, logins at the quick one, those of them that failed, slow ones. */
async function first(page) {
	const [quick, slow, all, failed, late] = [args[0], args[1], ...args.slice(2).map(Number)], total = all + late;
	await tell("the headline: it is bad, since when, whom it hits, and why", async () => {
		await page.waitForSelector("#now.bad", WAIT);
		const text = await page.innerText("#now"), share = Math.round(100 * failed / total);
		return text.includes(share + " % of logins fail") && /since \d\d:\d\d/.test(text) && text.includes(quick) && text.includes("from 127.0.0.1") &&
			/Mostly (login_failed|guessing) \(\d+ %\): ./.test(text) ? null : text;
	});
	await tell("the numbers", async () => {
		await numbersAre(page, failed + " of " + total);
		const got = { failed: await tile(page, "failed"), slow: await tile(page, "slow"), lost: await tile(page, "lost") };
		return differ([got.failed[1], got.slow[1], got.lost[0]], [failed + " of " + total, late + " of " + total, "0"]);
	});
	await tell("percentiles, within a bucket of the exact ones", async () => {
		const exact = await page.evaluate(() => {
			const all = logins.map(r => r.total_ns).sort((a, b) => a - b), at = q => all[Math.ceil(q * all.length) - 1];
			const sum = periodSum(times.now - 60, times.now + 1);
			return [0.5, 0.95, 0.99].map(q => [quantile(sum, q), Math.max(at(q), 262144)]);
		});
		const bad = exact.filter(([got, is]) => is > 262144 ? Math.abs(got / is - 1) > 0.13 : got > 262144);
		return bad.length ? JSON.stringify(exact) : null;
	});
	await tell("the chart: failed ones below the line, all of them counted", async () => {
		const low = await page.$$eval("#chart rect.failed", all => all.map(r => Number(r.getAttribute("y"))));
		const high = await page.$$eval("#chart rect.ok", all => all.map(r => Number(r.getAttribute("y")) + Number(r.getAttribute("height"))));
		const zero = Number(await page.getAttribute("#chart .zero", "y1"));
		const sums = await page.evaluate(() => bars.reduce((n, b) => [n[0] + b.logins, n[1] + b.failed, n[2] + b.slow], [0, 0, 0]));
		return differ(sums, [total, failed, late]) || (low.length && low.every(y => y >= zero) && high.every(y => y <= zero + 1) ? null : low + " " + high + " at " + zero);
	});
}

async function brush(page, total) {
	const box = await page.locator("#chart").boundingBox(), y = box.y + box.height / 2;
	const drag = async (from, to) => {
		await page.mouse.move(box.x + box.width * from, y);
		await page.mouse.down();
		await page.mouse.move(box.x + box.width * to, y, { steps: 4 });
		await page.mouse.up();
	};
	await tell("brush: a period without logins has none; the address keeps it", async () => {
		await drag(0.05, 0.3);
		await rowsAre(page, 0);
		const hash = await page.evaluate(() => location.hash), tip = await page.textContent("#tip");
		return differ((await tile(page, "failed"))[1], "0 of 0") || (/from=\d+&to=\d+/.test(hash) && /^Selected .*: 0 logins/.test(tip) ? null : hash + " " + tip);
	});
	await tell("brush: the period of all logins has all", async () => {
		await drag(0.5, 0.999);
		await rowsAre(page, Math.min(200, total));
		return differ((await tile(page, "failed"))[1].split(" of ")[1], String(total));
	});
	await tell("the period is cleared", async () => {
		await page.locator("#tip button").click();
		return differ(await page.evaluate(() => location.hash), "");
	});
	await tell("brush by keyboard: Shift and arrows select, Escape clears", async () => {
		await page.locator("#chart").focus();
		for (let i = 0; i < 5; i++) await page.keyboard.press("Shift+ArrowLeft");
		const wide = await page.evaluate(() => (view.to - view.from) / barWidth), says = await page.getAttribute("#chart", "aria-valuetext");
		await page.keyboard.press("Escape");
		return differ(wide, 6) || (/^Selected/.test(says) ? null : says) || differ(await page.evaluate(() => view.from), null);
	});
}

async function groups(page, total) {
	const [quick, slow, , , late] = [args[0], args[1], ...args.slice(2).map(Number)];
	const pick = (facet, value) => page.locator(`.choice[data-facet="${facet}"][data-value="${value}"]`).click();
	await tell("a click on a server shows its logins; a second click all", async () => {
		await pick("server", slow);
		await rowsAre(page, late);
		const hash = await page.evaluate(() => decodeURIComponent(location.hash)), chips = await texts(page, "#chips button");
		const causes = await texts(page, "#causes .name");
		await pick("server", slow);
		await rowsAre(page, Math.min(200, total));
		return differ(hash, "#server=" + slow) || differ(chips, ["server: " + slow + " \u00d7"]) || (causes.length === 1 ? null : "causes " + causes);
	});
	await tell("a click on a cause shows its logins, and all have it", async () => {
		const name = (await texts(page, "#causes .name"))[0], n = Number((await texts(page, "#causes .count"))[0]);
		await pick("cause", name);
		await rowsAre(page, n);
		const got = await page.evaluate(() => [...new Set(matching.map(r => r.verdict.name))]);
		await clear(page);
		return differ(got, [name]);
	});
	await tell("causes are ranked, each with a sentence", async () => {
		const n = (await texts(page, "#causes .count")).map(Number), says = await texts(page, "#causes .says");
		return n.every((c, i) => !i || n[i - 1] >= c) && says.length === n.length && says.every(s => s.length > 10) ? null : n + ": " + says.join("|");
	});
	await tell("each kind of group is there", async () =>
		differ((await texts(page, "#facets h3")).map(t => t.split(" ")[0]), ["server", "client", "app", "database", "driver"]));
	await tell("the address brings the view back", async () => {
		const again = await open(page.context().browser(), url + "#sort=slowest&scale=10s&only=slow&span=1h&server=" + encodeURIComponent(slow), WIDE);
		await rowsAre(again, late);
		const got = await again.evaluate(() => [view.sort, view.scale, view.only, view.span, document.getElementById("sort").value,
			document.querySelector("#spans [aria-pressed=true]").textContent, document.getElementById("scale-text").textContent]);
		await again.goto(url + "#server=%00&from=9&to=1&span=constructor&scale=toString&only=x");
		await again.waitForSelector("#state.live:not(.lost)", WAIT);
		const odd = await again.evaluate(() => [view.from, view.span, view.scale, view.only]);
		await again.context().close();
		return differ(got, ["slowest", "10s", "slow", "1h", "slowest", "1h", "10 s"]) || differ(odd, [null, "15m", "", ""]);
	});
}

async function list(page) {
	await tell("slowest first", async () => {
		await page.selectOption("#sort", "slowest");
		await page.waitForTimeout(300);
		const ns = await page.evaluate(() => [...document.querySelectorAll(".login")].map(b => logins.find(r => r.seq === Number(b.dataset.seq)).total_ns));
		await page.selectOption("#sort", "");
		return ns.length > 10 && ns.every((n, i) => !i || ns[i - 1] >= n) ? null : ns.slice(0, 9).join();
	});
	await tell("all bars have one scale", async () => {
		const got = await page.evaluate(() => [...document.querySelectorAll(".login")].map(b => {
			const r = logins.find(l => l.seq === Number(b.dataset.seq)), drawn = b.querySelector(".drawn");
			return [drawn ? parseFloat(drawn.style.width) : 0, r.steps.reduce((n, s) => n + s.ns, 0)];
		}));
		const scales = got.filter(g => g[0]).map(([w, ns]) => ns / w * 100), scale = scales[0];
		const bad = scales.filter(s => Math.abs(s / scale - 1) > 0.01);
		return got.length > 10 && !bad.length && Math.max(...got.map(g => g[0])) > 20 ? null : bad.slice(0, 4) + " of " + scale;
	});
	await tell("a login that went well is one line", async () => {
		const high = await page.$$eval(".login.ok", all => [...new Set(all.map(b => Math.round(b.getBoundingClientRect().height)))]);
		return high.length === 1 && high[0] < 30 ? null : "heights " + high;
	});
	await tell("what failed is more than a colour: marks in the rows", async () =>
		differ([...new Set(await page.$$eval(".login", all => all.map(b => b.className.split(" ")[1] + b.querySelector(".outcome").textContent[0])))].sort(),
			["failed\u2715", "ok\u2713", "slow\u25b2"]));
}

async function exported(page, button) {
	const [file] = await Promise.all([page.waitForEvent("download", WAIT), page.locator(button).click()]);
	return fs.readFileSync(await file.path(), "utf8");
}
async function exporting(page) {
	await page.selectOption("#only", "failed");
	await tell("JSON: the records of what is shown, as they came", async () => {
		const lines = (await exported(page, "#json")).trim().split("\n").map(l => JSON.parse(l)), shown = await page.evaluate(() => matching.map(r => r.id));
		const keys = Object.keys(lines[0]);
		return differ(lines.map(r => r.id), shown) || (lines.every(r => r.verdict.class === "failed" && r.verdict.text) && keys[0] === "type" &&
			!keys.includes("seq") && !keys.includes("words") ? null : keys.join());
	});
	await tell("CSV: a row for each, and no text becomes a formula", async () => {
		const csv = await exported(page, "#csv"), lines = csv.trim().split("\r\n"), n = await page.evaluate(() => matching.length);
		const formula = lines.filter(l => l.includes("=cmd"));
		return differ(lines.length, n + 1) || (lines[0].startsWith("time,id,client,client_port,server,") ? null : lines[0]) ||
			(formula.length === 1 && formula[0].includes("\"'=cmd|' /C calc'!A0\"") ? null : formula.join("; ") || "no hostile row");
	});
	await page.selectOption("#only", "");
}

/* WCAG 2.2 1.4.3: text against what is behind it. */
async function contrast(browser) {
	for (const scheme of ["light", "dark"])
		await tell("contrast, " + scheme, async () => {
			const page = await open(browser, url, { colorScheme: scheme, viewport: { width: 1440, height: 1400 } });
			await page.waitForSelector(".login", WAIT);
			await page.locator(".login.failed").first().click();
			await page.waitForTimeout(1500);
			await page.screenshot({ path: folder + "/period-" + scheme + ".png" });
			const bad = await page.evaluate(() => {
				const rgb = c => (c.match(/[\d.]+/g) || []).map(Number);
				const light = c => c.slice(0, 3).map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4))
					.reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
				const behind = e => {
					for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c.length === 3 || c[3] > 0) return c; }
					return [255, 255, 255];
				};
				const low = [];
				for (const e of document.querySelectorAll("body *:not(script):not(option)")) {
					const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
					if (!own || !e.getClientRects().length) continue;
					const style = getComputedStyle(e), svg = e instanceof SVGElement;
					const a = light(rgb(svg ? style.fill : style.color)), b = light(behind(e)), ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
					if (ratio < 4.5) low.push(e.tagName + "." + (e.getAttribute("class") || e.id) + " " + ratio.toFixed(2));
				}
				return [...new Set(low)];
			});
			await page.context().close();
			return bad.slice(0, 5).join(", ");
		});
}
async function sizes(browser) {
	for (const width of [390, 768, 1440])
		await tell(width + " px: nothing runs over the edge, and causes come before the logins on a narrow screen", async () => {
			const page = await open(browser, url, { colorScheme: "light", viewport: { width: width, height: 900 } });
			await page.waitForSelector(".login", WAIT);
			const got = await page.evaluate(() => [document.scrollingElement.scrollWidth, document.getElementById("causes-box").getBoundingClientRect().top,
				document.getElementById("list").getBoundingClientRect().top, document.getElementById("now").getBoundingClientRect().bottom]);
			await page.screenshot({ path: folder + "/period-" + width + ".png" });
			await page.context().close();
			return differ(got[0], width) || (width < 1100 && got[1] >= got[2] ? "causes at " + got[1] + ", logins at " + got[2] : null) ||
				(got[3] < 450 ? null : "the headline ends at " + got[3]);
		});
}
async function names(page) {
	await tell("for screen readers: what is used has a name", async () => {
		const bad = await page.evaluate(() => [...document.querySelectorAll("button, input, select, svg[role], section, [role=group]")]
			.filter(e => !e.hidden && !(e.getAttribute("aria-label") || e.textContent.trim() || (e.labels && e.labels.length))).map(e => e.tagName + "#" + e.id));
		return bad.join(", ");
	});
}

/* ARGUMENTS: logins and failed ones before the restart. */
async function again(page) {
	await tell("after a restart the history is there, and no login is", async () => {
		await page.waitForFunction(() => times.loaded && stats, null, WAIT);
		const got = await page.evaluate(() => { chart(); return bars.reduce((n, b) => [n[0] + b.logins, n[1] + b.failed], [0, 0]); });
		return differ(got, args.map(Number)) || differ(await rows(page), 0) || (await page.isVisible("#empty") ? "it says that nothing was seen" : null);
	});
	await tell("causes of the time before have their names", async () => {
		await page.waitForSelector("#causes .choice", WAIT);
		const got = await texts(page, "#causes .name");
		return got.includes("slow_login") && got.some(n => n === "guessing" || n === "login_failed") ? null : got.join();
	});
}

/* ARGUMENTS: the server that went, the one that took over, sessions. */
async function moved(page) {
	await tell("a failover is one line, with its numbers, and says that it is inferred", async () => {
		await page.waitForFunction(() => document.querySelector("#failovers li") && /inferred.*2 logins failed/.test(document.querySelector("#failovers li").textContent), null, WAIT);
		const lines = await texts(page, "#failovers li"), n = args[2];
		return lines.length === 1 && lines[0].includes(`failover (inferred): ${args[0]} closed ${n} of ${n} sessions of 1 client within`) &&
			/; 2 logins failed; the first good login came after [\d.]+[mµ]?s, to /.test(lines[0]) && lines[0].endsWith(args[1]) ? null : lines.join(" | ");
	});
	await page.screenshot({ path: folder + "/failover.png" });
}

run(async browser => {
	const page = await open(browser, url, WIDE), total = Number(args[2]) + Number(args[4]);
	if (part === "nothing") await nothing(page);
	if (part === "again") await again(page);
	if (part === "moved") await moved(page);
	if (part !== "busy") return;
	await page.waitForFunction(n => logins.length === n, total, WAIT);
	await first(page);
	await brush(page, total);
	await groups(page, total);
	await list(page);
	await exporting(page);
	await contrast(browser);
	await sizes(browser);
	await names(page);
});
