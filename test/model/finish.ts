// Models the end of a write that did not land, and a replica in doubt.
import { writeOf } from "./database.ts";
import { type Device, type Model, NONE, type Push, type State, type Who } from "./state.ts";
import { bit, deviceOf, keeps, processOf } from "./step.ts";

/** Puts the replica in doubt: it must be examined again. The version that it held stays known. */
export function doubt(model: Model, state: State, d: number, who: Who): void {
  const device = deviceOf(state, d);
  processOf(state, d, who).applied = NONE;
  device.note = device.note && keeps(model, "doubt-keeps-version") ? { ...device.note, sound: false } : null;
}

/** Marks the start of writing refs: after a crash the note must not be believed. */
export function tear(model: Model, device: Device): void {
  if (device.note && keeps(model, "torn-notes")) device.note = { ...device.note, sound: false };
}

/** Returns whether a process may write to the disk. A replaced process may not: its git children have ended. */
export function mayTouchDisk(model: Model, who: Who): boolean {
  return who === "live" || !keeps(model, "old-process-gone");
}

/**
 * Ends a push that has not landed. Removes its locks by path, as git does, and keeps the changes of a session's caller.
 */
export function finish(model: Model, state: State, d: number, who: Who, ng: boolean): void {
  const process = processOf(state, d, who);
  const { write: w, others, waiting } = process.push!;
  const write = writeOf(state, w);
  const live = write.session && !keeps(model, "scratch");
  endLocks(model, state, d, who);
  if (write.session && mayTouchDisk(model, who)) keepDropped(model, state, d, w);
  if (ng) for (const each of [w, ...others]) writeOf(state, each).ack = "ng";
  if (live) process.applied = NONE;
  process.push = nextOf(waiting);
  state.turn = state.turn.filter((ticket) => ticket !== w);
}

/** Removes the locks of a push that has not landed, and of those that it has taken along. */
export function endLocks(model: Model, state: State, d: number, who: Who): void {
  const { write, others, phase } = processOf(state, d, who).push!;
  const live = writeOf(state, write).session && !keeps(model, "scratch");
  const locked = ["prepared", "sent", "resent", "unknown", "ask"].includes(phase);
  if (!locked || !mayTouchDisk(model, who) || live) return;
  for (const w of [write, ...others]) for (const ref of writeOf(state, w).refs) deviceOf(state, d).locks[ref] = NONE;
}

/** Returns the push that comes after one that has ended. */
export function nextOf([first, ...rest]: readonly number[]): Push | null {
  return first === undefined ? null : waiting(first, rest);
}

/** Returns a push that waits for the mutex. Those in `rest` come after it, each alone. */
export function waiting(write: number, rest: readonly number[] = []): Push {
  const unknown = { version: NONE, digest: NONE, pos: 0, copied: false };
  return { write, others: [], asked: [], waiting: rest, phase: "hook", ...unknown };
}

/** Moves the changes in the scratch repository of a dropped session below refs/lockstep/dropped/. */
export function keepDropped(model: Model, state: State, d: number, w: number): void {
  const device = deviceOf(state, d);
  if ((device.scratch & bit(w)) === 0) return;
  device.scratch &= ~bit(w);
  if (keeps(model, "dropped-refs-kept")) device.saved |= bit(w);
}
