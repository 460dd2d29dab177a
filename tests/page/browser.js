// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// What the page's tests share: a browser, pages that collect what should not happen, and results in the test runner's format.
"use strict";
const { chromium } = require("playwright-core");
const QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
	"--disable-background-networking", "--disable-component-update"];
const WAIT = { timeout: 15000 };
const state = { failed: false, troubles: [] };

async function tell(name, check) {
	let why;
	try {
		why = await check();
	} catch (e) {
		why = e.message.split("\n")[0];
	}
	state.failed = state.failed || Boolean(why);
	console.log(why ? "not ok - " + name + ": " + why : "ok - " + name);
}
const differ = (got, want) => JSON.stringify(got) === JSON.stringify(want) ? null :
	JSON.stringify(got) + ", not " + JSON.stringify(want);
const texts = (page, selector) => page.locator(selector).allTextContents();

// A page that is live. All of a run must be of that origin.
async function open(browser, url, options) {
	const page = await (await browser.newContext(options)).newPage(), origin = new URL(url).origin + "/";
	page.on("console", m => m.type() === "error" && state.troubles.push(m.text()));
	page.on("pageerror", e => state.troubles.push(e.message));
	page.on("dialog", d => { state.troubles.push("dialog " + d.message()); d.dismiss(); });
	page.on("request", r => r.url().startsWith(origin) || /^(data|blob):/.test(r.url()) || state.troubles.push("asked for " + r.url()));
	await page.goto(url);
	await page.waitForSelector("#state.live:not(.lost)", WAIT);
	return page;
}

// Run the cases, and end the process.
async function run(main) {
	try {
		const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: QUIET });
		await main(browser);
		await tell("nothing from elsewhere, no error, no dialog", async () => state.troubles.join("; ") || null);
		await browser.close();
	} catch (e) {
		state.failed = true;
		console.log("not ok - page: " + e.message.split("\n")[0]);
	}
	process.exit(state.failed ? 1 : 0);
}
module.exports = { WAIT, tell, differ, texts, open, run };
