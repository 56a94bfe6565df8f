// The status page in Chromium, before a cluster with faults: a device that is away, a repository that is behind, one
// that is stopped, a replica that cannot be made, and directories that nobody knows.
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { administer } from "../support/administer.ts";
import { barriers, CHROMIUM, startBrowser, view } from "../support/browser.ts";
import { PATIENCE } from "../support/cluster-device.ts";
import { ada, cluster, one, proxy, startClusterOfFile, three, two } from "../support/file-cluster.ts";
import { soon } from "../support/soon.ts";

const MISSING = "missing" in CHROMIUM ? CHROMIUM.missing : undefined;
if (MISSING) console.warn(`The tests of the status page in a browser are skipped: ${MISSING}.`);

const NAMES = ["docs/handbook", "infra/deploy", "infra/dns", "mobile/ios", "team/api", "team/app", "team/web"];
const HOSTILE = `<img src=x onerror=alert(1)>"\u202egpj`;
const SOON = soon(200);
const PAGES = ["/", "/status/repositories", "/status/repositories/team/app", "/status/commands"];

describe.skipIf(MISSING !== undefined)("the status page in a browser", () => {
  startClusterOfFile({ behindProxy: true, shortWaits: true });
  let browser: Browser;

  beforeAll(async () => {
    browser = await startBrowser();
    for (const repository of NAMES) await one.call("CreateRepository", { repository }, PATIENCE);
    let tip: string | undefined;
    for (let count = 0; count < 12; count += 1) {
      tip = await ada.commit(tip);
      await ada.land(
        (count % 2 ? one : two).url("team/app"),
        `${tip}:refs/heads/main`,
        `${tip}:refs/heads/work-${count}`,
      );
    }
    for (const repository of NAMES) await ada.land(two.url(repository), `${tip}:refs/heads/release`);
    // A file lies where a replica should be made.
    await two.kill();
    const place = two.gitDir("security/keys");
    await mkdir(dirname(place), { recursive: true });
    await writeFile(place, "not a repository");
    const on = cluster.devices.map(({ name }) => name);
    await one.call("CreateRepository", { repository: "security/keys", devices: on }, PATIENCE);
    // A sidecar scans its root when it starts, and later at its leisure.
    await cluster.git.git(["init", "--quiet", "--bare", join(two.demo.root, "old", "legacy.git")]);
    await cluster.git.git(["init", "--quiet", "--bare", join(two.demo.root, "old", `${HOSTILE}.git`)]);
    await two.start();
    await administer(cluster.databaseUrl, (client) =>
      client.query("update lockstep.repository set stopped = $1 where name = 'infra/dns'", [
        "repo002 holds version 2, which the database has lost",
      ]),
    );
    await three.kill();
    tip = await ada.commit(tip);
    await ada.land(one.url("team/app"), `${tip}:refs/heads/main`);
    await vi.waitFor(async () => {
      const { document } = await one.lockstep("status");
      const down = document.devices.find(({ name }: { name: string }) => name === three.name);
      const broken = document.repositories.find(({ name }: { name: string }) => name === "security/keys");
      expect([down?.live, broken?.broken, document.unknown.length]).toEqual([false, [two.name], 2]);
    }, SOON);
  });
  afterAll(async () => {
    await browser?.close();
  });

  it("shows the faults, each with what to do, and `lockstep status` says the same", async () => {
    await using viewer = await view(browser, `${one.demo.http}/`);
    const { page, complaints } = viewer;
    const verdict = page.getByRole("status");
    await vi.waitFor(async () => expect(await verdict.textContent()).toMatch(/^Not well: /), SOON);
    const toDo = page.getByRole("region", { name: "What to do" });
    for (const said of [
      "infra/dns is stopped",
      "lockstep thaw infra/dns --promote DEVICE",
      "security/keys has a replica that nobody can use (repo002)",
      "Device repo003 has been down",
      "lockstep device remove repo003",
      "The database does not know 2 directories",
      "lockstep repo adopt old/legacy",
    ])
      expect(await toDo.textContent()).toContain(said);
    const { document } = await one.lockstep("status");
    const table = page.getByRole("table", { name: "Repositories that are not at rest" });
    expect(await table.getByRole("rowheader").allTextContents()).toEqual(
      document.repositories.map(({ name }: { name: string }) => name),
    );
    expect(await table.getByRole("row", { name: "team/app" }).textContent()).toContain("behind: repo003");
    const device = page.getByRole("table", { name: "Devices of the cluster" }).getByRole("row", { name: "repo003" });
    expect(await device.textContent()).toMatch(/down for/);
    expect(complaints).toEqual([]);
  });

  it.each(["light", "dark"] as const)("has no barrier that axe finds, and no complaint, in %s", async (colorScheme) => {
    const grounds = new Set<string>();
    for (const path of [...PAGES, "/status/repositories?state=unknown", "/status/repositories/security/keys"]) {
      await using viewer = await view(browser, `${one.demo.http}${path}`, { colorScheme });
      const { page, complaints } = viewer;
      expect(await barriers(page), path).toEqual([]);
      expect(complaints, path).toEqual([]);
      grounds.add(await page.evaluate("getComputedStyle(document.body).backgroundColor"));
    }
    expect([...grounds]).toEqual([colorScheme === "dark" ? "rgb(17, 22, 28)" : "rgb(246, 247, 249)"]);
  });

  it("shows a hostile name as text", async () => {
    await using viewer = await view(browser, `${one.demo.http}/status/repositories?state=unknown`);
    const { page, complaints } = viewer;
    const names = await page.getByRole("table").getByRole("rowheader").allTextContents();
    expect(names.some((name) => name.endsWith(`/old/<img src=x onerror=alert(1)>"\\u202egpj.git`))).toBe(true);
    expect(await page.locator("main img").count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  it("says everything without JavaScript, and searches", async () => {
    await using viewer = await view(browser, `${one.demo.http}/`, { javaScriptEnabled: false });
    const { page } = viewer;
    expect(await page.getByRole("status").textContent()).toMatch(/^Not well: /);
    expect(await page.locator("#live").textContent()).toBe("as of when the page was loaded");
    await page.getByRole("link", { name: "Repositories" }).click();
    await page.getByRole("searchbox").fill("MOBILE");
    await page.getByRole("button", { name: "Search" }).click();
    expect(await page.getByRole("rowheader").allTextContents()).toEqual(["mobile/ios"]);
    await page.getByRole("link", { name: "mobile/ios" }).click();
    expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe("mobile/ios");
    expect(await page.getByRole("table", { name: "Replicas of this repository" }).getByRole("row").count()).toBe(4);
  });

  it("is used with the keyboard alone", async () => {
    await using viewer = await view(browser, `${one.demo.http}/status/repositories`);
    const { page, complaints } = viewer;
    await page.keyboard.press("Tab");
    // It comes into view when it has the focus.
    expect(await page.evaluate("document.activeElement.textContent")).toBe("Skip to the content");
    expect(await page.evaluate("document.activeElement.getBoundingClientRect().left")).toBeGreaterThanOrEqual(0);
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    await page.keyboard.type("team/a");
    expect(await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")).toBe("solid");
    await page.keyboard.press("Enter");
    await page.waitForURL(/q=team%2Fa/);
    expect(await page.getByRole("rowheader").allTextContents()).toEqual(["team/api", "team/app"]);
    // To a filter, which is a link.
    await page.getByRole("link", { name: /^behind/ }).focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(/state=behind/);
    expect(await page.getByRole("rowheader").allTextContents()).toEqual(["team/app"]);
    expect(complaints).toEqual([]);
  });

  it("shows one repository: the last write, where a read and a push go, and its catch-ups", async () => {
    await using viewer = await view(browser, `${one.demo.http}/status/repositories/team/app`);
    const text = (await viewer.page.locator("main").textContent()) ?? "";
    const { document } = await one.lockstep("repo", "show", "team/app");
    expect(text).toContain(`version${document.version}`);
    expect(text).toContain("repo001 and repo002 at once");
    expect(text).toContain("no: the device is down");
    expect(await viewer.page.getByRole("img", { name: /^repo002: .*catch-up/ }).count()).toBe(1);
    const log = viewer.page.getByRole("table", { name: "Versions, the newest first" }).getByRole("rowheader");
    expect((await log.allTextContents()).map(Number)).toEqual(
      document.log.map(({ version }: { version: number }) => version),
    );
  });

  it("changes by itself, and leaves focus, what is typed and what is open as they are", async () => {
    await using viewer = await view(browser, `${one.demo.http}/status/repositories`);
    await using second = await view(browser, `${one.demo.http}/status/repositories/team/app`);
    const { page, complaints } = viewer;
    await page.evaluate("window.isStillTheSame = true");
    await second.page.evaluate("window.isStillTheSame = true");
    await page.getByRole("searchbox").fill("half a na");
    const row = page.getByRole("row", { name: "team/app" });
    expect(await row.textContent()).toContain("behind: repo003");
    await second.page.getByRole("link", { name: "Commands" }).focus();
    await three.start();
    await vi.waitFor(async () => expect(await row.textContent()).toContain("at rest"), SOON);
    await vi.waitFor(
      async () =>
        expect(await second.page.locator("main").textContent()).toContain("repo001, repo002 and repo003 at once"),
      SOON,
    );
    expect(await page.getByRole("searchbox").inputValue()).toBe("half a na");
    expect(await page.evaluate("document.activeElement.id")).toBe("q");
    expect(await second.page.evaluate("document.activeElement.textContent")).toBe("Commands");
    for (const each of [viewer, second]) {
      expect(await each.page.evaluate("window.isStillTheSame")).toBe(true);
      expect(await each.page.locator("#live").textContent()).toBe("live");
    }
    expect([...complaints, ...second.complaints]).toEqual([]);
  });

  it("says by itself when PostgreSQL does not answer, with what it knew, and when it is back", async () => {
    await using viewer = await view(browser, `${one.demo.http}/`);
    const { page } = viewer;
    proxy.cut();
    const verdict = page.getByRole("status");
    const away = "Not well: PostgreSQL does not answer this device.";
    await vi.waitFor(async () => expect(await verdict.textContent()).toBe(away), SOON);
    const text = await page.locator("main").textContent();
    expect(text).toContain("No acknowledged push is lost");
    expect(text).toContain("infra/dns");
    proxy.mend();
    await vi.waitFor(async () => expect(await verdict.textContent()).toContain("infra/dns is stopped"), SOON);
  });
});
