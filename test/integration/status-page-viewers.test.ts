// Who looks at the status page, and what nobody can do with it.
import { beforeAll, describe, expect, it } from "vitest";
import { Database } from "../../src/store/database/database.ts";
import { database, db } from "../support/file-database.ts";
import { servePage } from "../support/status-page.ts";
import { addCatchUps, addCommands, HOSTILE, land, names, page, startStatusPage } from "../support/status-rows.ts";

startStatusPage();
beforeAll(async () => {
  await addCatchUps();
  await addCommands(3);
  await land(names.behind, 2, HOSTILE);
});

describe("everybody who looks", () => {
  const ALL = ["/", "/status", "/status/repositories", "/status/repositories/state/broken", "/status/commands"];

  it.each([
    ...ALL,
    "/status/nothing",
    "/status/files/status.css",
    "/status/files/status.js",
    "/status/files/morphdom.js",
  ])("is told by %s that nothing from elsewhere may run", async (path) => {
    const { headers, status } = await page.ask(path);
    expect(status).toBe(path === "/status/nothing" ? 404 : 200);
    const policy = String(headers["content-security-policy"]);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|\*|data:|http/);
    expect(headers).toMatchObject({ "cache-control": "no-store", "x-content-type-options": "nosniff" });
  });

  it.each([...ALL, ...["stopped", "writing", "behind", "locked"].map((name) => `/status/repositories/state/${name}`)])(
    "sees at %s no script, style or handler of a stranger",
    async (path) => {
      const { body } = await page.ask(path);
      const tags = [...body.matchAll(/<[a-z][^>]*>/g)].map(([tag]) => tag);
      expect(tags.filter((tag) => /\son[a-z]+=|\sstyle=|<style|javascript:/i.test(tag))).toEqual([]);
      expect(tags.filter((tag) => tag.startsWith("<script")).every((tag) => / src="\/status\/files\//.test(tag))).toBe(
        true,
      );
      expect(body).not.toContain("\u202e");
      expect(body).not.toContain('alert("x")');
    },
  );

  it("uses a name of this server: a page elsewhere cannot read it under its own name", async () => {
    expect((await page.ask("/status", { host: "evil.example" })).status).toBe(421);
    expect((await page.ask("/status", { host: "repo001.example:7422" })).status).toBe(200);
  });

  it("asks the database together: thirty viewers cost what three cost", async () => {
    let statements = 0;
    const counted = new Database({ url: database.url, applicationName: "counted" });
    const { connect } = counted.work;
    counted.work.connect = (async () => {
      statements += 1;
      return await (connect as () => Promise<unknown>).call(counted.work);
    }) as never;
    await using served = await servePage(counted);
    const paths = ["/status", "/status/repositories/state/behind", "/status/repositories"];
    await served.ask("/status");
    const ofOne = statements;
    statements = 0;
    const asked = Array.from({ length: 30 }, (_, index) => served.ask(paths[index % paths.length] as string));
    expect((await Promise.all(asked)).every(({ status }) => status === 200)).toBe(true);
    // One survey at most, one repository, one list.
    expect(statements).toBeLessThanOrEqual(ofOne + 12);
    await counted[Symbol.asyncDispose]();
  });

  it("is refused while as many wait for a database that is silent, and those are told so", async () => {
    const silent = new Database({ url: database.url, applicationName: "silent" });
    silent.work.connect = (() => new Promise(() => {})) as never;
    await using served = await servePage(silent);
    const answers = await Promise.all(Array.from({ length: 48 }, () => served.ask("/status")));
    expect(answers.every(({ status }) => status === 503)).toBe(true);
    const refused = answers.filter(({ body }) => body.includes("as many questions as it can"));
    const waited = answers.filter(({ body }) => body.includes("not done yet"));
    expect(refused.length).toBeGreaterThan(0);
    expect(waited.length).toBeGreaterThanOrEqual(32);
    expect(refused.length + waited.length).toBe(48);
    await silent[Symbol.asyncDispose]();
  });

  it("is told that the page is turned off, where it is", async () => {
    await using served = await servePage(db, { turnedOff: true });
    for (const path of ["/", "/status", "/status/repositories", "/status/files/status.js"])
      expect(await served.ask(path)).toMatchObject({ status: 404, body: expect.stringContaining("--status-page on") });
  });

  it("is told within seconds that the database does not answer", async () => {
    const away = new Database({ url: "postgres://nobody@127.0.0.1:1/none", applicationName: "away" });
    await using served = await servePage(away);
    for (const path of ["/status", "/status/repositories/state/behind"]) {
      const { status, body } = await served.ask(path);
      expect(status).toBe(503);
      expect(body).toContain("PostgreSQL does not answer");
    }
    await away[Symbol.asyncDispose]();
  });
});
