// Random commands, starts, ends, crashes and take-overs against the queue, by many random walks. The rules of the queue
// must hold after each step.
import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Incarnation } from "../../src/domain.ts";
import {
  type Command,
  type CommandName,
  type CommandState,
  endCommand,
  enqueueCommand,
  type Lane,
  startCommand,
} from "../../src/store/command/commands.ts";
import { listCommands } from "../../src/store/command/find-commands.ts";
import { queryOnce } from "../../src/store/database/database.ts";
import { db, makeDatabaseOfFile } from "../support/file-database.ts";
import { incarnation, repository } from "../support/store-rows.ts";

makeDatabaseOfFile();

const ENDED: readonly CommandState[] = ["done", "failed", "superseded"];
const NAMES = ["sync", "gc", "release", "provision"] as const satisfies readonly CommandName[];
const LANES = ["first", "again", "heavy"] as const satisfies readonly Lane[];
const ENDS = ["done", "failed", "superseded", "queued"] as const;

type Step =
  | { kind: "enqueue"; command: CommandName; replica: number; daemon: boolean }
  | { kind: "start"; lane: Lane; repeat: boolean }
  /** `by`: the incarnation that started the command, or one that was replaced. */
  | { kind: "end"; pick: number; state: (typeof ENDS)[number]; by: "own" | "old" }
  | { kind: "crash" };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant("enqueue" as const),
    command: fc.constantFrom(...NAMES),
    replica: fc.nat(1),
    daemon: fc.boolean(),
  }),
  fc.record({ kind: fc.constant("start" as const), lane: fc.constantFrom(...LANES), repeat: fc.boolean() }),
  fc.record({
    kind: fc.constant("end" as const),
    pick: fc.nat(9),
    state: fc.constantFrom(...ENDS),
    by: fc.constantFrom("own" as const, "old" as const),
  }),
  fc.record({ kind: fc.constant("crash" as const) }),
);

/** One device with two replicas, and the rules that hold of its queue. */
class Walk {
  me: Incarnation;
  #old: Incarnation | undefined;
  readonly #repositories: { id: string; name: string }[];
  /** The commands that have ended, as they were then. */
  readonly #ended = new Map<string, Command>();

  constructor(me: Incarnation, repositories: { id: string; name: string }[]) {
    this.me = me;
    this.#repositories = repositories;
  }

  async take(next: Step): Promise<void> {
    if (next.kind === "enqueue") await this.#enqueue(next);
    else if (next.kind === "start") await this.#start(next);
    else if (next.kind === "end") await this.#end(next);
    else {
      this.#old = this.me;
      this.me = await incarnation(db, { device: this.me.device });
    }
    await this.expectRules();
  }

  async #enqueue({ command, replica, daemon }: Step & { kind: "enqueue" }): Promise<void> {
    const { id, name } = this.#repositories[replica]!;
    const before = await this.#all();
    const asked = { repositoryId: id, repository: name, device: this.me.device, command, author: "ada", daemon };
    const got = await enqueueCommand(db, asked);
    const equal = before.find(
      (each) => each.repositoryId === id && each.command === command && each.state === "queued" && each.attempts === 0,
    );
    expect(got === equal?.id).toBe(equal !== undefined);
    expect(await this.#all()).toHaveLength(before.length + (equal ? 0 : 1));
  }

  async #start({ lane, repeat }: Step & { kind: "start" }): Promise<void> {
    const attempt = randomUUID();
    const started = await startCommand(db, this.me, lane, attempt);
    if (repeat && started) expect((await startCommand(db, this.me, lane, attempt))?.id).toBe(started.id);
  }

  async #end({ pick, state, by }: Step & { kind: "end" }): Promise<void> {
    const all = await this.#all();
    const command = all[pick % Math.max(all.length, 1)];
    const who = by === "own" ? this.me : this.#old;
    if (command === undefined || who === undefined) return;
    const taken = await endCommand(db, who, command.id, { state, error: "e", delayMs: 0 });
    expect(taken).toBe(command.state === "running" && by === "own");
  }

  async #all(): Promise<Command[]> {
    return await listCommands(db, { device: this.me.device, limit: 1_000 });
  }

  async expectRules(): Promise<void> {
    const all = await this.#all();
    for (const { id } of this.#repositories) {
      const mine = all.filter(({ repositoryId }) => repositoryId === id);
      // One at a time for each replica.
      expect(mine.filter(({ state }) => state === "running").length).toBeLessThan(2);
      const fresh = mine.filter(({ state, attempts }) => state === "queued" && attempts === 0);
      expect(new Set(fresh.map(({ command }) => command)).size).toBe(fresh.length);
    }
    for (const command of all) {
      const ended = this.#ended.get(command.id);
      // An outcome stays what it is.
      if (ended) expect(command).toEqual(ended);
      if (ENDED.includes(command.state)) {
        expect(command.attempts).toBeGreaterThan(0);
        this.#ended.set(command.id, command);
      }
    }
  }

  /** Carries out all that is left, as a new incarnation does. Each command ends. */
  async finish(): Promise<void> {
    await this.take({ kind: "crash" });
    await queryOnce(
      db.work,
      "update lockstep.command set due_at = clock_timestamp() where device = $1 and state = 'queued'",
      [this.me.device],
    );
    for (let idle = 0; idle < LANES.length; ) {
      idle = 0;
      for (const lane of LANES) {
        const command = await startCommand(db, this.me, lane, randomUUID());
        if (command) expect(await endCommand(db, this.me, command.id, { state: "done" })).toBe(true);
        else idle += 1;
      }
      await this.expectRules();
    }
    expect((await this.#all()).filter(({ endedAt }) => endedAt === null)).toEqual([]);
  }
}

it("each command ends with one outcome, and one at a time runs for a replica, whatever happens in between", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const me = await incarnation(db);
      const walk = new Walk(me, [await repository(db, me), await repository(db, me)]);
      for (const each of steps) await walk.take(each);
      await walk.finish();
    }),
    { numRuns: 40 },
  );
});
