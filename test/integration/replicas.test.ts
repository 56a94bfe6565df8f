import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { ReplicaState } from "../../src/domain.ts";
import { queryOnce } from "../../src/store/database/database.ts";
import { releaseLease } from "../../src/store/device/device-lease.ts";
import { lastSync, recordFailure, recordVersion } from "../../src/store/replica/record-replica.ts";
import { listReplicas, readRecord, replicaName, replicasOf } from "../../src/store/replica/replicas.ts";
import { recentSyncs } from "../../src/store/replica/sync-events.ts";
import { db } from "../support/file-database.ts";
import {
  failure,
  id,
  isBehind,
  land,
  makeReplicaRows,
  me,
  name,
  other,
  row,
  setState,
  start,
} from "../support/replica-rows.ts";

const WITH_REPLICA: ReplicaState[] = ["pending", "active", "broken"];

const WITHOUT: ReplicaState[] = ["released", "destroyed"];

makeReplicaRows();

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
    expect((await readRecord(db, "mine", id)).version).toBe(0n);
    expect(await replicaName(db, "mine", id)).toBe(name);
  });

  it("is not moved by a bump, not even that of the device that wrote", async () => {
    await land(0n);
    for (const device of ["mine", "other"]) expect((await readRecord(db, device, id)).version).toBe(0n);
  });

  it("is not found on a device that has none", async () => {
    const notFound = expect.objectContaining({
      code: "REPLICA_NOT_FOUND",
      message: expect.stringMatching(
        /^Device third has no replica .*; ask a device that has one, `lockstep repo show NAME`/,
      ),
    });
    await expect(readRecord(db, "third", id)).rejects.toEqual(notFound);
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
    expect((await readRecord(db, "mine", id)).version).toBe(5n);
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
      // Spread by a fifth, so that devices do not come back all at once. The statement reads the clock twice.
      expect(wait).toBeGreaterThan(seconds * 0.8 - 0.2);
      expect(wait).toBeLessThan(seconds * 1.2 + 0.2);
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
