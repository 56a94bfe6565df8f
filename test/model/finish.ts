// Models the end of a write that did not land, and a replica in doubt.
import { writeOf } from "./database.ts";
import { type Device, type Model, NONE, type State, type Who } from "./state.ts";
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
  const { write: w, phase } = process.push!;
  const write = writeOf(state, w);
  const device = deviceOf(state, d);
  const live = write.session && !keeps(model, "scratch");
  const locked = ["prepared", "sent", "resent", "unknown", "ask"].includes(phase);
  if (locked && mayTouchDisk(model, who) && !live) for (const ref of write.refs) device.locks[ref] = NONE;
  if (write.session && mayTouchDisk(model, who)) keepDropped(model, state, d, w);
  if (ng) write.ack = "ng";
  if (live) process.applied = NONE;
  process.push = null;
  state.turn = state.turn.filter((ticket) => ticket !== w);
}

/** Moves the changes in the scratch repository of a dropped session below refs/lockstep/dropped/. */
export function keepDropped(model: Model, state: State, d: number, w: number): void {
  const device = deviceOf(state, d);
  if ((device.scratch & bit(w)) === 0) return;
  device.scratch &= ~bit(w);
  if (keeps(model, "dropped-refs-kept")) device.saved |= bit(w);
}
