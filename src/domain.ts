// The nouns of the project as plain types: repository, device, replica, version, leader, write (docs/architecture.md).
import { createHash } from "node:crypto";

/** The number of a landed write, which a replica or the cluster holds: 0, 1, 2 … without gaps in each repository. */
export type Version = bigint;

declare const kind: unique symbol;

/**
 * A full ref name as git stores it: bytes, which need not be UTF-8. The program keeps it as a string with one character
 * for each byte (latin1). So names can be compared and be keys of a map. To the compiler it is no string but a symbol.
 * So a conversion that was forgotten does not compile: a symbol cannot be put into a string, passed as one or compared
 * with one. The functions below convert.
 */
export type RefName = symbol & { readonly [kind]: "ref name" };

/** The id of an object in hex, which is ASCII. */
export type ObjectId = string & { readonly [kind]: "object id" };

/** The content of a symbolic ref, as in a loose ref file: `ref: ` and the name of another ref. */
export type SymbolicValue = symbol & { readonly [kind]: "symbolic value" };

/** The content of a ref. */
export type RefValue = ObjectId | SymbolicValue;

/** One ref that a write changes. null: the ref does not exist on that side. */
export interface RefUpdate {
  readonly name: RefName;
  readonly oldValue: RefValue | null;
  readonly newValue: RefValue | null;
}

/** The refs of a repository at one version: the fold of its ref log. */
export type Refs = ReadonlyMap<RefName, RefValue>;

/** How git stores the refs of a replica. Each device chooses for itself. */
export type RefFormat = "files" | "reftable";

/**
 * pending: the replica holds nothing yet, or less than was recorded. active: it holds its recorded version. broken: an
 * operator has to look at it. released, destroyed: it is not used any more.
 */
export type ReplicaState = "pending" | "active" | "broken" | "released" | "destroyed";
export type WriteStatus = "staged" | "landed" | "dropped";

/** The one live sidecar of a device. Every statement of it carries the fence. */
export interface Incarnation {
  readonly device: string;
  readonly id: string;
  readonly fence: bigint;
}

/** The prefix of the refs that belong to Lockstep. They are outside fold, digest, advertisement and push. */
export const PRIVATE_REFS = "refs/lockstep/";

/** How many characters an author or a reason may have: both are kept for long. */
export const TEXT_LIMIT = 200;

/** Returns true for an object id (SHA-1 or SHA-256, hex). */
export function isObjectId(value: string): value is ObjectId {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(value);
}

/** Returns a stable short name for a long text: half of the hex of its SHA-256. */
export function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

/** Makes a ref name of text that this program or a person writes. */
export function refName(text: string): RefName {
  return nameFromBytes(Buffer.from(text, "utf8"));
}

/** Returns a ref name or value as git and the database have it. */
export function toBytes(ref: RefName | RefValue): Buffer {
  return Buffer.from(toLatin1(ref), "latin1");
}

/** Inverts `toBytes` for names. */
export function nameFromBytes(bytes: Buffer): RefName {
  return nameFromLatin1(bytes.toString("latin1"));
}

/** Inverts `toBytes` for values. Keeps null. */
export function valueFromBytes(bytes: Buffer | null): RefValue | null {
  return bytes === null ? null : valueFromLatin1(bytes.toString("latin1"));
}

/**
 * Returns a ref name or value as a part of git's input or output, one character for each byte. Code that writes it out
 * must use the encoding "latin1".
 */
export function toLatin1(ref: RefName | RefValue): string {
  return ref as unknown as string;
}

/** Inverts `toLatin1` for names. */
export function nameFromLatin1(text: string): RefName {
  return text as unknown as RefName;
}

/** Inverts `toLatin1` for values. */
export function valueFromLatin1(text: string): RefValue {
  return text as unknown as RefValue;
}

// Matches one character of UTF-8. A byte that is not part of one is captured, and so is a backslash.
const CHARACTER = /[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}|([\x80-\xff\\])/g;

/**
 * Returns a ref name or value for people, JSON and logs: its bytes decoded as UTF-8. A byte that is not UTF-8 is
 * written as `\xe9`, a backslash as `\x5c`. No ref that lands has a backslash, but a ref on a disk may.
 */
export function displayRef(ref: RefName | RefValue): string {
  return toLatin1(ref).replace(CHARACTER, (character, stray: string | undefined) =>
    stray === undefined ? Buffer.from(character, "latin1").toString("utf8") : `\\x${stray.charCodeAt(0).toString(16)}`,
  );
}

const SYMBOLIC = "ref: ";

/** Returns the value of a symbolic ref to `target`. */
export function symbolicTo(target: RefName): SymbolicValue {
  return (SYMBOLIC + toLatin1(target)) as unknown as SymbolicValue;
}

/** Returns true for the value of a symbolic ref. */
export function isSymbolic(value: RefValue | null): value is SymbolicValue {
  return value !== null && toLatin1(value).startsWith(SYMBOLIC);
}

/** Returns the ref to which a symbolic ref leads. */
export function targetOf(value: SymbolicValue): RefName {
  return nameFromLatin1(toLatin1(value).slice(SYMBOLIC.length));
}

export const HEAD: RefName = refName("HEAD");

/** Returns true when a name begins with `prefix`, which is ASCII. */
export function isBelow(name: RefName, prefix: string): boolean {
  return toLatin1(name).startsWith(prefix);
}

/** Compares names by their bytes, which is git's order. For `sort`. */
export function compareRefs(a: RefName, b: RefName): number {
  return toLatin1(a) < toLatin1(b) ? -1 : Number(a !== b);
}

/** Returns the object ids among the values of refs, each once. */
export function objectIds(values: Iterable<RefValue | null>): ObjectId[] {
  const ids = new Set<ObjectId>();
  for (const value of values) if (value !== null && value !== "" && !isSymbolic(value)) ids.add(value);
  return [...ids];
}

/** The author of a change of refs. The operator's `reference-transaction` hook may refuse the change. */
export interface RefAuthor {
  /**
   * Variables for git and for that hook. GIT_COMMITTER_NAME and GIT_COMMITTER_EMAIL appear in reflogs.
   */
  readonly variables: Readonly<Record<string, string>>;
  /** The folder of that hook, absolute. undefined: `hooks` in the repository. */
  readonly hooks?: string;
}

/** Makes a RefAuthor. `known`: more variables that the hook may read, from the environment in which somebody pushed. */
export function refAuthor(name: string, known: Readonly<Record<string, string>> = {}): RefAuthor {
  return { variables: { GIT_COMMITTER_NAME: name, GIT_COMMITTER_EMAIL: name, ...known } };
}

/** A UUID in lower case, as part of a regular expression. */
export const UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
const WHOLE_UUID = new RegExp(`^${UUID}$`);

/** The id that nothing has. It sorts before all others. */
export const ZERO_UUID = "00000000-0000-0000-0000-000000000000";

/** Returns true for a UUID in lower case. */
export function isUuid(text: string): boolean {
  return WHOLE_UUID.test(text);
}
