// A walk of one repository over its devices: what each disk would hold, and the rules after each step.
import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import type { Incarnation, ReplicaState, Version } from "../../src/domain.ts";
import { LockstepError } from "../../src/errors.ts";
import { PERFORMERS } from "../../src/queue/performers.ts";
import { type Mover, REPLICA_MOVES } from "../../src/replica-states.ts";
import { type Command, type CommandName, endCommand, startCommand } from "../../src/store/command/commands.ts";
import { commandedReplica } from "../../src/store/command/find-commands.ts";
import { queryOnce } from "../../src/store/database/database.ts";
import { recordVersion } from "../../src/store/replica/record-replica.ts";
import { destroyReplica, releaseReplica } from "../../src/store/replica/release-replica.ts";
import { db } from "./file-database.ts";
import { incarnation } from "./store-rows.ts";

export const DEVICES = 3;

/** A command that was refused rests for longer than a walk lasts, unless the test ends its rest. */
const REST_MS = 600_000;

export const LANES = ["first", "again", "heavy"] as const;

export const HELD: readonly (ReplicaState | undefined)[] = ["pending", "active", "broken"];

export const GIVEN_UP: readonly (ReplicaState | undefined)[] = ["released", "destroyed"];

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
export class Walk {
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
