// The part of a push in the loop of `land`. It resolves aliases and tries again when another device was faster. When it
// has lost too often, it queues for the turn.
import { randomUUID } from "node:crypto";
import type { RefName, RefUpdate, RefValue } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import type { StartedTransaction } from "../../git/transactions/started-transaction.ts";
import type { Stopwatch } from "../../telemetry/stopwatch.ts";
import { Holders } from "../copies/holders.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";
import { attemptTogether } from "../group/group.ts";
import { describeHolder } from "../turn/turn.ts";
import type { Writer } from "../write/land.ts";
import type { Attempt, Lost } from "../write/outcome.ts";
import type { PushReport } from "../write/push-report.ts";
import { Races } from "../write/races.ts";
import type { Pusher, PushRequest } from "../write/request.ts";
import { Aliases, meantBy, tellOf } from "./aliases.ts";
import { readFirst } from "./replica-of.ts";

/** A push that git handed over, after the policy has decided. */
export interface AllowedPush {
  readonly request: PushRequest;
  /** The updates that may land. */
  readonly allowed: readonly RefUpdate[];
  readonly report: PushReport;
  readonly pusher: Pusher;
  /** Saves the first attempt the start of git. */
  readonly started: StartedTransaction | undefined;
}

/** The writer of a push. It gives its turn back when it is disposed. */
export class PushWriter implements Writer, Disposable {
  readonly repository: string;
  readonly clock: Stopwatch;
  readonly holders: Holders;
  readonly #context: SyncContext;
  readonly #push: AllowedPush;
  readonly #aliases = new Aliases();
  readonly #races: Races;
  readonly #repositoryId: string;
  /** Only the first attempt may be decided at once: where that fails, the staged row tells why. */
  #atOnce = true;

  constructor(context: SyncContext, push: AllowedPush, repositoryId: string) {
    const { request, allowed, pusher } = push;
    this.repository = request.repository;
    this.clock = request.clock;
    this.holders = new Holders(allowed, pusher.say);
    this.#context = context;
    this.#repositoryId = repositoryId;
    this.#push = push;
    const ticket = { repositoryId, writeId: randomUUID(), author: request.author, reason: "push" };
    this.#races = new Races(context, this.repository, ticket, {
      what: "push",
      signal: pusher.gone,
      tell: (holder) => pusher.say(`waiting for ${describeHolder(holder)}`),
    });
  }

  /** How often another device was faster. */
  get races(): number {
    return this.#races.lost;
  }

  async attempt(replica: Replica): Promise<Attempt | undefined> {
    const { request, allowed, report, pusher, started } = this.#push;
    const updates = meantBy(allowed, this.#aliases, request, report);
    if (updates.length === 0) return undefined;
    const atOnce = this.#atOnce;
    this.#atOnce = false;
    const attempt = await attemptTogether(this.#context, replica, {
      writeId: randomUUID(),
      atOnce,
      ticket: this.#races.ticket,
      request: { ...request, updates },
      aliases: this.#aliases.held,
      gone: pusher.gone,
      started,
      clock: this.clock,
      holders: this.holders.devices,
    }).catch((error: unknown) => startOver(replica, error));
    if (attempt.outcome === "done") tellOf(allowed, this.#aliases, attempt.report, report);
    return attempt;
  }

  learn(held: ReadonlyMap<RefName, RefValue | null>): void {
    this.#aliases.learn(held);
  }

  async lost(attempt: Lost): Promise<void> {
    if (await this.#races.afterLoss(attempt)) this.clock.lap("turnMs");
  }

  async read(): Promise<Replica> {
    const { name } = this.#context.replicas.find(this.#repositoryId) ?? { name: this.repository };
    return await readFirst(this.#context, name).catch(async (error: unknown) => {
      // The repository may have been renamed since the push began.
      const newName = error instanceof LockstepError ? error.details.renamed_to : undefined;
      const renamed = newName === undefined ? undefined : await readFirst(this.#context, newName);
      if (renamed?.id !== this.#repositoryId) throw error;
      return renamed;
    });
  }

  [Symbol.dispose](): void {
    this.#races[Symbol.dispose]();
  }
}

/**
 * Lets the write start again if a part of the replica is gone, which the next access makes anew. Nothing of the write
 * has landed.
 */
async function startOver(replica: Replica, error: unknown): Promise<Attempt> {
  const unknown = error instanceof LockstepError && error.code === "OUTCOME_UNKNOWN";
  if (unknown || !(await replica.mutex.lookForMissing())) throw error;
  return { outcome: "raced" };
}
