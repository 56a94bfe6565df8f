// The nouns of the project as plain types: repository, device, replica, version, leader, write (docs/architecture.md).
import { createHash, createHmac } from "node:crypto";
import { LockstepError } from "./errors.ts";

/** The number of the last write that a replica, or the cluster, holds: 0, 1, 2 … dense per repository. */
export type Version = bigint;

declare const kind: unique symbol;

/**
 * A full ref name as git stores it: bytes, which need not be UTF-8. It is kept as a string of one character a byte (latin1), so that it
 * can be compared and be the key of a map. To the compiler it is no string: TypeScript refuses to put a symbol into another string, to pass
 * it as one or to compare it with one, so a conversion that was forgotten does not compile. The functions below convert.
 */
export type RefName = symbol & { readonly [kind]: "ref name" };

/** The id of an object in hex, which is ASCII. */
export type ObjectId = string & { readonly [kind]: "object id" };

/** What a symbolic ref holds, as in a loose ref file: `ref: ` and the name of another ref. */
export type SymbolicValue = symbol & { readonly [kind]: "symbolic value" };

/** What a ref holds. */
export type RefValue = ObjectId | SymbolicValue;

/** One ref changed by a write. null: the ref does not exist on that side. */
export interface RefUpdate {
  readonly name: RefName;
  readonly oldValue: RefValue | null;
  readonly newValue: RefValue | null;
}

/** The refs of a repository at one version: the fold of its ref log. */
export type Refs = ReadonlyMap<RefName, RefValue>;

/** How git stores the refs of a replica: a matter of each device. */
export type RefFormat = "files" | "reftable";

export type ReplicaState = "pending" | "active" | "broken" | "released" | "destroyed";
export type WriteStatus = "staged" | "landed" | "dropped";

/** The one live sidecar of a device, and the fence that every statement of it carries. */
export interface Incarnation {
  readonly device: string;
  readonly id: string;
  readonly fence: bigint;
}

/** Refs below it belong to Lockstep: outside fold, digest, advertisement and push. */
export const PRIVATE_REFS = "refs/lockstep/";

/** Characters of an author or a reason, which are kept for ever. */
export const TEXT_LIMIT = 200;

const NAME_PART = /^[A-Za-z0-9_][A-Za-z0-9_.+-]*$/;
const NAME_LIMIT = 200;

/**
 * Checks a repository name such as `team/app` and returns it. A name becomes a path below the root and a part of URLs,
 * so it is a list of plain words: no `..`, no leading `-` or `.`, no `.git` or `.lock` at the end of a part.
 * Throws INVALID_NAME.
 */
export function repositoryName(name: string): string {
  const refuse = (why: string): never => {
    const shown = JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name);
    throw new LockstepError("INVALID_NAME", `The repository name ${shown} ${why}; use words like team/app.`);
  };
  if (name.length === 0) refuse("is empty");
  if (name.length > NAME_LIMIT) refuse(`is longer than ${NAME_LIMIT} characters`);
  for (const part of name.split("/")) {
    if (part === "") refuse("has a part that is empty");
    if (/^[.+-]/.test(part)) refuse(`has a part that begins with "${part[0]}"`);
    if (!NAME_PART.test(part)) refuse("holds a character other than A-Z a-z 0-9 _ . + -");
    if (part.includes("..")) refuse('contains ".."');
    if (part.endsWith(".git") || part.endsWith(".lock") || part.endsWith("."))
      refuse('has a part ending in ".git", ".lock" or "."');
  }
  return name;
}

const DEVICE_NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Checks a device name (a DNS label, so that it fits certificates and pod names) and returns it. Throws INVALID_NAME. */
export function deviceName(name: string): string {
  if (DEVICE_NAME.test(name)) return name;
  throw new LockstepError(
    "INVALID_NAME",
    `The device name ${JSON.stringify(name.slice(0, 70))} is not a DNS label; use up to 63 of a-z 0-9 and "-", such as repo001.`,
  );
}

/** True for an object id (SHA-1 or SHA-256, hex). */
export function isObjectId(value: string): value is ObjectId {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(value);
}

const DIGEST_BYTES = 32;
const DIGEST_MODULUS = 1n << 256n;
export const EMPTY_DIGEST: Buffer = Buffer.alloc(DIGEST_BYTES);

function refHash(key: Buffer, name: RefName, value: RefValue): bigint {
  const mac = createHmac("sha256", key).update(toBytes(name)).update("\0").update(toBytes(value));
  return BigInt(`0x${mac.digest("hex")}`);
}

/**
 * The digest after `updates`: a keyed set hash, the sum modulo 2^256 of HMAC-SHA-256(key, name NUL value). The sum makes
 * it follow a write in the size of the change; the key, which no pusher knows, keeps anyone from making two sets collide.
 */
export function digestAfter(key: Buffer, digest: Buffer, updates: Iterable<RefUpdate>): Buffer {
  let sum = BigInt(`0x${digest.toString("hex")}`);
  for (const { name, oldValue, newValue } of updates) {
    if (oldValue !== null) sum -= refHash(key, name, oldValue);
    if (newValue !== null) sum += refHash(key, name, newValue);
  }
  sum = ((sum % DIGEST_MODULUS) + DIGEST_MODULUS) % DIGEST_MODULUS;
  return Buffer.from(sum.toString(16).padStart(DIGEST_BYTES * 2, "0"), "hex");
}

/** The digest of a whole set of refs. */
export function digestOf(key: Buffer, refs: Refs): Buffer {
  const creates = [...refs].map(([name, newValue]): RefUpdate => ({ name, oldValue: null, newValue }));
  return digestAfter(key, EMPTY_DIGEST, creates);
}

/** Half of the hex of a SHA-256: a stable short name for something long. */
export function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

/** A ref name that this program or a person writes: text. */
export function refName(text: string): RefName {
  return nameFromBytes(Buffer.from(text, "utf8"));
}

/** A ref name or value as git and the database have it. */
export function toBytes(ref: RefName | RefValue): Buffer {
  return Buffer.from(toLatin1(ref), "latin1");
}

/** The inverse of `toBytes`, for names. */
export function nameFromBytes(bytes: Buffer): RefName {
  return nameFromLatin1(bytes.toString("latin1"));
}

/** The inverse of `toBytes`, for values; keeps null. */
export function valueFromBytes(bytes: Buffer | null): RefValue | null {
  return bytes === null ? null : valueFromLatin1(bytes.toString("latin1"));
}

/** A ref name or value as a part of what git reads or has written, one character a byte. Whoever writes it out says "latin1". */
export function toLatin1(ref: RefName | RefValue): string {
  return ref as unknown as string;
}

/** The inverse of `toLatin1`, for names. */
export function nameFromLatin1(text: string): RefName {
  return text as unknown as RefName;
}

/** The inverse of `toLatin1`, for values. */
export function valueFromLatin1(text: string): RefValue {
  return text as unknown as RefValue;
}

// What UTF-8 has for one character; a byte that is no part of such is caught.
const CHARACTER = /[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}|([\x80-\xff\\])/g;

/**
 * A ref name or value for people, in JSON and in logs: its bytes decoded as UTF-8; one that is not UTF-8 is written out, as `\xe9`, and so
 * is a backslash, as `\x5c`: no ref that lands has one, but what lies on a disk may.
 */
export function displayRef(ref: RefName | RefValue): string {
  return toLatin1(ref).replace(CHARACTER, (character, stray: string | undefined) =>
    stray === undefined ? Buffer.from(character, "latin1").toString("utf8") : `\\x${stray.charCodeAt(0).toString(16)}`,
  );
}

const SYMBOLIC = "ref: ";

/** The value of a ref that stands for another. */
export function symbolicTo(target: RefName): SymbolicValue {
  return (SYMBOLIC + toLatin1(target)) as unknown as SymbolicValue;
}

/** True for the value of a symbolic ref. */
export function isSymbolic(value: RefValue | null): value is SymbolicValue {
  return value !== null && toLatin1(value).startsWith(SYMBOLIC);
}

/** The ref that a symbolic one stands for. */
export function targetOf(value: SymbolicValue): RefName {
  return nameFromLatin1(toLatin1(value).slice(SYMBOLIC.length));
}

export const HEAD: RefName = refName("HEAD");

/** True when a name begins so; `prefix` is ASCII. */
export function isBelow(name: RefName, prefix: string): boolean {
  return toLatin1(name).startsWith(prefix);
}

/** The order of bytes, which is git's. */
export function compareRefs(a: RefName, b: RefName): number {
  return toLatin1(a) < toLatin1(b) ? -1 : Number(a !== b);
}

/** The object ids among what refs hold or held, each once. */
export function objectIds(values: Iterable<RefValue | null>): ObjectId[] {
  const ids = new Set<ObjectId>();
  for (const value of values) if (value !== null && value !== "" && !isSymbolic(value)) ids.add(value);
  return [...ids];
}

/**
 * Who changes refs, and may be refused that by the operator's `reference-transaction` hook: a part of the environment of git and of that
 * hook. Its GIT_COMMITTER_NAME and GIT_COMMITTER_EMAIL stand in reflogs.
 */
export type RefAuthor = Readonly<Record<string, string>>;

/** `known`: what else the hook may read of the environment in which somebody pushed. */
export function refAuthor(name: string, known: Readonly<Record<string, string>> = {}): RefAuthor {
  return { GIT_COMMITTER_NAME: name, GIT_COMMITTER_EMAIL: name, ...known };
}

/** A UUID in lower case, as part of a regular expression. */
export const UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
const WHOLE_UUID = new RegExp(`^${UUID}$`);

/** True for a UUID in lower case. */
export function isUuid(text: string): boolean {
  return WHOLE_UUID.test(text);
}
