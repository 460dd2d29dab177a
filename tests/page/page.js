// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// The page in a real browser: page.js URL FOLDER. Prints "ready" when it is live; then page.test logs
// in, and each case is reported in the test runner's format. Screenshots go to FOLDER.
"use strict";
const { WAIT, tell, differ, texts, open, run } = require("./browser.js");
const [url, folder] = process.argv.slice(2);
const record = JSON.parse(require("fs").readFileSync(folder + "/dc_slow.json", "utf8"));
const HOSTILE = "<img src=x onerror=alert(1)>";

/* Three logins come while the page is open, the newest first: hostile and refused, hidden, slow. */
async function logins(page) {
	await page.waitForFunction(() => document.querySelectorAll(".login").length === 3, null, WAIT);
	await tell("each login is a row, the newest first", async () =>
		differ(await texts(page, ".login .outcome"), ["\u2715 refused", "\u2713 ok", "\u2713 ok"]));
	await tell("what is inferred says so", async () =>
		differ(await texts(page, ".login .auth"), ["sql, none", "~sql, login", "sql, none"]));
	await tell("the verdict is a sentence, and a login that went well takes one line", async () =>
		differ(await texts(page, ".login .says"),
			["login failed (18456): wrong name or password, or a Windows account without a login; " +
			"only the server's error log has the state that tells which"]));
	await tell("keyboard: j j j Enter opens the third login, with its steps", async () => {
		for (const key of ["j", "j", "j", "Enter"]) await page.keyboard.press(key);
		await page.waitForSelector(".more", WAIT);
		const steps = await page.$$eval(".step", rows => rows.map(r => [...r.children].slice(0, 3).map(c => c.textContent).join(" ")));
		return differ(steps.slice(-2), ["loginack login network", "loginack login server"]) ||
			(steps[0].startsWith("syn tcp") ? null : "first step " + steps[0]);
	});
	await tell("the server's delay of 400 ms is the server's part of the waterfall", async () => {
		const share = await page.$$eval(".login[aria-expanded=true] .fall i.server", bars => {
			const all = [...bars[0].parentNode.children], wide = list => list.reduce((n, b) => n + Number(b.style.flexGrow), 0);
			return [wide([...bars]), wide(all)];
		});
		return share[0] >= 400e6 && share[0] <= share[1] && share[0] / share[1] > 0.8 ? null : share.join(" of ");
	});
	await tell("failures are counted by cause", async () => {
		await page.waitForSelector("#causes .choice", WAIT);
		return differ(await page.$$eval("#causes li", rows => rows.map(r => [r.querySelector(".name").textContent, r.querySelector(".count").textContent])),
			[["login_failed", "1"]]);
	});
	await tell("totals", async () => {
		await page.waitForFunction(() => document.getElementById("totals").textContent.startsWith("3 logins, 1 failed"), null, WAIT);
	});
	await tell("percentiles of the last minutes", async () => {
		await page.locator("#phases summary").click();
		await page.waitForFunction(() => [...document.querySelectorAll(".plot .now")].filter(p => p.textContent !== "none").length === 5, null, WAIT);
		return differ((await texts(page, ".plot > div:first-child")), ["total", "tcp", "prelogin", "tls", "login", "auth"]);
	});
}

async function hostile(page) {
	await tell("strings from the wire are never markup", async () => {
		await page.locator(".login").first().click();
		await page.waitForFunction(text => document.querySelector(".more").textContent.includes("program: " + text), HOSTILE, WAIT);
		return differ(await page.locator("img").count(), 0);
	});
}

async function filters(page) {
	const count = n => page.waitForFunction(want => document.querySelectorAll(".login").length === want, n, WAIT);

	await tell("show what failed, what went well", async () => {
		await page.selectOption("#only", "problem");
		await count(1);
		await page.selectOption("#only", "ok");
		await count(2);
		await page.selectOption("#only", "slow");
		await count(0);
		await page.selectOption("#only", "");
	});
	await tell("find by address: / goes there", async () => {
		await page.keyboard.press("Escape");
		await page.locator("h1").click();
		await page.keyboard.press("/");
		await page.keyboard.type("10.9.9.9");
		await count(0);
		await page.fill("#find", "127.0.0.1");
		await count(3);
		await page.fill("#find", "IMG SRC");
		await count(1);
		await page.fill("#find", "");
		await page.keyboard.press("Escape");
		await count(3);
	});
}

/* The page's own take() gets the data of an event. */
async function many(page) {
	await tell("ten thousand logins: all are kept, two hundred drawn, and it still answers", async () => {
		await page.evaluate(() => {
			const one = JSON.parse(JSON.stringify(logins.find(r => r.outcome === "refused")));

			for (let i = 0; i < 10050; i++) take(Object.assign({}, one, { seq: 1000000 + i }));
		});
		await page.waitForFunction(() => document.getElementById("shown").textContent === "10000 of 10000", null, WAIT);
		await page.locator("#older").click();
		await page.waitForFunction(() => document.querySelectorAll(".login").length === 400, null, WAIT);
		await page.selectOption("#only", "ok");
		await page.waitForFunction(() => document.querySelectorAll(".login").length === 0, null, WAIT);
	});
}

/* A login of a capture, RECORD: its server waited for a domain controller. take() gets the data of an event. */
async function causes(page) {
	await page.evaluate(r => take(Object.assign(r, { seq: 900000 })), record);
	await page.waitForFunction(() => document.querySelector(".login").dataset.seq === "900000", null, WAIT);
	await tell("a step's parts are parts of its bar, and add up to it", async () => {
		const split = record.steps.filter(s => s.within);
		const bars = await page.$$eval(".login[data-seq='900000'] .fall i", all => all.map(b => [b.className, Number(b.style.flexGrow)]));
		const want = record.steps.filter(s => s.ns > 0).reduce((n, s) => n + (s.within || [s]).length, 0);
		const asked = bars.filter(b => b[0] === "server asked").reduce((n, b) => n + b[1], 0);
		const near = (got, is) => Math.abs(got - is) < 1e-4 * is ? null : got + ", not " + is; // styles have six digits
		return differ(bars.length, want) || (split.length ? null : "no step is split") ||
			near(asked, split.flatMap(s => s.within).filter(p => p.part === "dc").reduce((n, p) => n + p.ns, 0)) ||
			near(bars.reduce((n, b) => n + b[1], 0), record.total_ns);
	});
	await tell("the row's text has the parts, for those who do not see the bar", async () => {
		const text = await page.getAttribute(".login[data-seq='900000'] .fall", "aria-label");
		return /dc ~3[.]\d\d s 10[.]77[.]0[.]10:49152/.test(text) ? null : text;
	});
	await tell("opened, it lists parts and dependencies", async () => {
		await page.locator(".login[data-seq='900000']").click();
		await page.waitForSelector(".asks", WAIT);
		const parts = await page.$$eval(".part", rows => rows.map(r => r.firstChild.textContent));
		const asks = await page.$$eval(".asks tbody tr", rows => rows.map(r => [...r.cells].map(c => c.textContent).join("|")));
		return differ(parts, record.steps.flatMap(s => (s.within || []).map(p => p.part))) || differ(asks.length, record.dependencies.length) ||
			(asks[0].startsWith("the server|netlogon 10.77.0.10:49152|SamLogon|1|3.0") ? null : asks[0]);
	});
	await page.screenshot({ path: folder + "/why.png" });
	await page.setViewportSize({ width: 360, height: 800 });
	await tell("parts and dependencies fit a narrow screen", async () =>
		differ(await page.evaluate(() => document.scrollingElement.scrollWidth), 360));
	await page.locator(".asks").screenshot({ path: folder + "/why-narrow.png" });
	await page.setViewportSize({ width: 1300, height: 1000 });
}

async function looks(browser) {
	const colour = page => page.$eval("body", b => getComputedStyle(b).backgroundColor);
	const dark = await open(browser, url, { colorScheme: "dark", viewport: { width: 1200, height: 900 } });
	const narrow = await open(browser, url, { colorScheme: "light", viewport: { width: 360, height: 800 } });

	await tell("who comes later sees what was", async () => {
		await narrow.waitForFunction(() => document.querySelectorAll(".login").length === 3, null, WAIT);
	});
	await tell("dark and light", async () =>
		differ([await colour(dark), await colour(narrow)], ["rgb(20, 23, 28)", "rgb(255, 255, 255)"]));
	await tell("a narrow screen is not exceeded", async () => {
		await narrow.locator(".login").first().click();
		await narrow.waitForSelector(".more", WAIT);
		return differ(await narrow.evaluate(() => document.scrollingElement.scrollWidth), 360);
	});
	await dark.screenshot({ path: folder + "/dark.png" });
	await narrow.screenshot({ path: folder + "/narrow.png", fullPage: true });
}

run(async browser => {
	const page = await open(browser, url, { colorScheme: "light", viewport: { width: 1300, height: 1000 } });
	console.log("ready");
	await logins(page);
	await page.screenshot({ path: folder + "/light.png" });
	await hostile(page);
	await filters(page);
	await looks(browser);
	await causes(page);
	await many(page);
});
