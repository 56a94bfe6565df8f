// The part of a session in the loop of `land`. A session holds the turn, so another write cannot overtake it.
import { type RefUpdate, refAuthor } from "../../domain.ts";
import { withHooks } from "../../git/ref-hook.ts";
import type { Session } from "../../store/write/sessions.ts";
import type { Stopwatch } from "../../telemetry/stopwatch.ts";
import { Holders } from "../copies/holders.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";
import { beforeRead } from "../read/before-read.ts";
import { attemptWrite } from "../write/attempt.ts";
import type { Writer } from "../write/land.ts";
import type { Attempt, Lost } from "../write/outcome.ts";
import { droppedError, leaseLostError } from "./renew-write.ts";

/**
 * How many attempts a session makes. Its replica may have come into doubt since it began, and is then repaired first.
 */
const ATTEMPTS = 3;

/** The writer of a session whose new objects are in the replica. */
export class SessionWriter implements Writer {
  readonly repository: string;
  readonly clock: Stopwatch;
  readonly holders: Holders;
  readonly #context: SyncContext;
  readonly #session: Session;
  readonly #updates: readonly RefUpdate[];
  #losses = 0;

  constructor(
    context: SyncContext,
    repository: string,
    session: Session,
    { updates, clock }: { updates: readonly RefUpdate[]; clock: Stopwatch },
  ) {
    this.repository = repository;
    this.clock = clock;
    this.holders = new Holders(updates);
    this.#context = context;
    this.#session = session;
    this.#updates = updates;
  }

  async attempt(replica: Replica): Promise<Attempt> {
    const { writeId, base, author } = this.#session;
    const named = await withHooks(this.#context.git, replica.gitDir, refAuthor(author));
    return await attemptWrite(this.#context, replica, {
      writeId,
      sessionBase: base,
      request: { updates: this.#updates, atomic: true, author, refAuthor: named },
      clock: this.clock,
      holders: this.holders.devices,
    });
  }

  async lost({ outcome }: Lost): Promise<void> {
    if (outcome === "turn") throw leaseLostError();
    this.#losses += 1;
    if (this.#losses >= ATTEMPTS) throw droppedError("another write landed since it began");
  }

  async read(): Promise<Replica> {
    const { signal } = this.#context;
    return (await beforeRead(this.#context, this.repository, { minVersion: this.#session.base, signal })).replica;
  }
}
