// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// A login that waits, on the page in a real browser: pending.js URL FOLDER. Says "ready" when the page is
// live; then page.test logs in at a server that answers late. Screenshots go to FOLDER.
"use strict";
const { tell, open, run } = require("./browser.js");
const [url, folder] = process.argv.slice(2);
const WAIT = { timeout: 40000 };

run(async browser => {
	const page = await open(browser, url, { viewport: { width: 1300, height: 800 } });
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
	await tell("the page says first that it waits, and how long", async () => {
		const mood = await page.textContent("#mood"), tile = await page.locator("#numbers > div").nth(6).textContent();
		return /^1 login waits, the longest for \d+ s$/.test(mood) && /^waiting1longest \d+ s$/.test(tile) ? null : mood + "; " + tile;
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
});
