// The part of an undo in the loop of `land`. All refs land or none. No `update` hook is asked: an operator decides.
import { randomUUID } from "node:crypto";
import { refAuthor } from "../../domain.ts";
import { withHooks } from "../../git/ref-hook.ts";
import type { OperatorsAct } from "../../store/write/writes.ts";
import { Stopwatch } from "../../telemetry/stopwatch.ts";
import { Holders } from "../copies/holders.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";
import { beforeRead } from "../read/before-read.ts";
import { attemptWrite } from "../write/attempt.ts";
import type { Writer } from "../write/land.ts";
import type { Attempt, Lost } from "../write/outcome.ts";
import { Races } from "../write/races.ts";
import type { UndoPlan } from "./undo-plan.ts";

/** The writer of an undo whose objects are in the replica. It gives its turn back when it is disposed. */
export class UndoWriter implements Writer, Disposable {
  readonly repository: string;
  readonly clock = new Stopwatch();
  readonly holders: Holders;
  readonly #context: SyncContext;
  readonly #plan: UndoPlan;
  readonly #act: OperatorsAct;
  readonly #author: string;
  readonly #signal: AbortSignal;
  readonly #races: Races;

  constructor(
    context: SyncContext,
    replica: Replica,
    plan: UndoPlan,
    { author, reason, signal }: { author: string; reason: string; signal: AbortSignal },
  ) {
    const undoes = String(plan.entry.version);
    this.repository = replica.name;
    this.holders = new Holders(plan.updates);
    this.#context = context;
    this.#plan = plan;
    this.#author = author;
    this.#signal = signal;
    const why = `undo of version ${undoes}${reason && `: ${reason}`}`;
    this.#act = { action: "undo", reason: why, detail: { undoes, refs: String(plan.updates.length) } };
    const ticket = { repositoryId: replica.id, writeId: randomUUID(), author, reason: why };
    this.#races = new Races(context, replica.name, ticket, { what: "undo", signal });
  }

  async attempt(replica: Replica): Promise<Attempt> {
    const named = await withHooks(this.#context.git, replica.gitDir, refAuthor(this.#author));
    return await attemptWrite(this.#context, replica, {
      writeId: randomUUID(),
      ticket: this.#races.ticket,
      request: { updates: this.#plan.updates, atomic: true, author: this.#author, refAuthor: named },
      act: this.#act,
      gone: this.#signal,
      clock: this.clock,
      holders: this.holders.devices,
    });
  }

  async lost(attempt: Lost): Promise<void> {
    if (await this.#races.afterLoss(attempt)) this.clock.lap("turnMs");
  }

  async read(): Promise<Replica> {
    return (await beforeRead(this.#context, this.repository, { forPush: true, signal: this.#signal })).replica;
  }

  [Symbol.dispose](): void {
    this.#races[Symbol.dispose]();
  }
}
