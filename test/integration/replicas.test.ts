import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { digestOf, EMPTY_DIGEST } from "../../src/digest.ts";
import type { Incarnation, ReplicaState } from "../../src/domain.ts";
import { enqueueRepairs, FIRST_REPOSITORY } from "../../src/store/command/repairs.ts";
import { Database, queryOnce } from "../../src/store/database/database.ts";
import { releaseLease, takeOver } from "../../src/store/device/device-lease.ts";
import { readFold } from "../../src/store/log/fold.ts";
import { listStatus } from "../../src/store/operator/status.ts";
import { lastSync, recordFailure, recordVersion } from "../../src/store/replica/record-replica.ts";
import { listReplicas, recordedVersion, replicaName, replicasOf } from "../../src/store/replica/replicas.ts";
import { recentSyncs } from "../../src/store/replica/sync-events.ts";
import { readHeads } from "../../src/store/repository/read-heads.ts";
import { createRepository, findRepository, listRepositories } from "../../src/store/repository/repositories.ts";
import { getWrite } from "../../src/store/write/find-write.ts";
import { landWrite, settleWrite, stageWrite } from "../../src/store/write/writes.ts";
import { administer } from "../support/administer.ts";
import { migratedDatabase, type TestDatabase } from "../support/database.ts";
import { refsFrom } from "../support/refs.ts";
import { HERE, incarnation } from "../support/store-rows.ts";

const ROOT = randomUUID();
const WITH_REPLICA: ReplicaState[] = ["pending", "active", "broken"];
const WITHOUT: ReplicaState[] = ["released", "destroyed"];

let database: TestDatabase;
let db: Database;
let me: Incarnation;
let other: Incarnation;
let name: string;
let id: string;

const start = (device: string) => incarnation(db, { device, gitAddress: `${device}:7421`, zone: "a" });

beforeAll(async () => {
  database = await migratedDatabase();
  db = new Database({ url: database.url, applicationName: "replicas" });
});
afterAll(async () => {
  await db[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});
beforeEach(async () => {
  [me, other] = [await start("mine"), await start("other")];
  name = `r-${randomUUID()}`;
  id = await repository(name, "mine", "other");
});

async function repository(called: string, ...devices: string[]): Promise<string> {
  const request = { name: called, devices, defaultBranch: "main", objectFormat: "sha1" } as const;
  return (await createRepository(db, request)).id;
}

/** Lands a write that changes no ref, on version `base`. */
async function land(base: bigint): Promise<void> {
  const write = { writeId: randomUUID(), repositoryId: id, base };
  await stageWrite(db, me, { ...write, author: "ada", names: [] });
  const bumped = await landWrite(db, me, { ...write, digest: EMPTY_DIGEST, updates: [] });
  expect(bumped).toEqual({ outcome: "landed", version: base + 1n });
}

async function setState(state: ReplicaState, device = "mine"): Promise<void> {
  const values = [id, device, state];
  await queryOnce(db.work, "update lockstep.replica set state = $3 where repository_id = $1 and device = $2", values);
}

async function row(device = "mine"): Promise<Record<string, unknown>> {
  const [found] = await queryOnce(
    db.work,
    `select version, state, last_error, attempts, extract(epoch from next_attempt_at - clock_timestamp())::float as wait
     from lockstep.replica where repository_id = $1 and device = $2`,
    [id, device],
  );
  return found!;
}

const failure = { error: "no route", broken: false, fromVersion: 0n, version: 1n, durationMs: 12.4 };
/** Returns whether a look at everything enqueues a command for the replica. Takes the commands back. */
async function isBehind(): Promise<boolean> {
  const search = {
    everything: true,
    positions: [0n, 0n] as const,
    page: { after: FIRST_REPOSITORY, size: 10 },
    room: 1e6,
  };
  await enqueueRepairs(db, me, search);
  const found = await queryOnce(
    db.work,
    "delete from lockstep.command where device = 'mine' returning repository_id",
    [],
  );
  return found.some((each) => each.repository_id === id);
}

describe("a replica", () => {
  it("is pending at version 0 until its device says what it has", async () => {
    expect(await replicasOf(db, id)).toMatchObject([
      {
        device: "mine",
        version: 0n,
        state: "pending",
        lastError: null,
        live: true,
        gitAddress: "mine:7421",
        zone: "a",
      },
      { device: "other", version: 0n, state: "pending" },
    ]);
    expect(await recordedVersion(db, "mine", id)).toBe(0n);
    expect(await replicaName(db, "mine", id)).toBe(name);
  });

  it("is not moved by a bump, not even that of the device that wrote", async () => {
    await land(0n);
    for (const device of ["mine", "other"]) expect(await recordedVersion(db, device, id)).toBe(0n);
  });

  it("is not found on a device that has none", async () => {
    const notFound = expect.objectContaining({
      code: "REPLICA_NOT_FOUND",
      message: expect.stringMatching(
        /^Device third has no replica .*; ask a device that has one, `lockstep repo show NAME`/,
      ),
    });
    await expect(recordedVersion(db, "third", id)).rejects.toEqual(notFound);
    await expect(replicaName(db, "third", id)).rejects.toEqual(notFound);
    expect(await listReplicas(db, "third", [id])).toEqual([]);
  });

  it("is live as long as its device's lease", async () => {
    await releaseLease(db, me);
    expect((await replicasOf(db, id)).map(({ live }) => live)).toEqual([false, true]);
  });

  it.each([...WITH_REPLICA, ...WITHOUT])("is listed among those of its device or not when %s", async (state) => {
    await setState(state);
    const expected = WITH_REPLICA.includes(state)
      ? [{ repositoryId: id, name, objectFormat: "sha1", updateLimitMs: null }]
      : [];
    expect(await listReplicas(db, "mine", [id, randomUUID()])).toEqual(expected);
  });
});

describe("recordVersion", () => {
  const event = { fromDevice: "other", fromVersion: 0n, bytes: 2 ** 40, refsChanged: 3, durationMs: 1.6 };

  it("makes the replica active at that version, with the catch-up that brought it", async () => {
    await land(0n);
    await recordVersion(db, me, id, 1n, event);
    expect(await row()).toMatchObject({ version: 1n, state: "active" });
    expect(await row("other")).toMatchObject({ version: 0n, state: "pending" });
    expect(await lastSync(db, "mine", id)).toEqual({ fromDevice: "other", bytes: BigInt(2 ** 40), refsChanged: 3 });
    expect(await lastSync(db, "other", id)).toBeUndefined();
  });

  /** As if so many writes had landed. */
  const headIs = (version: bigint) =>
    queryOnce(db.work, "update lockstep.repository set head_version = $2 where id = $1", [id, version]);

  it("never takes a version back", async () => {
    await headIs(5n);
    await recordVersion(db, me, id, 5n, null);
    await recordVersion(db, me, id, 3n, null);
    expect(await recordedVersion(db, "mine", id)).toBe(5n);
  });

  it("records no catch-up when there was none", async () => {
    await recordVersion(db, me, id, 1n, null);
    expect(await lastSync(db, "mine", id)).toBeUndefined();
  });

  it("keeps the newest hundred catch-ups of each replica", async () => {
    await headIs(1n);
    await recordVersion(db, other, id, 1n, { ...event, refsChanged: 1000 });
    for (let refsChanged = 1; refsChanged <= 103; refsChanged += 1)
      await recordVersion(db, me, id, 1n, { ...event, refsChanged });
    const kept = (await recentSyncs(db, id, 1000)).map((row) => row.refsChanged);
    expect(kept).toEqual([...Array.from({ length: 100 }, (_, index) => 103 - index), 1000]);
  });

  it("clears the error and the back-off that earlier failures left", async () => {
    await headIs(1n);
    await recordFailure(db, me, id, { ...failure, broken: true });
    await recordVersion(db, me, id, 1n, event);
    expect(await row()).toEqual({ version: 1n, state: "active", last_error: null, attempts: 0, wait: null });
  });

  it("is refused to an incarnation that was replaced", async () => {
    const successor = await start("mine");
    await expect(recordVersion(db, me, id, 1n, event)).rejects.toMatchObject({ code: "FENCED" });
    expect(await row()).toMatchObject({ version: 0n, state: "pending" });
    expect(await lastSync(db, "mine", id)).toBeUndefined();
    await recordVersion(db, successor, id, 1n, event);
  });

  it.each(WITHOUT)("does not bring back a replica that was %s", async (state) => {
    await setState(state);
    await expect(recordVersion(db, me, id, 1n, event)).rejects.toMatchObject({ code: "REPLICA_NOT_FOUND" });
    expect(await row()).toMatchObject({ version: 0n, state });
    expect(await lastSync(db, "mine", id)).toBeUndefined();
  });
});

describe("recordFailure", () => {
  it("keeps the reason, and tries again later and later, after five minutes at the most", async () => {
    for (const seconds of [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]) {
      await recordFailure(db, me, id, failure);
      const { wait, ...rest } = await row();
      expect(rest).toMatchObject({ state: "pending", last_error: "no route" });
      // Spread by a fifth, so that devices do not come back all at once; the statement itself took a moment.
      expect(wait).toBeGreaterThan(seconds * 0.8 - 0.5);
      expect(wait).toBeLessThanOrEqual(seconds * 1.2);
    }
    expect(await row()).toMatchObject({ attempts: 11 });
    expect(await lastSync(db, "mine", id)).toBeUndefined();
  });

  it("cuts a long reason", async () => {
    await recordFailure(db, me, id, { ...failure, error: "x".repeat(5000) });
    expect((await row()).last_error).toBe("x".repeat(2000));
  });

  it.each<[ReplicaState, ReplicaState]>([
    ["pending", "broken"],
    ["active", "broken"],
    ["broken", "broken"],
    ["released", "released"],
    ["destroyed", "destroyed"],
  ])("moves a replica that is %s to %s when its disk is in doubt", async (before, after) => {
    await setState(before);
    await recordFailure(db, me, id, { ...failure, broken: true });
    expect(await row()).toMatchObject({ state: after });
  });

  it("is ignored from an incarnation that was replaced", async () => {
    await start("mine");
    await recordFailure(db, me, id, failure);
    expect(await row()).toMatchObject({ attempts: 0, last_error: null });
  });
});

describe("the repair loop", () => {
  it("finds replicas that are pending, behind or broken, and not those at the head", async () => {
    expect(await isBehind()).toBe(true);
    await recordVersion(db, me, id, 0n, null);
    expect(await isBehind()).toBe(false);
    await land(0n);
    expect(await isBehind()).toBe(true);
    await recordVersion(db, me, id, 1n, null);
    expect(await isBehind()).toBe(false);
    await setState("broken");
    expect(await isBehind()).toBe(true);
  });

  it.each(WITHOUT)("finds no replica that is %s", async (state) => {
    await setState(state);
    expect(await isBehind()).toBe(false);
  });

  it("finds a replica that failed only when it is due", async () => {
    await recordFailure(db, me, id, failure);
    expect(await isBehind()).toBe(false);
    await queryOnce(
      db.work,
      "update lockstep.replica set next_attempt_at = clock_timestamp() where repository_id = $1",
      [id],
    );
    expect(await isBehind()).toBe(true);
  });
});

describe("listStatus", () => {
  const unrest = async () => (await listStatus(db, 1000)).find(({ repository }) => repository === name);

  it("says who is behind, who is broken, who leads and whether somebody writes", async () => {
    await recordVersion(db, me, id, 0n, null);
    expect(await unrest()).toMatchObject({
      head: 0n,
      leaders: ["mine"],
      behind: ["other"],
      broken: [],
      writing: false,
    });
    await recordVersion(db, other, id, 0n, null);
    expect(await unrest()).toBeUndefined();
    const write = { writeId: randomUUID(), repositoryId: id, base: 0n, author: "ada", names: [] };
    await stageWrite(db, me, write);
    expect(await unrest()).toMatchObject({ leaders: ["mine", "other"], behind: [], writing: true });
    await settleWrite(db, me, write, "enough");
    await land(0n);
    expect(await unrest()).toMatchObject({ head: 1n, leaders: [], behind: ["mine", "other"], writing: false });
    await recordVersion(db, me, id, 1n, null);
    await setState("broken", "other");
    expect(await unrest()).toMatchObject({ leaders: ["mine"], behind: [], broken: ["other"] });
  });

  it("has a head that is on one device only", async () => {
    await setState("released", "other");
    await recordVersion(db, me, id, 0n, null);
    expect(await unrest()).toMatchObject({ leaders: ["mine"], behind: [], broken: [] });
  });
});

describe("createRepository", () => {
  it("makes version 0, whose only ref is HEAD", async () => {
    const request = { name: `r-${randomUUID()}`, devices: ["mine", "mine"], defaultBranch: "trunk" };
    const made = await createRepository(db, { ...request, objectFormat: "sha256" });
    expect(made.devices).toEqual(["mine"]);
    const { digestKey, ...fold } = await readFold(db, made.id);
    const refs = refsFrom({ HEAD: "ref: refs/heads/trunk" });
    const digest = digestOf(digestKey, refs);
    expect(fold).toEqual({ head: 0n, digest, refs, replicated: false, timeline: HERE });
    expect(digestKey).toHaveLength(32);
    expect(await findRepository(db, request.name)).toMatchObject({
      id: made.id,
      name: request.name,
      objectFormat: "sha256",
      headVersion: 0n,
      headDigest: digest,
      minCopies: 1,
      landWithFewer: false,
      placement: ["mine"],
      stopped: null,
    });
  });

  it("has replicas on all devices when none is named, also on those that are down", async () => {
    await releaseLease(db, other);
    const request = { name: `r-${randomUUID()}`, devices: [], defaultBranch: "main" };
    expect((await createRepository(db, { ...request, objectFormat: "sha1" })).devices).toEqual(["mine", "other"]);
  });

  it("is refused for a name that is taken, a device that never was, and when there is no device", async () => {
    await expect(repository(name, "mine")).rejects.toMatchObject({ code: "REPOSITORY_EXISTS" });
    const another = `r-${randomUUID()}`;
    await expect(repository(another, "mine", "nobody")).rejects.toMatchObject({ code: "DEVICE_NOT_FOUND" });
    await queryOnce(db.work, "update lockstep.device set draining_since = now()");
    await expect(repository(another)).rejects.toMatchObject({ code: "DEVICE_NOT_FOUND" });
    await expect(findRepository(db, another)).rejects.toMatchObject({ code: "REPOSITORY_NOT_FOUND" });
    await queryOnce(db.work, "update lockstep.device set draining_since = null");
  });

  it("succeeds for one of two at the same time", async () => {
    const wanted = `r-${randomUUID()}`;
    const both = await Promise.allSettled([repository(wanted, "mine"), repository(wanted, "other")]);
    expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(both).toContainEqual({
      status: "rejected",
      reason: expect.objectContaining({ code: "REPOSITORY_EXISTS" }),
    });
  });
});

describe("listRepositories", () => {
  it("goes through the names page by page", async () => {
    const names = ["zz/1", "zz/2", "zz/3"];
    for (const each of names) await repository(each, "mine");
    const page = async (after: string) => (await listRepositories(db, after, 2)).map((each) => each.name);
    expect(await page("zz/0")).toEqual(["zz/1", "zz/2"]);
    expect(await page("zz/2")).toEqual(["zz/3"]);
  });
});

describe("readHeads", () => {
  const digestAt = async (repository: string) => (await findRepository(db, repository)).headDigest.toString("hex");

  it("has the heads of known names with this device's replica, and its fence, in one answer", async () => {
    await land(0n);
    const foreign = `r-${randomUUID()}`;
    const foreignId = await repository(foreign, "other");
    await recordVersion(db, me, id, 0n, null);
    const { fence, byName } = await readHeads(db, "mine", [name, foreign, "unknown"]);
    expect(fence).toBe(me.fence);
    expect(byName).toEqual(
      new Map([
        [
          name,
          {
            id,
            version: 1n,
            digest: await digestAt(name),
            objectFormat: "sha1",
            replicaState: "active",
            stopped: null,
            writesStopped: null,
          },
        ],
        [
          foreign,
          {
            id: foreignId,
            version: 0n,
            digest: await digestAt(foreign),
            objectFormat: "sha1",
            replicaState: null,
            stopped: null,
            writesStopped: null,
          },
        ],
      ]),
    );
  });

  it("has the fence even when no name is known", async () => {
    expect(await readHeads(db, "mine", ["unknown"])).toEqual({
      fence: me.fence,
      timeline: HERE,
      noWrites: null,
      byName: new Map(),
    });
    expect(await readHeads(db, "mine", [])).toEqual({
      fence: me.fence,
      timeline: HERE,
      noWrites: null,
      byName: new Map(),
    });
  });

  it("shows the successor's fence to an incarnation that was replaced", async () => {
    const successor = await start("mine");
    expect((await readHeads(db, "mine", [])).fence).toBe(successor.fence);
  });

  it("is refused by a database that does not know the device", async () => {
    await expect(readHeads(db, "nobody", [name])).rejects.toMatchObject({ code: "DEVICE_NOT_FOUND" });
  });

  it("is refused by a standby", async () => {
    await using standby = await migratedDatabase();
    // A server that says it is in recovery, without the minutes that a real one takes to make.
    await administer(standby.url, async (client) => {
      await client.query("create schema standby");
      await client.query("create function standby.pg_is_in_recovery() returns boolean language sql as 'select true'");
      await client.query("insert into lockstep.device (name) values ('mine')");
      const database = new URL(standby.url).pathname.slice(1);
      await client.query(`alter database ${database} set search_path = standby, pg_catalog`);
    });
    await using behind = new Database({ url: standby.url, applicationName: "standby" });
    await expect(readHeads(behind, "mine", [])).rejects.toMatchObject({
      code: "DATABASE_UNAVAILABLE",
      message: expect.stringContaining("standby"),
    });
  });
});

describe("getWrite", () => {
  it("tells what became of a write, and does not find one of another repository or of none", async () => {
    const write = { writeId: randomUUID(), repositoryId: id, base: 0n, author: "ada", names: [] };
    const notFound = { code: "WRITE_NOT_FOUND" };
    await expect(getWrite(db, name, write.writeId)).rejects.toMatchObject(notFound);
    await stageWrite(db, me, write);
    const staged = { id: write.writeId, repository: name, device: "mine", author: "ada", baseVersion: 0n };
    expect(await getWrite(db, name, write.writeId)).toMatchObject({ ...staged, status: "staged", decidedAt: null });
    await settleWrite(db, me, write, "enough");
    const dropped = { status: "dropped", dropReason: "enough", version: null, decidedAt: expect.any(Date) };
    expect(await getWrite(db, name, write.writeId)).toMatchObject({ ...staged, ...dropped });
    await expect(getWrite(db, "another", write.writeId)).rejects.toMatchObject(notFound);
  });
});

describe("a database that cannot be written", () => {
  it("answers with DATABASE_UNAVAILABLE", async () => {
    await using readOnly = await migratedDatabase();
    const database = new URL(readOnly.url).pathname.slice(1);
    await administer(readOnly.url, (client) =>
      client.query(`alter database ${database} set default_transaction_read_only = on`),
    );
    await using at = new Database({ url: readOnly.url, applicationName: "read-only" });
    const unavailable = expect.objectContaining({ code: "DATABASE_UNAVAILABLE" });
    await expect(
      settleWrite(at, me, { writeId: randomUUID(), repositoryId: randomUUID(), author: "ada" }, "any"),
    ).rejects.toEqual(unavailable);
    const request = {
      device: "mine",
      incarnation: randomUUID(),
      rootId: ROOT,
      grpcAddress: "",
      gitAddress: "",
      zone: "",
    };
    await expect(takeOver(at, request)).rejects.toEqual(unavailable);
  });

  it("is unavailable when nobody listens at its address", async () => {
    await using nowhere = new Database({ url: "postgres://lockstep@127.0.0.1:1/none", applicationName: "nowhere" });
    await expect(readHeads(nowhere, "mine", [])).rejects.toMatchObject({ code: "DATABASE_UNAVAILABLE" });
  });
});
