// Which refs a repository may hold. A ref lands on every device, whatever disks they have, so this does not depend on the disk here: one
// rule, asked before anything is staged, whoever makes the ref (a push, a write session, thaw).
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
 * Bytes of a whole name. With the longest root and repository name (`docs/running.md`), and what Lockstep and git put around it, a path
 * stays below Linux's 4,096; an entry of a PostgreSQL index takes 2,700.
 */
const NAME_LIMIT = 1_000;
/** Bytes of what stands between two slashes: most file systems take 255, and git adds `.lock`. */
export const PART_LIMIT = 240;

const LISTED = 10;
const SHOWN = 300;

// git's check_refname_format.
// biome-ignore lint/suspicious/noControlCharactersInRegex: exactly those must not be in a name.
const FUNNY = /[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\/|(^|\/)\.|\.lock(\/|$)|\.$|^\/|\/$/;
// U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069, in UTF-8: they make a name look like another.
const BIDIRECTIONAL = /\xd8\x9c|\xe2\x80[\x8e\x8f\xaa-\xae]|\xe2\x81[\xa6-\xa9]/;

/** Why a ref may not be changed so, in words for its author, or null: it may. */
export function whyUnacceptable({ name, newValue }: Pick<RefUpdate, "name" | "newValue">): string | null {
  const why = name === HEAD ? null : newValue === null ? whyNotDeletable(name) : whyNoName(name);
  if (why !== null || newValue === null || !isSymbolic(newValue)) return why;
  const target = targetOf(newValue);
  const whyNot = target === HEAD ? null : whyNoName(target);
  return whyNot === null ? null : `the ref that it stands for: ${whyNot}`;
}

/** What is wrong with some updates, for people: the first of those that may not be, each with the reason. Empty: all may. */
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
 * The name below `prefix`, which is Lockstep's own, that keeps what the ref called `name` held. One that is too long for the rule, as
 * somebody may make by hand, is kept under a hash of its name (`hashedName`).
 */
export function keptName(prefix: string, name: RefName): RefName {
  const text = toLatin1(name).replace(/^refs\//, "");
  const isLong = text.length > NAME_LIMIT || text.split("/").some((part) => part.length > PART_LIMIT);
  return isLong ? hashedName(prefix, name) : nameFromLatin1(prefix + text);
}

/** The same for names that cannot be kept as they are: none of these is in another's way. */
export function hashedName(prefix: string, name: RefName): RefName {
  return nameFromLatin1(`${prefix}by-hash/${shortHash(toLatin1(name))}`);
}

/** What git takes as the name of a new ref, and every device can hold. */
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

/** A ref that should not be there may always go, as far as git can name it. */
function whyNotDeletable(name: RefName): string | null {
  if (isBelow(name, PRIVATE_REFS) || `${toLatin1(name)}/` === PRIVATE_REFS) return "refs/lockstep/ belongs to Lockstep";
  return !isBelow(name, "refs/") || FUNNY.test(toLatin1(name)) ? "funny refname" : null;
}
