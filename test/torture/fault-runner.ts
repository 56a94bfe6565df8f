import { setTimeout as delay } from "node:timers/promises";
import { describe } from "../../src/errors.ts";
import type { FaultContext } from "./fault-context.ts";
import type { PlannedFault } from "./fault-schedule.ts";
import { MAKE } from "./faults.ts";
import type { Recorder } from "./recorder.ts";

/** Kinds that need the sidecar of their device as it is while they last, and so exclude each other there. */
const EXCLUSIVE = /sidecar|device$|database$|disk$/;

const POLL_MS = 10;

/**
 * Makes the faults of a schedule when their time has come, until `stop` aborts; resolves when the last one has been taken back.
 * Faults overlap, except those that take hold of the same sidecar, which wait for one another; what
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
    const before = EXCLUSIVE.test(fault.kind) ? queues.get(fault.device) : undefined;
    const made = (before ?? Promise.resolve()).then(() => (stop.aborted ? undefined : make(fault, context, recorder)));
    if (EXCLUSIVE.test(fault.kind)) queues.set(fault.device, made);
    all.push(made);
  }
  await Promise.all(all);
}

async function make(fault: PlannedFault, context: FaultContext, recorder: Recorder): Promise<void> {
  const from = recorder.now();
  const member = context.cluster.member(fault.device);
  const outcome = await MAKE[fault.kind](context, fault, member).catch(
    (error: unknown) => `failed: ${describe(error)}`,
  );
  recorder.addFault({ kind: fault.kind, target: fault.device, from, to: recorder.now(), outcome });
}
