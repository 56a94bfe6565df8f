// Random walks of commands, placements, drains, removals, crashes and take-overs over the replicas of one repository.
// Only the real statements change the rows. The test keeps what each disk would hold. After each step the rules of
// src/replica-states.ts must hold, and some disk of a replica that counts must have the head.
import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Incarnation, ReplicaState, Version } from "../../src/domain.ts";
import { LockstepError } from "../../src/errors.ts";
import { PERFORMERS } from "../../src/queue/performers.ts";
import { type Mover, REPLICA_MOVES } from "../../src/replica-states.ts";
import {
  type Command,
  type CommandName,
  endCommand,
  enqueueCommand,
  startCommand,
} from "../../src/store/command/commands.ts";
import { commandedReplica } from "../../src/store/command/find-commands.ts";
import { enqueueRepairs, FIRST_REPOSITORY } from "../../src/store/command/repairs.ts";
import { Database, queryOnce } from "../../src/store/database/database.ts";
import { drainDevice, removeDevice, undrainDevice } from "../../src/store/device/devices.ts";
import { placeReplicas } from "../../src/store/replica/placement.ts";
import { recordFailure, recordVersion, reviseVersions } from "../../src/store/replica/record-replica.ts";
import { destroyReplica, releaseReplica } from "../../src/store/replica/release-replica.ts";
import { setRepository } from "../../src/store/repository/repositories.ts";
import { landWrite } from "../../src/store/write/writes.ts";
import { migratedDatabase, type TestDatabase } from "../support/database.ts";
import { create, incarnation, repository, stage } from "../support/store-rows.ts";

let database: TestDatabase;
let db: Database;
beforeAll(async () => {
  database = await migratedDatabase();
  db = new Database({ url: database.url, applicationName: "replicas at random" });
});
afterAll(async () => {
  await db[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const DEVICES = 3;
/** A command that was refused rests for longer than a walk lasts, unless the test ends its rest. */
const REST_MS = 600_000;
const LANES = ["first", "again", "heavy"] as const;
const HELD: readonly (ReplicaState | undefined)[] = ["pending", "active", "broken"];
const GIVEN_UP: readonly (ReplicaState | undefined)[] = ["released", "destroyed"];

/** `device`: the one that acts, or that an operator means. `pick`: a choice that is left to the moment. */
interface Step {
  readonly kind: keyof typeof ACTS;
  readonly device: number;
  readonly pick: number;
}

interface Ordered {
  readonly id: string;
  readonly device: string;
  readonly command: CommandName;
  readonly state: string;
  readonly author: string;
  readonly ended: string | null;
}

interface Row {
  readonly device: string;
  readonly state: ReplicaState;
  readonly version: Version;
}

/** Three devices with one repository, the versions that their disks hold, and the rules. */
class Walk {
  readonly devices: Incarnation[];
  readonly id: string;
  readonly name: string;
  /** The incarnations that were replaced. */
  readonly old: Incarnation[] = [];
  /** The newest version on each disk, also of copies that were given up. */
  readonly disks = new Map<string, Version>();
  head: Version = 0n;
  placement: readonly string[] | null = null;
  readonly stays = new Set<string>();
  readonly removed = new Set<string>();
  readonly #ended = new Map<string, Ordered>();
  readonly #releases = new Map<string, number>();

  constructor(devices: Incarnation[], { id, name }: { id: string; name: string }) {
    this.devices = devices;
    this.id = id;
    this.name = name;
    for (const { device } of devices) this.stays.add(device);
  }

  async rows(): Promise<Map<string, Row>> {
    const text = "select device, state, version from lockstep.replica where repository_id = $1";
    const rows = await queryOnce<Row & { [column: string]: unknown }>(db.work, text, [this.id]);
    return new Map(rows.map((row) => [row.device, row]));
  }

  async commands(): Promise<Ordered[]> {
    return await queryOnce<Ordered & { [column: string]: unknown }>(
      db.work,
      `select id, device, command, state, author, outcome, last_error as error, ended_at::text as ended
         from lockstep.command where repository_id = $1`,
      [this.id],
    );
  }

  /** Runs `act`, whose statement is called so in the table. Checks the moves that it made. */
  async move(statement: string, by: Mover, device: string, act: () => Promise<unknown>): Promise<void> {
    const before = await this.rows();
    // A refusal is an answer. Anything else is a fault of the test.
    await act().catch((error: unknown) => {
      if (!(error instanceof LockstepError) || error.code === "INTERNAL") throw error;
    });
    const after = await this.rows();
    for (const [name, { state: to }] of after) {
      const from = before.get(name)?.state;
      if (from === to) continue;
      if (from === undefined) {
        expect(to, "a row begins").toBe("pending");
        continue;
      }
      const moves = REPLICA_MOVES.filter((each) => each.from === from && each.to === to && each.by === by);
      expect(
        moves.map((each) => each.statement),
        `${from} to ${to} by ${statement}`,
      ).toContain(statement);
      if (by === "own") expect(name, `${statement} moves only the replica of its device`).toBe(device);
      if (to === "released") this.#expectReleasable(name, after);
      if (to === "destroyed") this.disks.set(name, 0n);
      if (to === "released") this.#releases.set(name, (this.#releases.get(name) ?? 0) + 1);
    }
    for (const [name] of before) {
      if (after.has(name)) continue;
      expect(statement).toBe("removeDevice");
      this.disks.delete(name);
      this.#releases.delete(name);
    }
    await this.#expectRules(after);
  }

  /** All devices that shall hold the repository have the head, and there is one. */
  #expectReleasable(device: string, rows: ReadonlyMap<string, Row>): void {
    expect(this.placement, "a copy of a repository on all devices stays").not.toBeNull();
    expect(this.placement).not.toContain(device);
    const holders = [...this.stays].filter((each) => this.placement?.includes(each));
    expect(holders).not.toEqual([]);
    for (const holder of holders)
      expect(rows.get(holder), holder).toMatchObject({ state: "active", version: this.head });
  }

  async #expectRules(rows: ReadonlyMap<string, Row>): Promise<void> {
    const withHead = [...rows.values()].filter(
      ({ device, state }) => HELD.includes(state) && (this.disks.get(device) ?? 0n) >= this.head,
    );
    expect(withHead, "some replica that counts has the head").not.toEqual([]);
    const commands = await this.commands();
    for (const { device } of this.devices) {
      const mine = commands.filter((each) => each.device === device);
      expect(mine.filter(({ state }) => state === "running").length).toBeLessThan(2);
      // A release orders one destruction, however often its command was repeated.
      if (!this.removed.has(device) && this.#releases.has(device))
        expect(
          mine.filter(({ command, author }) => command === "destroy" && author === "lockstep").length,
        ).toBeGreaterThanOrEqual(this.#releases.get(device)!);
    }
    for (const command of commands) {
      const before = this.#ended.get(command.id);
      if (before) expect(command, "an outcome stays").toEqual(before);
      else if (command.ended !== null) this.#ended.set(command.id, command);
    }
  }

  /** Starts the next command of a device and carries out its effect. `dies`: before its outcome is recorded. */
  async work(me: Incarnation, lane: (typeof LANES)[number], dies: boolean): Promise<boolean> {
    const command = await startCommand(db, me, lane, randomUUID());
    if (command === undefined) return false;
    const end = await this.#perform(me, command);
    if (dies) await this.crash(me.device);
    const taken = await endCommand(db, me, command.id, end);
    expect(taken).toBe(!dies);
    if (taken)
      expect(await endCommand(db, me, command.id, { state: "failed", error: "again" }), "one outcome").toBe(false);
    return true;
  }

  async #perform(me: Incarnation, { command, arguments: given }: Command) {
    const replica = await commandedReplica(db, me.device, this.id);
    if (replica === undefined || !PERFORMERS[command]?.states.includes(replica.state))
      return { state: "superseded" as const, error: "nothing to do" };
    if (command === "release") {
      let outcome = "";
      await this.move("releaseReplica", "own", me.device, async () => {
        ({ outcome } = await releaseReplica(db, me, this.id, 0));
      });
      if (outcome === "wanted") return { state: "failed" as const, error: outcome };
      return outcome === "released"
        ? { state: "done" as const }
        : { state: "queued" as const, error: outcome, delayMs: REST_MS };
    }
    if (command === "destroy")
      await this.move("destroyReplica", "own", me.device, () =>
        destroyReplica(db, me, this.id, String(given.released ?? "")),
      );
    else await this.catchUp(me);
    return { state: "done" as const };
  }

  /** Copies from any disk that has the head, and records it. */
  async catchUp(me: Incarnation): Promise<void> {
    const row = (await this.rows()).get(me.device);
    await this.move("recordVersion", "own", me.device, async () => {
      await recordVersion(db, me, this.id, this.head, null);
      if (HELD.includes(row?.state)) this.disks.set(me.device, this.head);
    });
  }

  async crash(device: string): Promise<void> {
    const index = this.devices.findIndex((each) => each.device === device);
    this.old.push(this.devices[index]!);
    this.devices[index] = await incarnation(db, { device });
  }
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
  for (let round = 0; round < 3; round += 1) {
    for (const me of walk.devices) {
      await ACTS["join all"](walk, me);
      await queryOnce(db.work, retryNow, [me.device]);
      await ACTS["repair loop"](walk, me);
      await queryOnce(db.work, dueNow, [me.device]);
      for (const lane of LANES) while (await walk.work(me, lane, false));
    }
  }
  const open = (await walk.commands()).filter(({ ended }) => ended === null);
  expect(open).toEqual([]);
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
}, 300_000);
