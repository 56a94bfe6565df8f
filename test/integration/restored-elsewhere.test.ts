// A dump that was restored on another server, which is on a timeline of the same number: it is told apart from the one that was dumped.
import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Incarnation } from "../../src/domain.ts";
import { Database, queryOnce } from "../../src/store/database/database.ts";
import { migrate } from "../../src/store/database/migrate.ts";
import { renewLease } from "../../src/store/device/device-lease.ts";
import { readHeads } from "../../src/store/repository/read-heads.ts";
import { confirmReads } from "../../src/store/write/confirm-reads.ts";
import { administer } from "../support/administer.ts";
import { PostgresServers, replicationMissing, type Server } from "../support/postgres-servers.ts";
import { findProgram } from "../support/programs.ts";
import { create, incarnation, repository, stage } from "../support/store-rows.ts";

const dump = findProgram("pg_dump", "postgresql-client");
const missing = replicationMissing() ?? ("missing" in dump ? dump.missing : undefined);
if (missing) console.log(`skipped, a dump that was restored elsewhere: ${missing}`);

describe.skipIf(missing)("a dump that was restored on another server", () => {
  let servers: PostgresServers;
  let first: Server;
  let second: Server;
  let me: Incarnation;
  let id: string;
  beforeAll(async () => {
    servers = await PostgresServers.create();
    first = await servers.make("first", []);
    await migrate(first.url);
    await using db = new Database({ url: first.url, applicationName: "first" });
    me = await incarnation(db);
    ({ id } = await repository(db, me));
    second = await servers.make("second", []);
    const { status, stderr } = spawnSync(
      "sh",
      ["-c", `pg_dump '${first.url}' | psql -q -v ON_ERROR_STOP=1 '${second.url}'`],
      {
        encoding: "utf8",
      },
    );
    expect([status, stderr]).toEqual([0, ""]);
  });
  afterAll(async () => await servers?.[Symbol.asyncDispose]());

  it("is on a timeline of the same number, and is another server all the same", async () => {
    const walFile = "select left(pg_walfile_name(pg_current_wal_lsn()), 8) as timeline";
    const timelines: unknown[] = [];
    const names: unknown[] = [];
    for (const { url } of [first, second]) {
      await using db = new Database({ url, applicationName: "look" });
      timelines.push(...(await queryOnce<{ timeline: string }>(db.work, walFile)));
      // Twice, as a connection remembers it.
      const heads = [await readHeads(db, me.device, []), await readHeads(db, me.device, [])];
      names.push(...new Set(heads.map(({ timeline }) => timeline)));
    }
    expect(timelines).toEqual([{ timeline: "00000001" }, { timeline: "00000001" }]);
    expect(new Set(names).size).toBe(2);
  });

  it("confirms nothing that was read at the first one, and decides nothing while a device may still believe that", async () => {
    await using one = new Database({ url: first.url, applicationName: "one" });
    await using two = new Database({ url: second.url, applicationName: "two" });
    const { timeline } = await readHeads(one, me.device, []);
    const request = stage(two, me, id, 0n, [create("refs/heads/main", "a".repeat(40))]);
    await expect(request).rejects.toThrow("old_leases");
    expect(await confirmReads(one, me, timeline)).toBe("confirmed");
    expect(await confirmReads(two, me, timeline)).toBe("elsewhere");
    const here = (await renewLease(two, me, timeline)) as string;
    await renewLease(two, me, here);
    await stage(two, me, id, 0n, [create("refs/heads/main", "a".repeat(40))]);
  });

  it("needs no privilege, and goes by the timeline alone where an operator has revoked even that", async () => {
    const system = () =>
      administer(second.url, async (client) => {
        await client.query("set role plain");
        const { rows } = await client.query("select lockstep.system_identifier() as system");
        return rows[0]?.system;
      });
    await administer(second.url, async (client) => {
      await client.query("create role plain; grant usage on schema lockstep to plain");
      await client.query("alter function lockstep.system_identifier() owner to plain");
    });
    expect(await system()).toMatch(/^\d{10,}$/);
    await administer(second.url, (client) =>
      client.query("revoke execute on function pg_control_system() from public"),
    );
    expect(await system()).toBe("unknown");
  });
});
