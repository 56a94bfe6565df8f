// Tells what landed in the whole cluster, from a cursor on. The versions of a repository come in order, none is missed,
// and none comes twice. The consumer pulls, so a slow one costs the memory of one page. While the database is away, the
// watcher waits.

import { setTimeout as sleep } from "node:timers/promises";
import { LockstepError } from "../../errors.ts";
import { type HeldRepository, type Landed, type ReadFrom, readHeld, readLanded } from "../../store/watch/landed.ts";
import type { Position } from "../../store/watch/log-tail.ts";
import { confirmReads } from "../../store/write/confirm-reads.ts";
import { WAITS } from "../../waits.ts";
import type { SyncContext } from "../device/context.ts";
import { endAsFenced } from "../device/end-as-fenced.ts";
import { requirePrimary } from "../lease/read-proven-tail.ts";
import { HELD_LIMIT, writeCursor } from "./cursor.ts";
import { aheadError, expiredError } from "./cursor-expired.ts";

/** Rows of the log that one statement looks at, and events that it returns. */
const PAGE = 1_000;
const EVENTS = 50;
/** Versions of one held repository that one statement returns. One more than is told tells where it goes on. */
const HELD_EVENTS = 4;
/** The pause before held repositories are looked at again. It grows while none is released. */
const HELD_MS = 50;
const HELD_LIMIT_MS = 1_000;

/** When an event is told: once it has landed, or once every live device that has the repository holds it. */
export type Visible = "landed" | "everywhere";

export interface Told {
  /** From here on, nothing is missed and nothing comes twice. */
  readonly cursor: string;
  /** undefined: nothing happened, but the cursor may be newer. */
  readonly event: Landed | undefined;
}

/** One watcher, with what it has told. */
export class Watcher {
  readonly #context: SyncContext;
  readonly #patterns: readonly string[];
  readonly #visible: Visible;
  readonly #signal: AbortSignal;
  #position: Position;
  /** By the id of the repository. */
  readonly #held: Map<string, HeldRepository>;
  #heldPauseMs = HELD_MS;

  constructor(
    context: SyncContext,
    { patterns, visible }: { patterns: readonly string[]; visible: Visible },
    position: Position,
    held: readonly HeldRepository[],
    signal: AbortSignal,
  ) {
    this.#context = context;
    this.#patterns = patterns;
    this.#visible = visible;
    this.#signal = signal;
    this.#position = position;
    this.#held = new Map(held.map((each) => [each.repositoryId, each]));
  }

  get cursor(): string {
    return writeCursor(this.#position, this.#held.values());
  }

  /** Yields events for ever, and now and then a cursor alone. Throws CURSOR_EXPIRED, and the reason of the signal. */
  async *events(): AsyncGenerator<Told> {
    let toldAt = performance.now();
    for (;;) {
      for await (const told of this.#pass()) {
        yield told;
        toldAt = performance.now();
      }
      if (performance.now() - toldAt < WAITS.watchCheckpointMs) continue;
      yield { cursor: this.cursor, event: undefined };
      toldAt = performance.now();
    }
  }

  /** Waits until there may be something to tell, and tells it. */
  async *#pass(): AsyncGenerator<Told> {
    const until = await this.#untilDue();
    if (this.#context.tail.isAhead(this.#position)) throw aheadError();
    try {
      yield* this.#tellHeld();
      if (until !== undefined && until > this.#position) yield* this.#tellNew(until);
    } catch (error) {
      if (!(error instanceof LockstepError && error.code === "DATABASE_UNAVAILABLE")) throw error;
      await this.#pause(WAITS.watchRetryMs);
    }
  }

  async #untilDue(): Promise<Position | undefined> {
    const waits = this.#held.size > 0;
    const pauseMs = waits ? this.#heldPauseMs : WAITS.watchCheckpointMs;
    this.#heldPauseMs = waits ? Math.min(this.#heldPauseMs * 1.5, HELD_LIMIT_MS) : HELD_MS;
    // While as many are held as may be, new versions change nothing.
    if (this.#held.size >= HELD_LIMIT) await this.#pause(pauseMs);
    return await this.#context.tail.beyond(this.#position, pauseMs, this.#signal);
  }

  /** Tells the versions of held repositories that are not held back any more. */
  async *#tellHeld(): AsyncGenerator<Told> {
    if (this.#held.size === 0) return;
    const wanted = [...this.#held.values()];
    const range = { until: this.#position, limit: HELD_EVENTS + 1 };
    const { db, tail } = this.#context;
    const { landed, trimmed, ...from } = await tail.reads.runExclusive(() => readHeld(db, wanted, range));
    await this.#confirm(from, landed);
    if (trimmed) throw expiredError();
    for (const { repositoryId } of wanted) {
      const rows = landed.filter((each) => each.repositoryId === repositoryId);
      // The repository is gone.
      if (rows.length === 0) this.#held.delete(repositoryId);
      for (const [index, row] of rows.entries()) {
        if (index === HELD_EVENTS || !this.#isDue(row)) break;
        this.#hold(repositoryId, rows[index + 1]);
        this.#heldPauseMs = HELD_MS;
        yield { cursor: this.cursor, event: row };
      }
    }
  }

  /** Tells the versions up to a position. A repository that has to wait is held from then on. */
  async *#tellNew(until: Position): AsyncGenerator<Told> {
    // A page is larger where few of its rows may match.
    const page = this.#patterns.length === 0 ? EVENTS : PAGE;
    const range = { after: this.#position, until, page, limit: EVENTS };
    const { db, tail } = this.#context;
    const { landed, last, trimmed, ...from } = await tail.reads.runExclusive(() =>
      readLanded(db, this.#patterns, range),
    );
    await this.#confirm(from, landed);
    if (trimmed) throw expiredError();
    for (const row of landed) {
      if (!this.#held.has(row.repositoryId)) {
        if (this.#isDue(row)) {
          this.#position = row.position;
          yield { cursor: this.cursor, event: row };
          continue;
        }
        if (this.#held.size >= HELD_LIMIT) {
          this.#position = row.position - 1n;
          return;
        }
        this.#hold(row.repositoryId, row);
      }
      this.#position = row.position;
    }
    this.#position = last;
  }

  #isDue({ everywhere }: Landed): boolean {
    return this.#visible === "landed" || everywhere;
  }

  #hold(repositoryId: string, first: Landed | undefined): void {
    if (first === undefined) this.#held.delete(repositoryId);
    else this.#held.set(repositoryId, { repositoryId, version: first.entry.version, position: first.position });
  }

  /**
   * Makes sure that the primary told what was read, and that a synchronous standby has what is told. Otherwise a
   * watcher could miss a version, or be told of one that a fail-over takes back.
   */
  async #confirm({ replicated, timeline }: ReadFrom, landed: readonly Landed[]): Promise<void> {
    const { db, me, lease } = this.#context;
    await requirePrimary(db, lease, timeline);
    if (!replicated || !landed.some((each) => this.#isDue(each))) return;
    const answer = await confirmReads(db, me, timeline);
    if (answer === "fenced") throw endAsFenced(this.#context);
    if (answer === "elsewhere") await requirePrimary(db, lease, null);
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#signal }).catch(() => this.#signal.throwIfAborted());
  }
}
