// Decides which refs a repository may hold. A ref lands on every device, so the rule does not depend on the disk of
// this one. Every path that makes refs (a push, a write session, thaw) asks this rule before it stages anything.
import {
  displayRef,
  HEAD,
  isBelow,
  isSymbolic,
  nameFromLatin1,
  PRIVATE_REFS,
  type RefName,
  type RefUpdate,
  shortHash,
  targetOf,
  toLatin1,
} from "./domain.ts";

/**
 * Bytes of a whole name. A path holds it, the longest root and repository name (`docs/running.md`), and the additions
 * of Lockstep and git. With this limit a path stays below Linux's 4,096 bytes. An entry of a PostgreSQL index takes
 * 2,700.
 */
const NAME_LIMIT = 1_000;
/** Bytes between two slashes: most file systems take 255, and git adds `.lock`. */
export const PART_LIMIT = 240;

const LISTED = 10;
const SHOWN = 300;

// The names that git's check_refname_format refuses.
// biome-ignore lint/suspicious/noControlCharactersInRegex: exactly those must not be in a name.
const FUNNY = /[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\/|(^|\/)\.|\.lock(\/|$)|\.$|^\/|\/$/;
// U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069, in UTF-8. They make one name look like another.
const BIDIRECTIONAL = /\xd8\x9c|\xe2\x80[\x8e\x8f\xaa-\xae]|\xe2\x81[\xa6-\xa9]/;

/** Returns why this update of a ref is refused, in words for its author. null: it is allowed. */
export function whyUnacceptable({ name, newValue }: Pick<RefUpdate, "name" | "newValue">): string | null {
  const why = name === HEAD ? null : newValue === null ? whyNotDeletable(name) : whyNoName(name);
  if (why !== null || newValue === null || !isSymbolic(newValue)) return why;
  const target = targetOf(newValue);
  const whyNot = target === HEAD ? null : whyNoName(target);
  return whyNot === null ? null : `the ref that it stands for: ${whyNot}`;
}

/**
 * Returns what is wrong with some updates, for people: the first refused refs, each with its reason. Empty: all are
 * allowed.
 */
export function describeUnacceptable(updates: readonly RefUpdate[]): string {
  const sentences: string[] = [];
  for (const update of updates) {
    const why = whyUnacceptable(update);
    if (why !== null) sentences.push(`${displayRef(update.name).slice(0, SHOWN)}: ${why}`);
    if (sentences.length === LISTED) break;
  }
  return sentences.join("; ");
}

/**
 * Returns the name below `prefix`, one of Lockstep's own, that keeps the value of the ref `name`. A name longer than
 * the rule allows, which a person may have made by hand, becomes a hash (`hashedName`).
 */
export function keptName(prefix: string, name: RefName): RefName {
  const text = toLatin1(name).replace(/^refs\//, "");
  const isLong = text.length > NAME_LIMIT || text.split("/").some((part) => part.length > PART_LIMIT);
  return isLong ? hashedName(prefix, name) : nameFromLatin1(prefix + text);
}

/**
 * Returns a name below `prefix` that is a hash of `name`. No hashed name excludes another, as `topic` excludes
 * `topic/a`.
 */
export function hashedName(prefix: string, name: RefName): RefName {
  return nameFromLatin1(`${prefix}by-hash/${shortHash(toLatin1(name))}`);
}

/** Returns why a new ref may not have this name. null: git takes the name and every device can hold it. */
function whyNoName(name: RefName): string | null {
  const parts = toLatin1(name).split("/");
  const why = whyNotDeletable(name);
  if (why !== null) return why;
  if (parts.length < 3) return "funny refname";
  if (toLatin1(name).length > NAME_LIMIT) return `name of more than ${NAME_LIMIT} bytes`;
  if (parts.some((part) => part.length > PART_LIMIT)) return `part of the name of more than ${PART_LIMIT} bytes`;
  if (BIDIRECTIONAL.test(toLatin1(name))) return "name with a character that changes the direction of text";
  return null;
}

/** Returns why a ref may not be deleted. A ref that should not be there may go if git can name it. */
function whyNotDeletable(name: RefName): string | null {
  if (isBelow(name, PRIVATE_REFS) || `${toLatin1(name)}/` === PRIVATE_REFS) return "refs/lockstep/ belongs to Lockstep";
  return !isBelow(name, "refs/") || FUNNY.test(toLatin1(name)) ? "funny refname" : null;
}
