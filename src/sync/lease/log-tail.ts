// Knows up to which position the log of the whole cluster is settled. Every position up to there has its row, or will
// never have one. Only that part may be told, because nobody looks at a position twice. One tail serves all watchers of
// a process. While nobody watches, it asks nothing.
import { setTimeout as sleep } from "node:timers/promises";
import { Semaphore } from "async-mutex";
import type { LogTailRow, Position } from "../../store/watch/log-tail.ts";
import { WAITS } from "../../waits.ts";

/** While transactions are under way that may fill a position. Doubles up to the limit. */
const UNSETTLED_MS = 20;
const UNSETTLED_LIMIT_MS = 500;
/** So many watchers of a process read from the database at once. Pushes need the other connections. */
const READS_LIMIT = 2;
/** Many heads at once are one look. */
const BATCH_MS = 10;

/** Reads the tail of the log after a position, from the primary. */
type Look = (after: Position | null) => Promise<LogTailRow>;

interface Waiter {
  /** Called with the settled position after each look. Returns true when it waits no longer. */
  readonly offer: (settled: Position | undefined) => boolean;
}

/** Finds out for all watchers of this process up to which position the log is settled. */
export class LogTail {
  /** Watchers take a place here for each statement. */
  readonly reads = new Semaphore(READS_LIMIT);
  readonly #look: Look;
  readonly #onFailure: (error: unknown) => void;
  #settled: Position | undefined;
  /** As of the last look. */
  #handedOut: Position | undefined;
  /** Once these writers are over, the log is settled up to `upTo`. */
  #barrier: { readonly upTo: Position; readonly writers: ReadonlySet<string> } | undefined;
  readonly #waiters = new Set<Waiter>();
  #running = false;
  /** Counts the looks that have begun. */
  #looks = 0;
  #pause = new AbortController();
  #woken = false;

  constructor(look: Look, onFailure: (error: unknown) => void) {
    this.#look = look;
    this.#onFailure = onFailure;
  }

  /** Returns whether a position is one that the database has not handed out: it may have been set back. */
  isAhead(position: Position): boolean {
    return this.#settled !== undefined && position > this.#settled;
  }

  /** Says that there may be new versions. */
  wake(): void {
    this.#woken = true;
    this.#pause.abort();
  }

  /**
   * Returns a position after everything that had landed before the call, once the log is settled there. Rejects when
   * `signal` aborts.
   */
  async now(signal: AbortSignal): Promise<Position> {
    const before = this.#looks;
    let wanted: Position | undefined;
    const found = await this.#wait(signal, undefined, (settled) => {
      // A look that had begun before the call may have seen less.
      if (this.#looks <= before) return false;
      wanted ??= this.#handedOut;
      return wanted !== undefined && settled !== undefined && settled >= wanted;
    });
    return found as Position;
  }

  /**
   * Returns the settled position as soon as it is beyond `position`, and undefined after `maxMs`. Rejects when `signal`
   * aborts.
   */
  async beyond(position: Position, maxMs: number, signal: AbortSignal): Promise<Position | undefined> {
    if (this.#settled !== undefined && this.#settled > position) return this.#settled;
    return await this.#wait(signal, maxMs, (settled) => settled !== undefined && settled > position);
  }

  async #wait(
    signal: AbortSignal,
    maxMs: number | undefined,
    isEnough: (settled: Position | undefined) => boolean,
  ): Promise<Position | undefined> {
    signal.throwIfAborted();
    return await new Promise((resolve, reject) => {
      const end = () => {
        this.#waiters.delete(waiter);
        signal.removeEventListener("abort", onAbort);
        clearTimeout(timer);
        if (this.#waiters.size === 0) this.#pause.abort();
      };
      const onAbort = () => {
        end();
        reject(signal.reason);
      };
      const waiter: Waiter = {
        offer: (settled) => {
          if (!isEnough(settled)) return false;
          end();
          resolve(settled);
          return true;
        },
      };
      const onTime = () => {
        end();
        resolve(undefined);
      };
      const timer = maxMs === undefined ? undefined : setTimeout(onTime, maxMs);
      signal.addEventListener("abort", onAbort, { once: true });
      this.#waiters.add(waiter);
      if (!this.#running) void this.#run();
      // `now` needs a look that begins after it.
      else if (maxMs === undefined) this.wake();
    });
  }

  /** Looks as long as somebody waits. */
  async #run(): Promise<void> {
    this.#running = true;
    let unsettledMs = UNSETTLED_MS;
    while (this.#waiters.size > 0) {
      this.#woken = false;
      this.#pause = new AbortController();
      let pauseMs = WAITS.logPollMs * (0.8 + 0.4 * Math.random());
      try {
        const before = this.#settled;
        this.#looks += 1;
        this.#take(await this.#look(this.#settled ?? null));
        unsettledMs = this.#settled === before ? Math.min(unsettledMs * 2, UNSETTLED_LIMIT_MS) : UNSETTLED_MS;
        if (this.#barrier !== undefined) pauseMs = unsettledMs;
        for (const waiter of [...this.#waiters]) waiter.offer(this.#settled);
      } catch (error) {
        this.#onFailure(error);
        pauseMs = WAITS.logRetryMs;
      }
      if (this.#waiters.size === 0) break;
      if (!this.#woken) await sleep(pauseMs, undefined, { signal: this.#pause.signal }).catch(() => {});
      await sleep(BATCH_MS);
    }
    this.#running = false;
  }

  #take({ handedOut, whole, writers }: LogTailRow): void {
    this.#handedOut = handedOut;
    // An operator has put an older copy in the place of the database.
    if (this.#settled !== undefined && this.#settled > handedOut) {
      this.#settled = handedOut;
      this.#barrier = undefined;
    } else if (whole !== null) this.#reach(whole);
    if (writers.length === 0) this.#reach(handedOut);
    if (this.#barrier !== undefined && !writers.some((writer) => this.#barrier?.writers.has(writer))) {
      this.#reach(this.#barrier.upTo);
      this.#barrier = undefined;
    }
    if (this.#settled !== undefined && this.#settled >= handedOut) this.#barrier = undefined;
    else this.#barrier ??= { upTo: handedOut, writers: new Set(writers) };
  }

  #reach(position: Position): void {
    if (this.#settled === undefined || position > this.#settled) this.#settled = position;
  }
}
