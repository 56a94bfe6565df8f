// The nouns of the project as plain types: repository, device, replica, version, leader, write (docs/architecture.md).
import { createHash, createHmac } from "node:crypto";
import { LockstepError } from "./errors.ts";

/** The number of the last write that a replica, or the cluster, holds: 0, 1, 2 … dense per repository. */
export type Version = bigint;

/** A full ref name as git stores it. Git takes names that are not UTF-8, so each character is one byte (latin1). */
export type RefName = string;

/** What a ref holds, as in a loose ref file: an object id in hex, or `ref: <name>` for a symbolic ref. */
export type RefValue = string;

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

export const SYMREF_PREFIX = "ref: ";
/** Refs below it belong to Lockstep: outside fold, digest, advertisement and push. */
export const PRIVATE_REFS = "refs/lockstep/";

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

/** Ref names and messages from git as a person reads them: bytes decoded as UTF-8. */
export function displayRef(name: RefName): string {
  return Buffer.from(name, "latin1").toString("utf8");
}

/** True for an object id (SHA-1 or SHA-256, hex). */
export function isObjectId(value: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(value);
}

const DIGEST_BYTES = 32;
const DIGEST_MODULUS = 1n << 256n;
export const EMPTY_DIGEST: Buffer = Buffer.alloc(DIGEST_BYTES);

function refHash(key: Buffer, name: RefName, value: RefValue): bigint {
  const mac = createHmac("sha256", key)
    .update(Buffer.from(name, "latin1"))
    .update("\0")
    .update(Buffer.from(value, "latin1"));
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

/** A ref name or value as the bytes that git has. */
export function toBytes(text: string): Buffer {
  return Buffer.from(text, "latin1");
}

/** The inverse of `toBytes`, keeping null. */
export function fromBytes(bytes: Buffer | null): string | null {
  return bytes === null ? null : bytes.toString("latin1");
}

/** The object ids among what refs hold or held, each once. */
export function objectIds(values: Iterable<RefValue | null>): string[] {
  const ids = new Set<string>();
  for (const value of values) if (value && !value.startsWith(SYMREF_PREFIX)) ids.add(value);
  return [...ids];
}
