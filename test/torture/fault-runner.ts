import { setTimeout as delay } from "node:timers/promises";
import { describe } from "../../src/errors.ts";
import type { FaultContext } from "./fault-context.ts";
import type { PlannedFault } from "./fault-schedule.ts";
import { MAKE } from "./faults.ts";
import type { Recorder } from "./recorder.ts";

/** Kinds that need the sidecar of their device as it is while they last, and so exclude each other there. */
const EXCLUSIVE = /sidecar|device$|database$|disk$|^lost part/;
/** Kinds that need PostgreSQL's servers as they are; their clock counts too. */
const OF_THE_DATABASE = /^(standby away|fail-over|crash database|clock of the database jumps)$/;
/** Kinds that need the git programs of their device as they are. */
const OF_GIT = /^hung git$/;

const POLL_MS = 10;

/**
 * Makes the faults of a schedule when their time has come, until `stop` aborts; resolves when the last one has been taken back.
 * Faults overlap, except those that take hold of the same thing, which wait for one another; what
 * still waits when it stops is left out.
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

/** What no two faults may hold at once; undefined: it is in nobody's way. */
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
