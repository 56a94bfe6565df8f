// Converts refs from the text of tests. Each character of the text is one byte (latin1), because names in git are
// bytes.
import {
  nameFromLatin1,
  type RefName,
  type Refs,
  type RefUpdate,
  type RefValue,
  toLatin1,
  valueFromLatin1,
} from "../../src/domain.ts";

/** Makes the name of a ref from text. */
export const ref = nameFromLatin1;

/** Makes a change of a ref. null means that the ref does not exist before, or after. */
export function update(name: string, oldValue: string | null, newValue: string | null): RefUpdate {
  const value = (text: string | null) => (text === null ? null : valueFromLatin1(text));
  return { name: ref(name), oldValue: value(oldValue), newValue: value(newValue) };
}

/** Makes a map of refs from names and values. */
export function refsFrom(text: Readonly<Record<string, string>>): Refs {
  return new Map(Object.entries(text).map(([name, value]) => [ref(name), valueFromLatin1(value)]));
}

/** Makes a plan of refs: the wanted value of each, or null to delete the ref. */
export function planFrom(text: Iterable<readonly [string, string | null]>): Map<RefName, RefValue | null> {
  return new Map([...text].map(([name, value]) => [ref(name), value === null ? null : valueFromLatin1(value)]));
}

/** Converts a map of refs to text, the inverse of `refsFrom`. */
export function textOf(refs: Refs): Record<string, string> {
  return Object.fromEntries([...refs].map(([name, value]) => [toLatin1(name), toLatin1(value)]));
}
