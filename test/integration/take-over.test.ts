// A new incarnation takes over its device.
import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { EMPTY_DIGEST } from "../../src/digest.ts";
import type { Incarnation } from "../../src/domain.ts";
import { leaseHasEnded, renewLease, takeOver } from "../../src/store/device/device-lease.ts";
import { createRepository } from "../../src/store/repository/repositories.ts";
import { getWrite } from "../../src/store/write/find-write.ts";
import { takeTurn, turnHolder } from "../../src/store/write/turns.ts";
import { landWrite, stageWrite } from "../../src/store/write/writes.ts";
import { WAITS } from "../../src/waits.ts";
import { deviceRow } from "../support/device-rows.ts";
import { db, elsewhere, makeDatabaseOfFile } from "../support/file-database.ts";
import { HERE } from "../support/store-rows.ts";
import { expire, request, taken } from "../support/taking-over.ts";

makeDatabaseOfFile();

async function repository(...devices: string[]): Promise<{ id: string; name: string }> {
  const name = `r-${randomUUID()}`;
  return { name, ...(await createRepository(db, { name, devices, defaultBranch: "main", objectFormat: "sha1" })) };
}

/** Stages a write that changes nothing, and returns its id. */
async function stage(me: Incarnation, repositoryId: string): Promise<string> {
  const writeId = randomUUID();
  const staged = await stageWrite(db, me, { writeId, repositoryId, base: 0n, author: "ada", names: [] });
  if (staged.outcome !== "staged") throw new Error(`the write is ${staged.outcome}`);
  return writeId;
}

describe("a take-over", () => {
  it("registers a new device with its addresses and a lease", async () => {
    const asked = request();
    const { incarnation, previousFence, interrupted } = await taken(asked);
    expect(incarnation).toEqual({ device: asked.device, id: asked.incarnation, fence: expect.any(BigInt) });
    expect({ previousFence, interrupted }).toEqual({ previousFence: 0n, interrupted: [] });
    expect(await deviceRow(asked.device)).toMatchObject({
      incarnation: asked.incarnation,
      fence: incarnation.fence,
      root_id: asked.rootId,
      grpc_address: "repo001:7420",
    });
  });

  it("gives a bigger fence than any before it, over all devices, and tells the one it replaces", async () => {
    let biggest = 0n;
    const devices = [request(), request(), request()];
    const last = new Map<string, bigint>();
    for (const asked of [...devices, ...devices]) {
      const { incarnation, previousFence } = await taken({ ...asked, incarnation: randomUUID() });
      expect(incarnation.fence).toBeGreaterThan(biggest);
      expect(previousFence).toBe(last.get(asked.device) ?? 0n);
      biggest = incarnation.fence;
      last.set(asked.device, biggest);
    }
  });

  it("drops what the old incarnation had staged and nothing else, and names the repositories", async () => {
    const [mine, others] = [request(), request()];
    const [me, other] = [(await taken(mine)).incarnation, (await taken(others)).incarnation];
    const [a, b, untouched] = [
      await repository(me.device, other.device),
      await repository(me.device),
      await repository(me.device),
    ];
    const landed = await stage(me, untouched.id);
    await landWrite(db, me, {
      writeId: landed,
      repositoryId: untouched.id,
      base: 0n,
      difference: EMPTY_DIGEST,
      updates: [],
    });
    const dropped = [await stage(me, a.id), await stage(me, a.id), await stage(me, b.id)];
    const kept = await stage(other, a.id);

    const { interrupted } = await taken({ ...mine, incarnation: randomUUID() });
    expect([...interrupted].sort()).toEqual([a.id, b.id].sort());
    for (const [index, id] of dropped.entries()) {
      const write = await getWrite(db, index < 2 ? a.name : b.name, id);
      expect(write).toMatchObject({ status: "dropped", version: null, decidedAt: expect.any(Date) });
      expect(write.dropReason).toBe(`the sidecar of device ${me.device} ended before the write was decided`);
    }
    expect(await getWrite(db, a.name, kept)).toMatchObject({ status: "staged", dropReason: null });
    expect(await getWrite(db, untouched.name, landed)).toMatchObject({ status: "landed", version: 1n });
    // A second take-over finds nothing left to drop.
    expect((await taken({ ...mine, incarnation: randomUUID() })).interrupted).toEqual([]);
  });

  it("lets the old incarnation stage nothing more", async () => {
    const asked = request();
    const { incarnation: old } = await taken(asked);
    const { id } = await repository(old.device);
    await taken({ ...asked, incarnation: randomUUID() });
    const write = { writeId: randomUUID(), repositoryId: id, base: 0n, author: "ada", names: [] };
    expect(await stageWrite(db, old, write)).toEqual({ outcome: "fenced" });
  });

  it("gives up the turns of the device and leaves the turns of other devices", async () => {
    const [mine, others] = [request(), request()];
    const [me, other] = [(await taken(mine)).incarnation, (await taken(others)).incarnation];
    const { id: repositoryId } = await repository(me.device);
    const [first, second] = [randomUUID(), randomUUID()];
    await takeTurn(db, me, { repositoryId, writeId: first, author: "ada", reason: "push" });
    await takeTurn(db, other, { repositoryId, writeId: second, author: "bob", reason: "push" });
    expect((await turnHolder(db, repositoryId))?.writeId).toBe(first);
    await taken({ ...mine, incarnation: randomUUID() });
    expect((await turnHolder(db, repositoryId))?.writeId).toBe(second);
  });

  it("is held while the lease runs and the root is another, and changes nothing", async () => {
    const asked = request();
    const { incarnation: me } = await taken(asked);
    const { id, name } = await repository(me.device);
    const write = await stage(me, id);
    const before = await deviceRow(asked.device);
    const answer = await takeOver(db, request({ device: asked.device, grpcAddress: "elsewhere:1" }));
    expect(answer).toEqual({ outcome: "held", waitMs: expect.any(Number) });
    const { waitMs } = answer as { waitMs: number };
    expect(waitMs).toBeGreaterThan(0);
    expect(waitMs).toBeLessThanOrEqual(WAITS.leaseMs);
    expect(await deviceRow(asked.device)).toEqual({ ...before, left: expect.any(Number) });
    expect(await getWrite(db, name, write)).toMatchObject({ status: "staged" });
    expect(await renewLease(db, me, HERE)).toEqual(expect.any(String));
  });

  it("is immediate on the same root, whose lock proves that the old process is gone", async () => {
    const asked = request();
    const { incarnation: old } = await taken(asked);
    expect(await leaseHasEnded(db, asked.device)).toBe(false);
    const { incarnation } = await taken({ ...asked, incarnation: randomUUID() });
    expect(incarnation.fence).toBeGreaterThan(old.fence);
  });

  it("is possible from another root once the lease has run out", async () => {
    const asked = request();
    await taken(asked);
    await expire(asked.device);
    const other = request({ device: asked.device });
    await taken(other);
    expect(await deviceRow(asked.device)).toMatchObject({ root_id: other.rootId });
    // Now it is the first root's turn to wait.
    expect(await takeOver(db, { ...asked, incarnation: randomUUID() })).toMatchObject({ outcome: "held" });
  });

  it("may be asked for again when its answer was lost", async () => {
    const asked = request();
    const { incarnation: first } = await taken(asked);
    const { incarnation: second } = await taken(asked);
    expect(second.fence).toBeGreaterThan(first.fence);
    expect(await renewLease(db, second, HERE)).toEqual(expect.any(String));
  });

  it("waits for the lease of another incarnation on another root, but not for its own", async () => {
    const asked = request();
    await taken(asked);
    const elsewhereOnDisk = { ...asked, rootId: randomUUID() };
    expect(await takeOver(db, { ...elsewhereOnDisk, incarnation: randomUUID() })).toMatchObject({ outcome: "held" });
    expect(await takeOver(db, elsewhereOnDisk)).toMatchObject({ outcome: "taken" });
  });

  it("succeeds for one of two roots that start at the same time", async () => {
    for (let round = 0; round < 5; round += 1) {
      const device = `d-${randomUUID()}`;
      const answers = await Promise.all([takeOver(db, request({ device })), takeOver(elsewhere, request({ device }))]);
      expect(answers.map(({ outcome }) => outcome).sort()).toEqual(["held", "taken"]);
    }
  });
});
