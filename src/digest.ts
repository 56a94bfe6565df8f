// The digest of a repository's refs: a keyed sum that does not depend on their order
// (docs/decisions/0018-a-keyed-digest.md).
import { createHmac } from "node:crypto";
import { type RefName, type Refs, type RefUpdate, type RefValue, toBytes } from "./domain.ts";

const DIGEST_BYTES = 32;
const DIGEST_MODULUS = 1n << 256n;
/** The digest of a repository without refs. */
export const EMPTY_DIGEST: Buffer = Buffer.alloc(DIGEST_BYTES);

function refHash(key: Buffer, name: RefName, value: RefValue): bigint {
  const mac = createHmac("sha256", key).update(toBytes(name)).update("\0").update(toBytes(value));
  return BigInt(`0x${mac.digest("hex")}`);
}

/**
 * Returns the digest after `updates`: a keyed set hash, the sum modulo 2^256 of HMAC-SHA-256(key, name NUL value).
 * Because it is a sum, its cost follows the size of the change. No pusher knows the key, so nobody can make two sets
 * collide.
 */
export function digestAfter(key: Buffer, digest: Buffer, updates: Iterable<RefUpdate>): Buffer {
  let sum = BigInt(`0x${digest.toString("hex")}`);
  for (const { name, oldValue, newValue } of updates) {
    if (oldValue !== null) sum -= refHash(key, name, oldValue);
    if (newValue !== null) sum += refHash(key, name, newValue);
  }
  return digestBytes(sum);
}

function digestBytes(sum: bigint): Buffer {
  const rest = ((sum % DIGEST_MODULUS) + DIGEST_MODULUS) % DIGEST_MODULUS;
  return Buffer.from(rest.toString(16).padStart(DIGEST_BYTES * 2, "0"), "hex");
}

/** Returns what updates add to the digest of any refs that have their old values. */
export function differenceOf(key: Buffer, updates: Iterable<RefUpdate>): Buffer {
  return digestAfter(key, EMPTY_DIGEST, updates);
}

/** Returns the sum of two digests. The database does the same (migrations/functions/add_digests.sql). */
export function addDigests(one: Buffer, other: Buffer): Buffer {
  return digestBytes(BigInt(`0x${one.toString("hex")}`) + BigInt(`0x${other.toString("hex")}`));
}

/** Returns the digest of a whole set of refs. */
export function digestOf(key: Buffer, refs: Refs): Buffer {
  const creates = [...refs].map(([name, newValue]): RefUpdate => ({ name, oldValue: null, newValue }));
  return digestAfter(key, EMPTY_DIGEST, creates);
}
