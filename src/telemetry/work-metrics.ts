// Counts and measures what a sidecar does: pushes, catch-ups, reads, deliveries.
import type { ErrorCode } from "../errors.ts";
import type { Families } from "./families.ts";

function familiesOfPushes(families: Families) {
  return {
    pushes: families.counter("lockstep_pushes_total", "Pushes handed over by git, by what became of them", "result"),
    seconds: families.seconds("lockstep_push_seconds", "From git's commands to the report, for pushes that landed"),
    steps: families.seconds("lockstep_push_step_seconds", "Time of a push that landed in each of its steps", "step"),
    races: families.counter("lockstep_push_races_total", "Attempts of pushes that lost to another device"),
    inDoubt: families.gauge(
      "lockstep_writes_in_doubt",
      "Writes of this device for whose outcome the database is being asked",
    ),
    mutexWait: families.seconds("lockstep_mutex_wait_seconds", "Wait for the mutex of a replica"),
    mutexHold: families.seconds("lockstep_mutex_hold_seconds", "Time for which the mutex of a replica was held"),
  };
}

function familiesOfReads(families: Families) {
  return {
    reads: families.counter(
      "lockstep_reads_total",
      "Reads granted, on a replica that was current or had to fetch first",
      "result",
    ),
    refused: families.counter("lockstep_refused_reads_total", "Reads that were refused, by error code", "code"),
    packs: families.counter(
      "lockstep_packs_total",
      "Packs for clients of the gate and of ssh: made for several, shared, or left to the client's own git",
      "result",
    ),
    database: families.seconds("lockstep_database_seconds", "Round trips to PostgreSQL that ask for heads"),
    catchUps: families.counter("lockstep_catch_ups_total", "Catch-ups of replicas, by result", "result"),
    catchUpSeconds: families.seconds("lockstep_catch_up_seconds", "Duration of catch-ups that succeeded"),
    catchUpSteps: families.seconds(
      "lockstep_catch_up_step_seconds",
      "Time of a catch-up that succeeded in each of its steps",
      "step",
    ),
    catchUpBytes: families.counter(
      "lockstep_catch_up_bytes_total",
      "Bytes of packs received from other devices, by device",
      "source",
    ),
  };
}

function otherFamilies(families: Families) {
  return {
    watched: families.counter("lockstep_watch_events_total", "Events told to callers of Watch"),
    refused: families.counter(
      "lockstep_refused_callers_total",
      "Requests of callers that were not let in, by error code",
      "code",
    ),
    eventsDropped: families.counter(
      "lockstep_dropped_log_rows_total",
      "Rows of the push log and of the pull log that were never written",
      "log",
    ),
    hookDeliveries: families.counter(
      "lockstep_hook_deliveries_total",
      "Attempts to deliver events to webhooks",
      "result",
    ),
    hookSeconds: families.seconds("lockstep_hook_delivery_seconds", "Duration of deliveries that a webhook accepted"),
  };
}

/** The times of one piece of work, as a `Stopwatch` has them. */
export interface Measured {
  readonly durationMs: number;
  /** Milliseconds by step, such as `stageMs`. */
  readonly laps: Readonly<Record<string, number>>;
}

export class WorkMetrics {
  readonly #pushes: ReturnType<typeof familiesOfPushes>;
  readonly #reads: ReturnType<typeof familiesOfReads>;
  readonly #other: ReturnType<typeof otherFamilies>;

  constructor(families: Families) {
    this.#pushes = familiesOfPushes(families);
    this.#reads = familiesOfReads(families);
    this.#other = otherFamilies(families);
  }

  /** Counts a push that landed or changed nothing. `races`: its attempts that lost to another device. */
  pushed({ durationMs, laps }: Measured, races: number): void {
    const { pushes, seconds, steps, races: lost } = this.#pushes;
    pushes.inc({ result: "landed" });
    seconds.observe(durationMs / 1000);
    for (const [step, ms] of Object.entries(laps)) steps.observe({ step: nameOf(step) }, ms / 1000);
    lost.inc(races);
  }

  pushFailed(unknown: boolean): void {
    this.#pushes.pushes.inc({ result: unknown ? "unknown" : "refused" });
  }

  /** Counts a write whose outcome is not known, until the result is disposed of. */
  inDoubt(): Disposable {
    this.#pushes.inDoubt.inc();
    return { [Symbol.dispose]: () => this.#pushes.inDoubt.dec() };
  }

  /** Measures for how long somebody waited for the mutex of a replica and then held it. */
  heldMutex(waitedMs: number, heldMs: number): void {
    this.#pushes.mutexWait.observe(waitedMs / 1000);
    this.#pushes.mutexHold.observe(heldMs / 1000);
  }

  /** Counts a catch-up. `from`: the device that sent the objects. */
  caughtUp({ durationMs, laps }: Measured, { from, bytes }: { from: string; bytes: number }): void {
    const { catchUps, catchUpSeconds, catchUpSteps, catchUpBytes } = this.#reads;
    catchUps.inc({ result: "ok" });
    catchUpSeconds.observe(durationMs / 1000);
    for (const [step, ms] of Object.entries(laps)) catchUpSteps.observe({ step: nameOf(step) }, ms / 1000);
    if (bytes > 0) catchUpBytes.inc({ source: from }, bytes);
  }

  catchUpFailed(): void {
    this.#reads.catchUps.inc({ result: "failed" });
  }

  read(result: "current" | "fetched"): void {
    this.#reads.reads.inc({ result });
  }

  readRefused(code: ErrorCode): void {
    this.#reads.refused.inc({ code });
  }

  /** Runs a question to the database for heads, and measures it if it was answered. */
  async askedDatabase<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    const began = performance.now();
    const answer = await ask();
    this.#reads.database.observe((performance.now() - began) / 1000);
    return answer;
  }

  /** Counts a pack that a client of the gate or of ssh asked for. */
  packServed(result: "made" | "shared" | "alone"): void {
    this.#reads.packs.inc({ result });
  }

  watched(): void {
    this.#other.watched.inc();
  }

  /** Counts a connection or a request whose credentials were refused. */
  refused(code: string, times = 1): void {
    this.#other.refused.inc({ code }, times);
  }

  /** Counts rows of the push log or of the pull log that were dropped. */
  eventsDropped(log: "pushes" | "pulls", count: number): void {
    this.#other.eventsDropped.inc({ log }, count);
  }

  /** Counts an attempt to deliver an event to a webhook. */
  hookDelivered(result: "ok" | "failed", seconds: number): void {
    this.#other.hookDeliveries.inc({ result });
    if (result === "ok") this.#other.hookSeconds.observe(seconds);
  }
}

/** Returns the name of a step: `stage` for `stageMs`. */
function nameOf(lap: string): string {
  return lap.slice(0, -"Ms".length);
}
