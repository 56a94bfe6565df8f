// Refs as tests write them: text in which each character is one byte (latin1), as git has them.
import {
  nameFromLatin1,
  type RefName,
  type Refs,
  type RefUpdate,
  type RefValue,
  toLatin1,
  valueFromLatin1,
} from "../../src/domain.ts";

/** The name of a ref. */
export const ref = nameFromLatin1;

/** A change of a ref; null: it does not exist on that side. */
export function update(name: string, oldValue: string | null, newValue: string | null): RefUpdate {
  const value = (text: string | null) => (text === null ? null : valueFromLatin1(text));
  return { name: ref(name), oldValue: value(oldValue), newValue: value(newValue) };
}

/** What refs hold. */
export function refsFrom(text: Readonly<Record<string, string>>): Refs {
  return new Map(Object.entries(text).map(([name, value]) => [ref(name), valueFromLatin1(value)]));
}

/** What refs are to hold; null: they are to go. */
export function planFrom(text: Iterable<readonly [string, string | null]>): Map<RefName, RefValue | null> {
  return new Map([...text].map(([name, value]) => [ref(name), value === null ? null : valueFromLatin1(value)]));
}

/** The inverse of `refsFrom`. */
export function textOf(refs: Refs): Record<string, string> {
  return Object.fromEntries([...refs].map(([name, value]) => [toLatin1(name), toLatin1(value)]));
}
