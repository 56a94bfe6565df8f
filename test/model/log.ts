// What the log says: the fold, what changed between two versions, and the digest of a version. Stands for src/store/ref-log.ts.
import { digestOf, type Entry, type State } from "./state.ts";

export function headOf(state: State): number {
  return state.log.at(-1)?.version ?? 0;
}

/** The refs at a version. */
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

/** The digest of the refs at a version; undefined where the log does not hold it (any more). */
export function digestAt(state: State, version: number): number | undefined {
  const known = version === headOf(state) || version > state.trimmed || version === 0;
  if (!known || (version !== 0 && !state.log.some((entry) => entry.version === version))) return undefined;
  return digestOf(fold(state.log, state.seen.length, version));
}

/** The refs touched in (from, head] with their last value and version; undefined where versions are missing in between. */
export function changesSince(state: State, from: number): (readonly [number, number, number])[] | undefined {
  const entries = state.log.filter(({ version }) => version > from && version > state.trimmed);
  return entries.length === headOf(state) - from ? lastChanges(entries) : undefined;
}

/** The same from what is left of the log. */
export function changesLeft(state: State, from: number): (readonly [number, number, number])[] {
  return lastChanges(state.log.filter(({ version }) => version > from && version > state.trimmed));
}

function lastChanges(entries: readonly Entry[]): (readonly [number, number, number])[] {
  const last = new Map<number, readonly [number, number, number]>();
  for (const { version, updates } of entries) for (const [ref, value] of updates) last.set(ref, [ref, value, version]);
  return [...last.values()];
}

/** The newest version at which a ref has this value; -1: at none. */
export function newestWith(state: State, ref: number, value: number): number {
  const versions = [...state.log.map(({ version }) => version).reverse(), 0];
  return versions.find((version) => fold(state.log, state.seen.length, version)[ref] === value) ?? -1;
}

/** The newest version that set a ref to this value; 0: none did. */
export function setAt(state: State, ref: number, value: number): number {
  return state.log.findLast(({ updates }) => updates.some(([r, v]) => r === ref && v === value))?.version ?? 0;
}
