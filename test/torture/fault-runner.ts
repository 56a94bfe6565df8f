import { setTimeout as delay } from "node:timers/promises";
import { describe } from "../../src/errors.ts";
import type { FaultContext } from "./fault-context.ts";
import type { PlannedFault } from "./fault-schedule.ts";
import { MAKE } from "./faults.ts";
import type { Recorder } from "./recorder.ts";

/** Kinds that need an unchanged sidecar on their device while they last. They exclude each other on a device. */
const EXCLUSIVE = /sidecar|device$|database$|disk$|^lost part/;
/** Kinds that need unchanged PostgreSQL servers with an unchanged clock. */
const OF_THE_DATABASE = /^(standby away|fail-over|crash database|clock of the database jumps)$/;
/** Kinds that need unchanged git programs on their device. */
const OF_GIT = /^hung git$/;

const POLL_MS = 10;

/**
 * Makes the faults of a schedule, each at its time, until `stop` aborts. Resolves when the last fault has been taken
 * back. Faults overlap, but two faults that hold the same thing wait for one another. A fault that still waits at the
 * end is left out.
 */
export async function runFaults(
  schedule: Iterable<PlannedFault>,
  context: FaultContext,
  recorder: Recorder,
  stop: AbortSignal,
): Promise<void> {
  const queues = new Map<string, Promise<void>>();
  const all: Promise<void>[] = [];
  for (const fault of schedule) {
    while (recorder.operations < fault.at && !stop.aborted) await delay(POLL_MS);
    if (stop.aborted) break;
    const held = heldBy(fault);
    const before = held === undefined ? undefined : queues.get(held);
    const made = (before ?? Promise.resolve()).then(() =>
      stop.aborted ? undefined : make(fault, context, recorder, stop),
    );
    if (held !== undefined) queues.set(held, made);
    all.push(made);
  }
  await Promise.all(all);
}

/**
 * Returns the thing that a fault holds and no other fault may hold meanwhile. Returns undefined if it holds nothing.
 */
function heldBy({ kind, device }: PlannedFault): string | undefined {
  if (OF_THE_DATABASE.test(kind)) return "the database";
  if (OF_GIT.test(kind)) return `the git of ${device}`;
  return EXCLUSIVE.test(kind) ? device : undefined;
}

async function make(fault: PlannedFault, context: FaultContext, recorder: Recorder, stop: AbortSignal): Promise<void> {
  const from = recorder.now();
  const member = context.cluster.member(fault.device);
  const outcome = await MAKE[fault.kind](context, fault, member, stop).catch(
    (error: unknown) => `failed: ${describe(error)}`,
  );
  recorder.addFault({ kind: fault.kind, target: fault.device, from, to: recorder.now(), outcome });
}
