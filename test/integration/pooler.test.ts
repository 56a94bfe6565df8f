import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { differenceOf, digestOf, EMPTY_DIGEST } from "../../src/digest.ts";
import type { Incarnation, RefUpdate } from "../../src/domain.ts";
import { Database, queryOnce } from "../../src/store/database/database.ts";
import { knownSchemaLevel, migrate } from "../../src/store/database/migrate.ts";
import { listenForHeads, notifyHeads } from "../../src/store/database/notifications.ts";
import { renewLease, takeOver } from "../../src/store/device/device-lease.ts";
import { readFold } from "../../src/store/log/fold.ts";
import { readChanges } from "../../src/store/log/ref-log.ts";
import { recordVersion } from "../../src/store/replica/record-replica.ts";
import { replicasOf } from "../../src/store/replica/replicas.ts";
import { readHeads } from "../../src/store/repository/read-heads.ts";
import { createRepository } from "../../src/store/repository/repositories.ts";
import { leaveTurn, takeTurn } from "../../src/store/write/turns.ts";
import { landWrite, settleWrite, stageWrite } from "../../src/store/write/writes.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { openSession } from "../support/open-session.ts";
import { type Pooler, startPooler } from "../support/pooler.ts";
import { findProgram } from "../support/programs.ts";
import { soon } from "../support/soon.ts";
import { create, HERE } from "../support/store-rows.ts";

const WAIT = soon(5);
const POOL_SIZE = 2;
const A = "a".repeat(40);

const program = findProgram("pgbouncer", "pgbouncer");
if ("missing" in program) console.warn(`The tests through PgBouncer are skipped: ${program.missing}.`);

describe.skipIf("missing" in program)("through PgBouncer in transaction mode", () => {
  let database: TestDatabase;
  let pooler: Pooler;
  /** The connections of three machines. */
  let machines: Database[];
  let devices: Incarnation[];

  const start = () => startPooler((program as { path: string }).path, database.url, POOL_SIZE);
  const connect = (applicationName: string) => new Database({ url: pooler.url, applicationName });

  beforeAll(async () => {
    database = await createDatabase();
    pooler = await start();
    const both = await Promise.all([migrate(pooler.url), migrate(pooler.url)]);
    expect(both.map(({ from }) => from).sort()).toEqual([0, knownSchemaLevel()]);
    machines = ["a", "b", "c"].map(connect);
    devices = await Promise.all(machines.map((db, index) => register(db, `device-${index}`)));
  });
  afterAll(async () => {
    await Promise.all(machines.map((db) => db[Symbol.asyncDispose]()));
    await pooler[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  });

  async function register(db: Database, device: string): Promise<Incarnation> {
    const addresses = { grpcAddress: "", gitAddress: "", zone: "" };
    const taken = await takeOver(db, { device, incarnation: randomUUID(), rootId: randomUUID(), ...addresses });
    if (taken.outcome !== "taken") throw new Error(`the device is ${taken.outcome}`);
    return taken.incarnation;
  }

  async function repository(db: Database): Promise<{ id: string; name: string }> {
    const name = `r-${randomUUID()}`;
    return {
      name,
      ...(await createRepository(db, { name, devices: [], defaultBranch: "main", objectFormat: "sha1" })),
    };
  }

  /** One attempt to create the ref; says whether it landed. */
  async function push(db: Database, me: Incarnation, repositoryId: string, ref: string): Promise<boolean> {
    const { head: base } = await readFold(db, repositoryId);
    const updates: RefUpdate[] = [create(ref, A)];
    const request = { writeId: randomUUID(), repositoryId, author: "ada", base, updates };
    const staged = await stageWrite(db, me, { ...request, names: updates.map(({ name }) => name) });
    if (staged.outcome !== "staged") {
      expect(staged.outcome).toBe("stale");
      return false;
    }
    const difference = differenceOf(staged.digestKey, updates);
    const bumped = await landWrite(db, me, { ...request, difference });
    if (bumped.outcome !== "landed") {
      expect(bumped.outcome).toBe("stale");
      expect(await settleWrite(db, me, request, "raced")).toEqual({ status: "dropped", reason: "raced" });
      return false;
    }
    expect(await settleWrite(db, me, request, "asked")).toEqual({ status: "landed", version: bumped.version });
    expect(await landWrite(db, me, { ...request, difference })).toEqual(bumped);
    await recordVersion(db, me, repositoryId, bumped.version, null);
    return true;
  }

  it("a session is nobody's own, so that a store that relied on one would fail here", async () => {
    await queryOnce(machines[0]!.work, "prepare left_behind as select 1 as found");
    expect(await queryOnce(machines[1]!.work, "execute left_behind")).toEqual([{ found: 1 }]);
    await queryOnce(machines[2]!.work, "deallocate left_behind");
  });

  it("many writers, readers and leases share two connections", async () => {
    const { id, name } = await repository(machines[0]!);
    let writing = true;
    const writers = Array.from({ length: 9 }, async (_, index) => {
      for (let landed = 0; landed < 3; ) {
        const ref = `refs/heads/${index}-\xff-${landed}`;
        if (await push(machines[index % 3]!, devices[index % 3]!, id, ref)) landed += 1;
      }
    });
    const others = machines.flatMap((db, index) => {
      const me = devices[index]!;
      const renewing = async () => {
        while (writing) expect(await renewLease(db, me, HERE)).toEqual(expect.any(String));
      };
      const reading = async () => {
        let last = 0n;
        while (writing) {
          const { fence, byName } = await readHeads(db, me.device, [name]);
          expect(fence).toBe(me.fence);
          expect(byName.get(name)!.version).toBeGreaterThanOrEqual(last);
          last = byName.get(name)!.version;
        }
      };
      return [renewing(), reading()];
    });
    await Promise.all(writers).finally(() => {
      writing = false;
    });
    await Promise.all(others);

    const fold = await readFold(machines[0]!, id);
    expect(fold).toMatchObject({ head: 27n, digest: digestOf(fold.digestKey, fold.refs) });
    expect(fold.refs.size).toBe(28);
    expect((await readChanges(machines[1]!, id, 0n)).changes).toHaveLength(27);
    const versions = (await replicasOf(machines[2]!, id)).map(({ version }) => version);
    expect(versions).toContain(27n);
    const [used] = await queryOnce<{ connections: bigint }>(
      machines[0]!.work,
      "select count(*) as connections from pg_stat_activity where datname = current_database()",
    );
    expect(Number(used!.connections)).toBeLessThanOrEqual(POOL_SIZE);
  });

  it("a device is taken over, and its fence keeps the old incarnation out", async () => {
    const db = machines[0]!;
    const rootId = randomUUID();
    const request = { device: "replaced", rootId, grpcAddress: "", gitAddress: "", zone: "" };
    const taken = await takeOver(db, { ...request, incarnation: randomUUID() });
    const { incarnation: old } = taken as Extract<typeof taken, { outcome: "taken" }>;
    const { id: repositoryId } = await repository(db);
    const write = { writeId: randomUUID(), repositoryId, base: 0n };
    await stageWrite(db, old, { ...write, author: "ada", names: [] });
    const ticket = { repositoryId, writeId: write.writeId, author: "ada", reason: "push" };
    expect(await takeTurn(db, old, ticket)).toBe(true);
    expect(await takeOver(db, { ...request, rootId: randomUUID(), incarnation: randomUUID() })).toMatchObject({
      outcome: "held",
    });
    expect(await takeOver(db, { ...request, incarnation: randomUUID() })).toMatchObject({
      interrupted: [repositoryId],
    });
    expect(await renewLease(db, old, HERE)).toBeUndefined();
    expect(await landWrite(db, old, { ...write, difference: EMPTY_DIGEST, updates: [] })).toEqual({
      outcome: "fenced",
    });
    const next = { ...ticket, writeId: randomUUID() };
    expect(await takeTurn(db, devices[0]!, next)).toBe(true);
    await leaveTurn(db, next.writeId);
  });

  it("heads are announced, and heard on a direct connection", async () => {
    const stop = new AbortController();
    const heard: string[] = [];
    const onReconnect = vi.fn();
    const handlers = {
      onHeads: (ids: string[]) => void heard.push(...ids),
      onReconnect,
      onCommands: () => {},
      onRegistry: () => {},
    };
    const listening = listenForHeads(
      machines[0]!,
      { url: database.url, applicationName: "direct" },
      "device-0",
      handlers,
      stop.signal,
    );
    try {
      await vi.waitUntil(() => onReconnect.mock.calls.length > 0, WAIT);
      await notifyHeads(machines[1]!, "device-1", ["x", "y"]);
      await vi.waitUntil(() => heard.length === 2, WAIT);
      expect(heard).toEqual(["x", "y"]);
    } finally {
      stop.abort();
      await listening;
    }
  });

  /** Starts a bump that waits for the row of its repository, and breaks its way with `cut`. */
  async function breakOff(direct: Database, cut: (pid: number) => Promise<unknown>) {
    const [db, me] = [machines[0]!, devices[0]!];
    const { id: repositoryId } = await repository(direct);
    const write = { writeId: randomUUID(), repositoryId, base: 0n };
    await stageWrite(direct, me, { ...write, author: "ada", names: [] });
    const holder = openSession(database.url);
    await holder.run("begin");
    await holder.run("select from lockstep.repository where id = $1 for update", [repositoryId]);
    const bumped = landWrite(db, me, { ...write, difference: EMPTY_DIGEST, updates: [] });
    bumped.catch(() => {});
    const waiting = async (other = 0) => {
      const [row] = await queryOnce<{ pid: number }>(
        direct.reads,
        `select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
           and query like '%lockstep.bump%' and pid <> $1`,
        [other],
      );
      return row?.pid;
    };
    const pid = await vi.waitUntil(waiting, WAIT);
    await cut(pid);
    return {
      ...write,
      bumped,
      untilRepeated: () => vi.waitUntil(() => waiting(pid), WAIT),
      async release() {
        await holder.run("rollback");
        await holder[Symbol.asyncDispose]();
      },
    };
  }

  it("a bump whose backend is killed is made again, and lands once", async () => {
    await using direct = new Database({ url: database.url, applicationName: "direct" });
    const write = await breakOff(direct, (pid) =>
      queryOnce(machines[1]!.work, "select pg_terminate_backend($1)", [pid]),
    );
    await write.untilRepeated();
    await write.release();
    expect(await write.bumped).toEqual({ outcome: "landed", version: 1n });
    expect((await readFold(direct, write.repositoryId)).head).toBe(1n);
  });

  it("a bump is unavailable when the pooler is killed, settle tells the truth, and a new pooler serves again", async () => {
    await using direct = new Database({ url: database.url, applicationName: "direct" });
    const write = await breakOff(direct, () => pooler.kill());
    await expect(write.bumped).rejects.toMatchObject({ code: "DATABASE_UNAVAILABLE" });
    await write.release();
    const settled = await settleWrite(direct, devices[0]!, { ...write, author: "ada" }, "unknown");
    const { head } = await readFold(direct, write.repositoryId);
    expect(settled.status).toBe(head === 1n ? "landed" : "dropped");
    await expect(readHeads(machines[1]!, "device-1", [])).rejects.toMatchObject({ code: "DATABASE_UNAVAILABLE" });
    await pooler[Symbol.asyncDispose]();
    await Promise.all(machines.map((db) => db[Symbol.asyncDispose]()));
    pooler = await start();
    machines = ["a", "b", "c"].map(connect);
    expect(await renewLease(machines[0]!, devices[0]!, HERE)).toEqual(expect.any(String));
  });
});
