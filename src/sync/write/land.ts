// Repeats attempts to write until one has landed, or none will (docs/architecture.md, "A push"). The loop is the same
// for a push and for the end of a session. A `Writer` has the parts that differ.
import { setTimeout as sleep } from "node:timers/promises";
import type { RefName, RefValue, Version } from "../../domain.ts";
import { describe, LockstepError } from "../../errors.ts";
import { linkSignals } from "../../io/signals.ts";
import { writesElsewhereError } from "../../store/replica/placement.ts";
import { writesStoppedError } from "../../store/write/write-stops.ts";
import type { Stopwatch } from "../../telemetry/stopwatch.ts";
import { WAITS } from "../../waits.ts";
import { catchUp } from "../catch-up/catch-up.ts";
import type { Holders } from "../copies/holders.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";
import { recordBeside } from "../replica/apply.ts";
import type { Attempt, Done, Lost } from "./outcome.ts";

/** A push, or a session that ends. */
export interface Writer {
  readonly repository: string;
  readonly clock: Stopwatch;
  readonly holders: Holders;
  /** Tries once, on a replica at the head. undefined: nothing is left to write. */
  attempt(replica: Replica): Promise<Attempt | undefined>;
  /**
   * Learns which refs are aliases: `held` has the values of these, and of the refs that were believed to be aliases.
   */
  learn?(held: ReadonlyMap<RefName, RefValue | null>): void;
  /** Returns when it is time to try again. Throws when the writer gives up. */
  lost(attempt: Lost): Promise<void>;
  /** Catches up and returns the replica for the next attempt. */
  read(): Promise<Replica>;
}

/**
 * Waits until a version that has landed is on this disk, with all before it. Only then its author is told so. If the
 * objects of a version before it are lost with their device, an operator may give up both: no disk has this one either.
 * Throws OUTCOME_UNKNOWN when that takes too long.
 */
async function bringHere(context: SyncContext, replica: Replica, version: Version): Promise<void> {
  using patience = linkSignals([context.signal], WAITS.landedHereMs);
  const { signal } = patience;
  let failure: unknown = new Error("it was given up by an operator");
  while (!signal.aborted && replica.settled <= version) {
    try {
      await catchUp(context, replica, version, { signal });
      // Others must know that this device has it: a version that nobody has may be given up.
      await recordBeside(context, replica);
      if (replica.settled <= version && replica.recorded >= version) return;
      if (replica.settled <= version) failure = new Error("the database did not record that it has them");
    } catch (error) {
      failure = error;
    }
    await sleep(WAITS.askOutcomeAgainMs, undefined, { signal }).catch(() => {});
  }
  throw new LockstepError(
    "OUTCOME_UNKNOWN",
    `The write has landed as version ${version} of ${replica.name}, and it is not sure that this device has all versions before it (${describe(failure)}).`,
    { cause: failure, details: { repository: replica.name, version: String(version) } },
  );
}

/**
 * Lands the write of `writer`, beginning on the replica `first`. undefined: nothing was left to write. Throws
 * WRITES_STOPPED, WRITES_ELSEWHERE, OUTCOME_UNKNOWN, NOT_ENOUGH_COPIES, and what the writer throws when it gives up.
 */
export async function land(context: SyncContext, writer: Writer, first: Replica): Promise<Done | undefined> {
  let replica = first;
  for (;;) {
    const attempt = await writer.attempt(replica);
    switch (attempt?.outcome) {
      case undefined:
        return undefined;
      case "done":
        if (attempt.version !== null && !attempt.onDisk) {
          await bringHere(context, replica, attempt.version);
          writer.clock.lap("readMs");
        }
        return attempt;
      case "stopped":
        throw writesStoppedError(writer.repository, attempt.reason);
      case "elsewhere":
        throw await writesElsewhereError(context.db, {
          device: context.me.device,
          repository: writer.repository,
          noWrites: null,
        });
      case "not_at_once":
        break;
      case "aliases":
        writer.learn?.(attempt.held);
        break;
      case "too_few_copies":
        await writer.holders.make(context, replica, attempt.rule);
        writer.clock.lap("copiesMs");
        break;
      case "turn":
      case "raced":
        await writer.lost(attempt);
        replica = await writer.read();
        writer.clock.lap("readMs");
    }
  }
}
