// A cluster that exists as rows, and its status page (../integration/status-page*.test.ts). Texts of strangers in it are
// those of somebody who attacks the viewers.
import pg from "pg";
import { afterAll, beforeAll, expect, vi } from "vitest";
import type { Incarnation } from "../../src/domain.ts";
import { recordVersion } from "../../src/store/replica/record-replica.ts";
import { database, db, makeDatabaseOfFile } from "./file-database.ts";
import { type ServedPage, servePage } from "./status-page.ts";
import { incarnation, repository } from "./store-rows.ts";

export const HOSTILE = `<script>alert("x")</script>'&\u202egpj`;
export const SHOWN = "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&#39;&amp;\\u202egpj";
/** What is shown may be two seconds old, and the machine may be busy. */
export const SHOWN_MS = 60_000;

export let a: Incarnation;
export let b: Incarnation;
export let page: ServedPage;
/** Repositories by what they are. */
export const names: Record<"atRest" | "behind" | "broken" | "stopped" | "unsafe" | "writing" | "locked", string> =
  {} as never;
export let client: pg.Client;

export async function sql(text: string, values: unknown[] = []): Promise<void> {
  await client.query(text, values);
}

export async function called(name: string): Promise<string> {
  const made = await repository(db, a, b);
  await sql("update lockstep.repository set name = $2 where id = $1", [made.id, name]);
  for (const me of [a, b]) await recordVersion(db, me, made.id, 0n, null);
  return made.id;
}

export async function land(id: string, version: number, author: string): Promise<void> {
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

/** Waits until a page has the text: what is shown may be two seconds old. */
export async function untilShown(path: string, what: string): Promise<string> {
  return await vi.waitFor(
    async () => {
      const { body } = await page.ask(path);
      expect(body).toContain(what);
      return body;
    },
    { timeout: SHOWN_MS, interval: 200 },
  );
}

/** Makes the rows before the tests of the calling file, and serves the page. */
export function startStatusPage(): void {
  makeDatabaseOfFile();
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
    await sql(
      "update lockstep.replica set state = 'broken', last_error = $2 where repository_id = $1 and device = 'b'",
      [names.broken, `fatal: ${HOSTILE}`],
    );
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
}

/** Adds a catch-up of each device, of which the second one failed. */
export async function addCatchUps(): Promise<void> {
  for (const [device, error] of [
    ["a", null],
    ["b", `no answer ${HOSTILE}`],
  ])
    await sql(
      `insert into lockstep.sync_event (repository_id, device, from_device, from_version, version, bytes, refs_changed, duration_ms, result, error)
       values ($1, $2, 'a', 0, 1, 1234, 1, 900, $3, $4)`,
      [names.behind, device, error === null ? "ok" : "failed", error],
    );
}

/** Adds commands that have failed. */
export async function addCommands(count: number): Promise<void> {
  await sql(
    `insert into lockstep.command (id, repository_id, repository, device, command, author, reason, state, ended_at, last_error)
     select gen_random_uuid(), $1, 'state/atRest', 'a', 'sync', $2, i::text, 'failed', now(), $2 from generate_series(1, $3) i`,
    [names.atRest, HOSTILE, count],
  );
}
