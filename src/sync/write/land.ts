// Repeats attempts to write until one has landed, or none will (docs/architecture.md, "A push"). The loop is the same
// for a push and for the end of a session. A `Writer` has the parts that differ.
import type { RefName, RefValue } from "../../domain.ts";
import { writesElsewhereError } from "../../store/replica/placement.ts";
import { writesStoppedError } from "../../store/write/write-stops.ts";
import type { Stopwatch } from "../../telemetry/stopwatch.ts";
import type { Holders } from "../copies/holders.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";
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
 * Lands the write of `writer`, beginning on the replica `first`. undefined: nothing was left to write. Throws
 * WRITES_STOPPED, WRITES_ELSEWHERE, OUTCOME_UNKNOWN, NOT_ENOUGH_COPIES, and what the writer throws when it gives up.
 */
export async function land(context: SyncContext, writer: Writer, first: Replica): Promise<Done | undefined> {
  let replica = first;
  for (;;) {
    const attempt = await writer.attempt(replica);
    switch (attempt?.outcome) {
      case undefined:
      case "done":
        return attempt;
      case "stopped":
        throw writesStoppedError(writer.repository, attempt.reason);
      case "elsewhere":
        throw await writesElsewhereError(context.db, {
          device: context.me.device,
          repository: writer.repository,
          noWrites: null,
        });
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
