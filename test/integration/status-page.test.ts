// The status page: what it tells of a cluster that exists as rows, and what nobody can do with it.
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Incarnation } from "../../src/domain.ts";
import { Database } from "../../src/store/database/database.ts";
import { listStatus } from "../../src/store/operator/status.ts";
import { recordVersion } from "../../src/store/replica/record-replica.ts";
import { database, db, makeDatabaseOfFile } from "../support/file-database.ts";
import { type ServedPage, servePage } from "../support/status-page.ts";
import { incarnation, repository } from "../support/store-rows.ts";

const HOSTILE = `<script>alert("x")</script>'&\u202egpj`;
const SHOWN = "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&#39;&amp;\\u202egpj";
const MANY = 120;
const MANY_MS = 60_000;

let a: Incarnation;
let b: Incarnation;
let page: ServedPage;
/** Repositories by what they are. */
const names: Record<"atRest" | "behind" | "broken" | "stopped" | "unsafe" | "writing" | "locked", string> = {} as never;
makeDatabaseOfFile();

let client: pg.Client;

async function sql(text: string, values: unknown[] = []): Promise<void> {
  await client.query(text, values);
}

async function called(name: string): Promise<string> {
  const made = await repository(db, a, b);
  await sql("update lockstep.repository set name = $2 where id = $1", [made.id, name]);
  for (const me of [a, b]) await recordVersion(db, me, made.id, 0n, null);
  return made.id;
}

async function land(id: string, version: number, author: string): Promise<void> {
  await sql(
    `with head as (update lockstep.repository set head_version = $2 where id = $1)
     insert into lockstep.ref_log (repository_id, version, write_id, device, fence, author, digest)
     values ($1, $2, gen_random_uuid(), 'a', 1, $3, 'd')`,
    [id, version, author],
  );
  await sql(
    `insert into lockstep.ref_log_update (repository_id, version, name, new_value) values ($1, $2, convert_to($3, 'UTF8'), $4)`,
    [id, version, `refs/heads/${author}`, Buffer.from("a".repeat(40))],
  );
}

beforeAll(async () => {
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
  a = await incarnation(db, { device: "a", zone: "north" });
  b = await incarnation(db, { device: "b" });
  // Nobody renews their leases.
  await sql("update lockstep.device set expires_at = now() + interval '1 hour'");
  for (const name of Object.keys({ atRest: 1, behind: 1, broken: 1, stopped: 1, unsafe: 1, writing: 1, locked: 1 }))
    names[name as keyof typeof names] = await called(`state/${name}`);
  await land(names.behind, 1, "ada");
  await sql("update lockstep.replica set version = 1 where repository_id = $1 and device = 'a'", [names.behind]);
  await sql("update lockstep.replica set state = 'broken', last_error = $2 where repository_id = $1 and device = 'b'", [
    names.broken,
    `fatal: ${HOSTILE}`,
  ]);
  await sql("update lockstep.repository set stopped = $2 where id = $1", [names.stopped, `ahead ${HOSTILE}`]);
  await sql("delete from lockstep.replica where repository_id = $1 and device = 'b'", [names.unsafe]);
  await sql(
    "insert into lockstep.write (id, repository_id, device, fence, author, reason, base_version) values (gen_random_uuid(), $1, 'a', 1, $2, $2, 0)",
    [names.writing, HOSTILE],
  );
  await sql("insert into lockstep.write_stop (repository_id, reason, author) values ($1, $2, 'olga')", [
    names.locked,
    `moving ${HOSTILE}`,
  ]);
  await sql("insert into lockstep.unknown_directory (device, path, repository) values ('a', $1, $2)", [
    `/srv/${HOSTILE}.git`,
    HOSTILE,
  ]);
  page = await servePage(db);
});
afterAll(async () => {
  await page?.[Symbol.asyncDispose]();
  await client?.end();
});

/** Waits until a page has the text: what is shown may be two seconds old. */
async function untilShown(path: string, what: string): Promise<string> {
  return await vi.waitFor(
    async () => {
      const { body } = await page.ask(path);
      expect(body).toContain(what);
      return body;
    },
    { timeout: MANY_MS, interval: 200 },
  );
}

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
      timeout: MANY_MS,
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
      MANY_MS,
    );
  });
});

describe("the list of repositories", () => {
  it.each([
    ["behind", ["behind"]],
    ["broken", ["broken"]],
    ["unsafe", ["behind", "broken", "unsafe"]],
    ["writing", ["writing"]],
    ["stopped", ["locked", "stopped"]],
  ])("shows those that are %s", async (state, expected) => {
    await untilShown("/status", "state/stopped");
    const { body } = await page.ask(`/status/repositories?state=${state}`);
    expect(listed(body)).toEqual(expected.map((name) => `state/${name}`));
  });

  it("shows directories that the database does not know, as text", async () => {
    const { body } = await page.ask("/status/repositories?state=unknown");
    expect(body).toContain(`/srv/${SHOWN}.git`);
  });

  it("has every repository once, page after page, in the order of the database", async () => {
    for (let i = 0; i < MANY; i += 1)
      await sql(
        `insert into lockstep.repository (id, name, object_format, digest_key, head_digest)
         values (gen_random_uuid(), $1, 'sha1', 'k', 'd')`,
        [`many/${i % 2 ? "b" : "A"}-${i}+x`],
      );
    const seen: string[] = [];
    let path: string | undefined = "/status/repositories";
    for (let pages = 0; path !== undefined; pages += 1) {
      expect(pages).toBeLessThan(10);
      const { body } = await page.ask(path);
      expect(listed(body).length).toBeLessThanOrEqual(50);
      seen.push(...listed(body));
      path = /rel="next" href="([^"]*)"/.exec(body)?.[1]?.replaceAll("&amp;", "&");
    }
    const all = await client.query<{ name: string }>("select name from lockstep.repository order by name");
    expect(seen).toEqual(all.rows.map(({ name }) => name));
    await sql("delete from lockstep.repository where name like 'many/%'");
  });

  it("counts all of them, however many there are", async () => {
    await sql(
      `insert into lockstep.repository (id, name, object_format, digest_key, head_digest)
       select gen_random_uuid(), 'thousands/' || i, 'sha1', 'k', 'd' from generate_series(1, 4100) i`,
    );
    const { rows: counted } = await client.query<{ all: number }>(
      "select count(*)::int as all from lockstep.repository",
    );
    const all = (counted[0]?.all ?? 0).toLocaleString("en-US");
    const body = await untilShown("/status", `<b>${all}</b> <span>in all`);
    expect(body).toMatch(/<b>4,1\d\d<\/b> <span>unsafe/);
    await sql("delete from lockstep.repository where name like 'thousands/%'");
    await untilShown("/status", "<b>7</b> <span>in all");
  });

  it("finds names that contain a text, whatever the case and whatever the text means to SQL", async () => {
    expect(listed((await page.ask("/status/repositories?q=ATREST")).body)).toEqual(["state/atRest"]);
    for (const odd of ["%25", "_", "'", "%5C", "state/a%25"])
      expect(listed((await page.ask(`/status/repositories?q=${odd}`)).body), odd).toEqual([]);
    // No name has a NUL, and PostgreSQL takes none.
    expect((await page.ask("/status/repositories?q=%00&after=%00")).status).toBe(200);
  });

  it("shows the text that was searched for as text", async () => {
    const { body } = await page.ask(`/status/repositories?q=${encodeURIComponent(HOSTILE)}`);
    expect(body).toContain(`value="${SHOWN}"`);
    expect(body).not.toContain("<script>alert");
  });

  it("takes a state that does not exist for none", async () => {
    expect((await page.ask("/status/repositories?state=%3Cscript%3E")).status).toBe(200);
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
    for (const [device, error] of [
      ["a", null],
      ["b", `no answer ${HOSTILE}`],
    ])
      await sql(
        `insert into lockstep.sync_event (repository_id, device, from_device, from_version, version, bytes, refs_changed, duration_ms, result, error)
         values ($1, $2, 'a', 0, 1, 1234, 1, 900, $3, $4)`,
        [names.behind, device, error === null ? "ok" : "failed", error],
      );
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
  await sql(
    `insert into lockstep.command (id, repository_id, repository, device, command, author, reason, state, ended_at, last_error)
     select gen_random_uuid(), $1, 'state/atRest', 'a', 'sync', $2, i::text, 'failed', now(), $2 from generate_series(1, 60) i`,
    [names.atRest, HOSTILE],
  );
  const first = await untilShown("/status/commands", SHOWN);
  const next = /rel="next" href="([^"]*)"/.exec(first)?.[1] ?? "";
  expect(rows(first) + rows((await page.ask(next)).body)).toBe(60);
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

function listed(body: string): string[] {
  return [...body.matchAll(/<th scope="row"><a href="[^"]*"><bdi>([^<]*)<\/bdi>/g)].map(([, name]) => String(name));
}

function rows(body: string): number {
  return [...body.matchAll(/<tr><th scope="row">/g)].length;
}
