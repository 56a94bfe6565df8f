// Tokens with which a device has its key trusted once. The database keeps only their hashes.
import { createHash, randomBytes } from "node:crypto";
import type { Database } from "../../store/database/database.ts";
import { insertToken } from "../../store/registry/registry.ts";

const BYTES = 32;
const MINUTES = 60;
/** Lets a person, and a scanner for secrets, see what it is. */
const PREFIX = "lockstep-enroll-";

/** Makes a token for a device. It can be used once, within an hour. */
export async function makeToken(
  db: Database,
  device: string,
  author: string,
): Promise<{ token: string; endsAt: Date }> {
  const token = PREFIX + randomBytes(BYTES).toString("base64url");
  const name = { role: "device" as const, name: device };
  return { token, endsAt: await insertToken(db, name, { hash: hashOfToken(token), minutes: MINUTES, author }) };
}

/** Returns the hash under which the database keeps a token. */
export function hashOfToken(token: string): Buffer {
  return createHash("sha256").update(token.trim()).digest();
}
