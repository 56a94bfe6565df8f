// Keeps three acts apart: an adoption, a replica that takes its directory over, and the undoing of an adoption. Each of
// them puts settings into a directory or takes them out.
import { Mutex } from "async-mutex";
import type { SyncContext } from "../device/context.ts";

const locks = new WeakMap<SyncContext, Mutex>();

/** Runs one of these acts, while no other one of this device runs. They are short. */
export async function oneDirectoryAtATime<Result>(context: SyncContext, run: () => Promise<Result>): Promise<Result> {
  const lock = locks.get(context) ?? new Mutex();
  locks.set(context, lock);
  return await lock.runExclusive(run);
}
