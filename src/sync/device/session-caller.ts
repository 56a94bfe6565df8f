// Whose a write session is. The id of a write is no secret: readers are shown it. What counts is who calls, as its certificate or the
// socket proves it, and the token, of which only the hash is stored.
import { createHash, createHmac, randomBytes } from "node:crypto";
import { UUID } from "../../domain.ts";
import type { Identity } from "../../tls/identity.ts";

export type SessionCaller = Pick<Identity, "role" | "name">;

/** How a caller is written down. */
export function callerText({ role, name }: SessionCaller): string {
  return `${role} ${name}`;
}

const TOKEN = new RegExp(`^(?<writeId>${UUID})\\.(?<secret>[0-9a-f]{64})$`);

/** What a token names, and what of it is stored; undefined: it is none. */
export function parseToken(token: string): { writeId: string; tokenHash: Buffer } | undefined {
  const { writeId, secret } = TOKEN.exec(token)?.groups ?? {};
  return writeId && secret ? { writeId, tokenHash: hashOf(secret) } : undefined;
}

/**
 * Makes tokens. They follow from a key that only this process has, so that a caller that repeats BeginWrite gets the same one again
 * though it is stored nowhere. A session does not outlive the process that began it, so nobody needs the key later.
 */
export class SessionTokens {
  readonly #key = randomBytes(32);

  issue(writeId: string, caller: string): { token: string; tokenHash: Buffer } {
    const secret = createHmac("sha256", this.#key).update(`${writeId}\0${caller}`).digest("hex");
    return { token: `${writeId}.${secret}`, tokenHash: hashOf(secret) };
  }
}

function hashOf(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}
