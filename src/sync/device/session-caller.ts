// Decides to whom a write session belongs. The id of a write is no secret: readers are shown it. Two things count: the
// caller, as its certificate or the socket proves it, and the token. The database stores only the hash of the token.
import { createHash, createHmac, randomBytes } from "node:crypto";
import { UUID } from "../../domain.ts";
import type { Identity } from "../../tls/identity.ts";

export type SessionCaller = Pick<Identity, "role" | "name">;

/** Returns the text under which a caller is stored. */
export function callerText({ role, name }: SessionCaller): string {
  return `${role} ${name}`;
}

const TOKEN = new RegExp(`^(?<writeId>${UUID})\\.(?<secret>[0-9a-f]{64})$`);

/** Returns the write id in a token and the hash that is stored of it. undefined: the text is not a token. */
export function parseToken(token: string): { writeId: string; tokenHash: Buffer } | undefined {
  const { writeId, secret } = TOKEN.exec(token)?.groups ?? {};
  return writeId && secret ? { writeId, tokenHash: hashOf(secret) } : undefined;
}

/**
 * Makes tokens. They are derived from a key that only this process has. So a caller that repeats BeginWrite gets the
 * same token again, though no token is stored. A session does not outlive the process that began it, so the key is not
 * needed later.
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
