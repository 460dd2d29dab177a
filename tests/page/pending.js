// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// A login that waits, on the page in a real browser: pending.js URL FOLDER. Says "ready" when the page is
// live; then page.test logs in at a server that answers late. Screenshots go to FOLDER.
"use strict";
const { chromium } = require("playwright-core");
const [url, folder] = process.argv.slice(2);
const WAIT = { timeout: 40000 };
const QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
	"--disable-background-networking", "--disable-component-update"];
let failed = false;

async function tell(name, check) {
	let why;
	try {
		why = await check();
	} catch (e) {
		why = e.message.split("\n")[0];
	}
	failed = failed || Boolean(why);
	console.log(why ? "not ok - " + name + ": " + why : "ok - " + name);
}

async function main() {
	const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: QUIET });
	const page = await (await browser.newContext({ viewport: { width: 1300, height: 800 } })).newPage();
	const troubles = [];
	page.on("console", m => m.type() === "error" && troubles.push(m.text()));
	page.on("pageerror", e => troubles.push(e.message));
	await page.goto(url);
	await page.waitForSelector(".state.live", WAIT);
	console.log("ready");
	const clock = () => page.$eval(".pending .clock", c => parseFloat(c.textContent));
	await tell("nothing waits at first", async () => await page.isVisible("#waiting") ? "the section is there" : null);
	await page.waitForSelector(".pending", WAIT);
	await tell("a login that waits is shown, with what it waits for", async () => {
		const got = await page.$eval(".pending", p => ["from", "to", "phase", "what"].map(c => p.querySelector("." + c).textContent));
		return /^127\.0\.0\.1:\d+$/.test(got[0]) && /^127\.0\.0\.1:\d+$/.test(got[1]) && got[2] === "login" &&
			got[3] === "the server: the answer to LOGIN7" ? null : got.join(", ");
	});
	await tell("its clock runs between what the server sends", async () => {
		const seen = [await clock()];
		for (let i = 0; i < 5; i++) {
			await page.waitForTimeout(300);
			seen.push(await clock());
		}
		const rises = seen.slice(1).filter((s, i) => s > seen[i]).length;
		return seen[0] >= 5 && rises >= 4 && seen[5] - seen[0] > 1 && seen[5] - seen[0] < 4 ? null : seen.join(", ");
	});
	await page.screenshot({ path: folder + "/pending.png" });
	await tell("a narrow screen is not exceeded", async () => {
		await page.setViewportSize({ width: 360, height: 800 });
		const wide = await page.evaluate(() => document.scrollingElement.scrollWidth);
		await page.screenshot({ path: folder + "/pending-narrow.png" });
		return wide === 360 ? null : String(wide);
	});
	await tell("who comes later sees it, too", async () => {
		const later = await (await browser.newContext()).newPage();
		await later.goto(url);
		await later.waitForSelector(".pending", { timeout: 3000 });
		await later.close();
	});
	await tell("it goes when the login is decided, which takes its place", async () => {
		const id = await page.evaluate(() => pending[0].id);
		await page.waitForFunction(() => document.querySelectorAll(".login").length === 1, null, WAIT);
		const now = await page.evaluate(() => [logins[0].id, document.querySelectorAll(".pending").length,
			document.getElementById("waiting").hidden]);
		return now[0] === id && now[1] === 0 && now[2] ? null : id + ": " + now.join(", ");
	});
	await tell("no error", async () => troubles.join("; ") || null);
	await browser.close();
	process.exit(failed ? 1 : 0);
}

main().catch(e => {
	console.log("not ok - page: " + e.message.split("\n")[0]);
	process.exit(1);
});
