// Random walks of commands, placements, drains, removals, crashes and take-overs over the replicas of one repository.
// Only the real statements change the rows. The test keeps what each disk would hold. After each step the rules of
// src/replica-states.ts must hold, and some disk of a replica that counts must have the head.
import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Incarnation } from "../../src/domain.ts";
import { type CommandName, enqueueCommand } from "../../src/store/command/commands.ts";
import { enqueueRepairs, FIRST_REPOSITORY } from "../../src/store/command/repairs.ts";
import { queryOnce } from "../../src/store/database/database.ts";
import { drainDevice, removeDevice, undrainDevice } from "../../src/store/device/devices.ts";
import { placeReplicas } from "../../src/store/replica/placement.ts";
import { recordFailure, recordVersion, reviseVersions } from "../../src/store/replica/record-replica.ts";
import { releaseReplica } from "../../src/store/replica/release-replica.ts";
import { setRepository } from "../../src/store/repository/repositories.ts";
import { landWrite } from "../../src/store/write/writes.ts";
import { db, makeDatabaseOfFile } from "../support/file-database.ts";
import { DEVICES, GIVEN_UP, HELD, LANES, Walk } from "../support/replica-walk.ts";
import { create, incarnation, repository, stage } from "../support/store-rows.ts";

makeDatabaseOfFile();

/** `device`: the one that acts, or that an operator means. `pick`: a choice that is left to the moment. */
interface Step {
  readonly kind: keyof typeof ACTS;
  readonly device: number;
  readonly pick: number;
}

const ref = () => `refs/heads/${randomUUID()}`;

const NEW = "1".repeat(40);

type Act = (walk: Walk, me: Incarnation, pick: number) => Promise<void>;

const ACTS = {
  push: async (walk, me, pick) => {
    const row = (await walk.rows()).get(me.device);
    if (row === undefined || (walk.disks.get(me.device) ?? 0n) < walk.head || row.state !== "active") return;
    const before = walk.head;
    await walk.move("bump", "own", me.device, async () => {
      const request = await stage(db, me, walk.id, walk.head, [create(ref(), NEW)]).catch(() => undefined);
      if (request === undefined) return;
      const { outcome } = await landWrite(db, me, request);
      if (outcome !== "landed") return;
      walk.head = before + 1n;
      walk.disks.set(me.device, walk.head);
    });
    // The process may die before it records what its disk has.
    if (walk.head > before && pick % 2 === 0) await walk.catchUp(me);
  },
  "catch up": async (walk, me) => await walk.catchUp(me),
  "lose a disk": async (walk, me) => {
    const others = [...(await walk.rows()).values()].filter(
      ({ device, state }) => device !== me.device && HELD.includes(state) && walk.disks.get(device) === walk.head,
    );
    // With one copy, the loss of its disk loses writes. That is what the number of copies is for.
    if (others.length === 0) return;
    await walk.move("reviseVersions", "own", me.device, async () => {
      walk.disks.set(me.device, 0n);
      await reviseVersions(db, me, [{ repositoryId: walk.id, version: -1n }]);
    });
  },
  fail: async (walk, me, pick) =>
    await walk.move("recordFailure", "own", me.device, () =>
      recordFailure(db, me, walk.id, {
        error: "e",
        broken: pick % 2 === 0,
        fromVersion: 0n,
        version: 0n,
        durationMs: 0,
      }),
    ),
  place: async (walk, _, pick) => {
    const names = walk.devices.map(({ device }) => device).filter((_, index) => (pick + 1) & (1 << index));
    const placement = pick % 4 === 3 ? null : names;
    await walk.move("setRepository", "operator", "", async () => {
      const change = { minCopies: null, landWithFewer: null, placement, keepDays: 0, author: "ada" };
      await setRepository(db, walk.name, change);
      walk.placement = placement;
    });
  },
  order: async (walk, { device }, pick) => {
    const command = (["release", "destroy", "sync", "provision", "repair"] as const satisfies readonly CommandName[])[
      pick % 5
    ]!;
    const asked = { repositoryId: walk.id, repository: walk.name, device, command, author: "ada" };
    await walk.move("enqueueCommand", "operator", "", () => enqueueCommand(db, asked));
  },
  "repair loop": async (walk, me) =>
    await walk.move("enqueueRepairs", "own", me.device, () =>
      enqueueRepairs(db, me, {
        ...{ everything: true, positions: [0n, 0n], page: { after: FIRST_REPOSITORY, size: 10 }, room: 10 },
      }),
    ),
  work: async (walk, me, pick) => void (await walk.work(me, LANES[pick % 3]!, pick >= 6)),
  crash: async (walk, { device }) => await walk.crash(device),
  "speak late": async (walk, _, pick) => {
    const old = walk.old[pick % Math.max(walk.old.length, 1)];
    if (old === undefined) return;
    // A process that was replaced changes nothing, whatever it tries.
    const before = await walk.rows();
    await recordVersion(db, old, walk.id, walk.head, null).catch(() => {});
    await recordFailure(db, old, walk.id, { error: "e", broken: true, fromVersion: 0n, version: 0n, durationMs: 0 });
    expect(await releaseReplica(db, old, walk.id, 0)).toMatchObject({ outcome: "fenced" });
    expect(await walk.rows()).toEqual(before);
  },
  drain: async (walk, { device }) =>
    await walk.move("drainDevice", "operator", "", async () => {
      await drainDevice(db, device, "ada");
      walk.stays.delete(device);
    }),
  undrain: async (walk, { device }) => {
    await walk.move("undrainDevice", "operator", "", () => undrainDevice(db, device, "ada"));
    if (walk.removed.delete(device)) {
      // A device that joins again waits for the end of the old lease.
      await queryOnce(db.work, "update lockstep.device set expires_at = clock_timestamp() where name = $1", [device]);
      await walk.crash(device);
    }
    walk.stays.add(device);
  },
  remove: async (walk, { device }) =>
    await walk.move("removeDevice", "operator", "", async () => {
      await removeDevice(db, device, "ada");
      walk.stays.delete(device);
      walk.removed.add(device);
      if (walk.placement !== null) walk.placement = walk.placement.filter((each) => each !== device);
    }),
  "join all": async (walk, me) =>
    await walk.move("placeReplicas", "own", me.device, () => placeReplicas(db, me, { after: undefined, limit: 100 })),
} as const satisfies Record<string, Act>;

/** How often each kind comes. Steps that make others possible come more often. */
const WEIGHTS: Partial<Record<keyof typeof ACTS, number>> = { push: 4, "catch up": 4, place: 3, work: 8 };

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.oneof(
    ...(Object.keys(ACTS) as (keyof typeof ACTS)[]).map((kind) => ({
      weight: WEIGHTS[kind] ?? 1,
      arbitrary: fc.constant(kind),
    })),
  ),
  device: fc.nat(DEVICES - 1),
  pick: fc.nat(8),
});

/** Lets every device come back and carry out what is open. Then all that shall have the head have it. */
async function finish(walk: Walk): Promise<void> {
  for (const { device } of [...walk.devices]) {
    await ACTS.undrain(walk, walk.devices.find((each) => each.device === device)!);
    await walk.crash(device);
  }
  const dueNow = "update lockstep.command set due_at = clock_timestamp() where device = $1 and state = 'queued'";
  const retryNow = "update lockstep.replica set next_attempt_at = null where device = $1";
  const openNow = async () => (await walk.commands()).filter(({ ended }) => ended === null);
  // A release waits until the others have the head, and orders a destruction, which a later round carries out.
  for (let round = 0; round < 3 || (round < 8 && (await openNow()).length > 0); round += 1) {
    for (const me of walk.devices) {
      await ACTS["join all"](walk, me);
      await queryOnce(db.work, retryNow, [me.device]);
      await ACTS["repair loop"](walk, me);
      await queryOnce(db.work, dueNow, [me.device]);
      for (const lane of LANES) while (await walk.work(me, lane, false));
    }
  }
  expect(await openNow()).toEqual([]);
  const ended = JSON.stringify(await walk.commands());
  for (const { device, state, version } of (await walk.rows()).values()) {
    const wanted = walk.placement === null || walk.placement.includes(device);
    if (wanted) expect({ device, state, version }, ended).toEqual({ device, state: "active", version: walk.head });
    else expect(GIVEN_UP, `${device} holds nothing`).toContain(state);
  }
}

async function walkAlong(devices: readonly Incarnation[], steps: readonly Step[]): Promise<void> {
  const walk = new Walk([...devices], await repository(db, ...devices));
  // On the devices of the list, until somebody says otherwise.
  walk.placement = devices.map(({ device }) => device).sort();
  for (const me of devices) await walk.catchUp(me);
  for (const { kind, device, pick } of steps) {
    const me = walk.devices[device]!;
    // The process of a device that was removed has ended.
    if (walk.removed.has(me.device) && kind !== "undrain") continue;
    await ACTS[kind](walk, me, pick);
  }
  await finish(walk);
}

it("a replica moves only along the table, and the last copy of the head is never given up", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const devices: Incarnation[] = [];
      for (let index = 0; index < DEVICES; index += 1) devices.push(await incarnation(db));
      try {
        await walkAlong(devices, steps);
      } finally {
        // A repository on all devices is not on those of earlier walks, and a device joins none of theirs.
        const names = devices.map(({ device }) => device);
        const gone = "update lockstep.device set removed_at = clock_timestamp() where name = any($1)";
        await queryOnce(db.work, gone, [names]);
        await queryOnce(db.work, "delete from lockstep.repository", []);
      }
    }),
    { numRuns: 100 },
  );
});
