// The status page: what it tells of a cluster that exists as rows.
import { describe, expect, it, vi } from "vitest";
import { listStatus } from "../../src/store/operator/status.ts";
import { db } from "../support/file-database.ts";
import {
  addCatchUps,
  addCommands,
  called,
  HOSTILE,
  land,
  names,
  page,
  SHOWN,
  SHOWN_MS,
  sql,
  startStatusPage,
  untilShown,
} from "../support/status-rows.ts";

startStatusPage();

describe("the cluster at a glance", () => {
  it("says first that all is not well, why, and which command to type", async () => {
    const body = await untilShown("/status", "state/stopped");
    const verdict = /<p id="verdict" role="status" aria-live="polite">([^<]*)</.exec(body)?.[1];
    expect(verdict).toMatch(/^Not well: state\/stopped is stopped; state\/broken is broken on b\.$/);
    expect(body).toContain('<code class="command">lockstep thaw state/stopped --promote DEVICE</code>');
    expect(body).toContain(
      '<code class="command">lockstep command enqueue repair state/broken --device b --wait</code>',
    );
    expect(body).toContain('<code class="command">lockstep write-lock --disable state/locked</code>');
    expect(body.indexOf("verdict")).toBeLessThan(body.indexOf("<table"));
    expect((await page.ask("/")).body).toContain("Not well");
  });

  it("has the numbers of `lockstep status`", async () => {
    const rows = await listStatus(db, 1_000);
    const body = await untilShown("/status", "state/stopped");
    const tile = (what: string) => Number(new RegExp(`<b>(\\d+)</b> <span>${what}`).exec(body)?.[1]);
    expect(tile("behind")).toBe(rows.filter((row) => row.behind.length > 0).length);
    expect(tile("broken")).toBe(rows.filter((row) => row.broken.length > 0).length);
    expect(tile("unsafe")).toBe(rows.filter((row) => row.unsafe).length);
    expect(tile("writing")).toBe(rows.filter((row) => row.writing).length);
    expect(tile("stopped")).toBe(rows.filter((row) => row.stopped !== null || row.writesStopped).length);
    expect(tile("in all") - tile("at rest")).toBe(rows.length);
    for (const { repository: name } of rows) expect(body).toContain(`<bdi>${name}</bdi>`);
  });

  it("shows each device: up, zone, lease, behind", async () => {
    const body = await untilShown("/status", "state/stopped");
    const row = (device: string) =>
      new RegExp(`<th scope="row">${device}</th>(.*?)</tr>`).exec(body)?.[1]?.replace(/<[^>]*>/g, "|") ?? "";
    expect(row("a")).toMatch(/up.*north.*left.*\|0\|/);
    expect(row("b")).toMatch(/up.*left.*\|1\|/);
  });

  it("shows the disk of each device as it told it, and says what to do where there is little room", async () => {
    const cell = (body: string, device: string) =>
      new RegExp(`<th scope="row">${device}</th>(.*?)</tr>`).exec(body)?.[1]?.split("<td")[6];
    const told = async (a: number | null, b: number | null) => {
      const size = "case when f.free is not null then 1e11 end";
      await sql(
        `update lockstep.device d set disk_free = f.free, disk_size = ${size}
         from (values ('a', $1::bigint), ('b', $2::bigint)) f (name, free) where d.name = f.name`,
        [a, b],
      );
    };
    expect(cell(await untilShown("/status", "state/stopped"), "b")).toMatch(/>–</);
    await told(5e10, 9e9);
    const enough = await untilShown("/status", "50.0 GB free of 100 GB");
    expect(cell(enough, "a")).toMatch(/<meter .*value="50".*50\.0 GB free of 100 GB/);
    expect(cell(enough, "a")).not.toContain("state");
    expect(cell(enough, "b")).toMatch(/<meter .*value="91".*class="state warn".*9\.0 GB free/);
    expect(enough).not.toContain("The disk of device");
    await told(9e8, 9e7);
    const little = await untilShown("/status", "The disk of device a has 900 MB free of 100 GB");
    expect(cell(little, "a")).toMatch(/class="state warn".*900 MB free/);
    expect(little).toContain('<code class="command">lockstep device drain a</code>');
    expect(cell(little, "b")).toMatch(/class="state bad".*90\.0 MB free/);
    expect(little).toMatch(/id="verdict"[^<]*>Not well: [^<]*the disk of device b is nearly full/);
    await told(null, null);
    await vi.waitFor(async () => expect((await page.ask("/status")).body).not.toContain("The disk of device"), {
      timeout: SHOWN_MS,
      interval: 200,
    });
  });

  it("tells of a device that takes no writes, of one that drains, and of one that is down", async () => {
    await sql("update lockstep.device set writes = false where name = 'a'");
    await untilShown("/status", "lockstep device set a --writes");
    await sql("update lockstep.device set writes = true, draining_since = now() where name = 'a'");
    expect(await untilShown("/status", "draining")).toContain("lockstep device show a");
    await sql(
      "update lockstep.device set draining_since = null, expires_at = now() - interval '1 hour' where name = 'a'",
    );
    expect(await untilShown("/status", "Device a has been down")).toContain("lockstep device remove a");
    await sql("update lockstep.device set expires_at = now() + interval '1 hour'");
    await vi.waitFor(
      async () => expect((await page.ask("/status")).body).not.toContain("Device a has been down"),
      SHOWN_MS,
    );
  });
});

describe("the page of one repository", () => {
  it("says its version, the last write, and where a read and a push would go now", async () => {
    const { body } = await page.ask("/status/repositories/state/behind");
    const fact = (name: string) =>
      new RegExp(`<dt>${name}</dt><dd>(.*?)</dd>`).exec(body)?.[1]?.replace(/<[^>]*>/g, "");
    expect(fact("version")).toBe("1");
    expect(fact("last writer")).toBe("ada on a");
    expect(fact("last write")).toMatch(/ago|now/);
    expect(fact("a read goes to")).toBe("a at once; b after a catch-up");
    expect(fact("a push goes to")).toBe("a at once; b after a catch-up");
    expect(body).toContain("1 version behind");
  });

  it("sends nothing to a stopped repository, and no push where writes are stopped", async () => {
    const { body: stopped } = await page.ask("/status/repositories/state/stopped");
    expect(stopped.match(/nowhere<\/span>: the repository is stopped/g)).toHaveLength(2);
    const { body: locked } = await page.ask("/status/repositories/state/locked");
    expect(locked.match(/nowhere<\/span>: writes are stopped/g)).toHaveLength(1);
    expect(locked).toContain("a and b at once");
  });

  it("shows who writes and who waits", async () => {
    await sql(
      "insert into lockstep.turn (repository_id, write_id, device, author, reason, expires_at) values ($1, gen_random_uuid(), 'b', 'grace', 'a merge', now() + interval '1 hour')",
      [names.writing],
    );
    const body = await untilShown("/status/repositories/state/writing", "grace");
    expect(body).toContain(`<bdi>${SHOWN}</bdi> writes on a`);
    expect(body).toContain("a merge");
  });

  it("draws catch-ups, those that failed too, and lists them", async () => {
    await addCatchUps();
    const body = await untilShown("/status/repositories/state/behind", "no answer");
    expect(body).toContain('role="img" aria-label="b: 1 catch-up, 1 failed, the longest took 900 ms"');
    expect(body.match(/<rect class="failed"/g)).toHaveLength(1);
    expect(body).toContain("1.2 KB");
  });

  it("goes through the whole log, page after page", async () => {
    const id = await called("log/long");
    for (let version = 1; version <= 45; version += 1) await land(id, version, `${HOSTILE}-${version}`);
    const seen: number[] = [];
    let path: string | undefined = "/status/repositories/log/long";
    for (let pages = 0; path !== undefined; pages += 1) {
      expect(pages).toBeLessThan(5);
      const { body } = await page.ask(path);
      const log = body.slice(body.indexOf('id="log"'), body.indexOf('id="commands"'));
      seen.push(...[...log.matchAll(/<tr><th scope="row">(\d+)</g)].map(([, version]) => Number(version)));
      expect(log).toContain(`${SHOWN}-`);
      path = /rel="next" href="([^"#]*)/.exec(log)?.[1];
    }
    expect(seen).toEqual(Array.from({ length: 45 }, (_, index) => 45 - index));
  });

  it.each(["no/such", "../etc", "%3Cscript%3E", "%E0%A4%A", "a%00b"])("says that there is no %s", async (name) => {
    const { status, body } = await page.ask(`/status/repositories/${name}`);
    expect(status).toBe(404);
    expect(body).not.toContain("<script>");
  });
});

it("shows the commands of the queue, page after page", async () => {
  await addCommands(60);
  const first = await untilShown("/status/commands", SHOWN);
  const next = /rel="next" href="([^"]*)"/.exec(first)?.[1] ?? "";
  expect(rows(first) + rows((await page.ask(next)).body)).toBe(60);
});

function rows(body: string): number {
  return [...body.matchAll(/<tr><th scope="row">/g)].length;
}
