// Keeps three acts apart: an adoption, a replica that takes its directory over, and the undoing of an adoption. Each of
// them puts settings into a directory or takes them out.
import { Mutex } from "async-mutex";
import type { SyncContext } from "../device/context.ts";

const mutexes = new WeakMap<SyncContext, Mutex>();

/** Runs one of these acts, while no other one of this device runs. They are short. */
export async function oneDirectoryAtATime<Result>(context: SyncContext, run: () => Promise<Result>): Promise<Result> {
  const mutex = mutexes.get(context) ?? new Mutex();
  mutexes.set(context, mutex);
  return await mutex.runExclusive(run);
}
