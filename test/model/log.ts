// Reads the log: the fold, the changes between two versions, and the digest of a version. Stands for
// src/store/log/ref-log.ts.
import { digestOf, type Entry, NONE, type State } from "./state.ts";

export function headOf(state: State): number {
  return state.log.at(-1)?.version ?? 0;
}

/** Returns the refs at a version. */
export function fold(log: readonly Entry[], refs: number, version: number): number[] {
  const values = Array<number>(refs).fill(0);
  for (const entry of log) {
    if (entry.version > version) break;
    for (const [ref, value] of entry.updates) values[ref] = value;
  }
  return values;
}

export function foldAtHead(state: State): number[] {
  return fold(state.log, state.seen.length, headOf(state));
}

/** Returns the digest of the refs at a version, or undefined if the log does not have the version. */
export function digestAt(state: State, version: number): number | undefined {
  if (version === NONE) return undefined;
  if (version === 0) return digestOf(fold([], state.seen.length, 0));
  const known = version === headOf(state) || version > state.trimmed;
  return known ? state.log.find((entry) => entry.version === version)?.digest : undefined;
}

/**
 * Returns the refs that the versions after `from` up to the head change, each with its last value and version. Returns
 * undefined if a version is missing in between.
 */
export function changesSince(state: State, from: number): (readonly [number, number, number])[] | undefined {
  const entries = state.log.filter(({ version }) => version > from && version > state.trimmed);
  return entries.length === headOf(state) - from ? lastChanges(entries) : undefined;
}

/** Returns the changes after `from` in the rest of the log, even if versions are missing. */
export function changesLeft(state: State, from: number): (readonly [number, number, number])[] {
  return lastChanges(state.log.filter(({ version }) => version > from && version > state.trimmed));
}

function lastChanges(entries: readonly Entry[]): (readonly [number, number, number])[] {
  const last = new Map<number, readonly [number, number, number]>();
  for (const { version, updates } of entries) for (const [ref, value] of updates) last.set(ref, [ref, value, version]);
  return [...last.values()];
}

/** Returns the newest version at which a ref has this value, or -1 if there is none. */
export function newestWith(state: State, ref: number, value: number): number {
  const versions = [...state.log.map(({ version }) => version).reverse(), 0];
  return versions.find((version) => fold(state.log, state.seen.length, version)[ref] === value) ?? -1;
}

/** Returns the newest version that set a ref to this value, or 0 if none did. */
export function setAt(state: State, ref: number, value: number): number {
  return state.log.findLast(({ updates }) => updates.some(([r, v]) => r === ref && v === value))?.version ?? 0;
}
