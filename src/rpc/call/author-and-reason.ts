import { TEXT_LIMIT } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import type { Caller } from "./caller.ts";

/**
 * Returns author and reason of an operator's request (`provenAuthor`). Throws INVALID_REQUEST if a text is too long or
 * has a NUL character.
 */
export function authorAndReason(
  { author, reason = "" }: { author: string; reason?: string },
  caller: Caller,
): { author: string; reason: string } {
  return { author: provenAuthor(shortText("author", author), caller), reason: shortText("reason", reason) };
}

/**
 * Returns the author of a write, who is a user of the caller. If the request leaves the author out, it is the caller's
 * role and name. Throws INVALID_REQUEST.
 */
export function writeAuthor(author: string, { role, name }: Caller): string {
  return shortText("author", author) || `${role} ${name}`;
}

/** Returns the named author, followed by the role and name that a certificate has proved. */
export function provenAuthor(author: string, { role, name, local }: Caller): string {
  if (author === "") return `${role} ${name}`;
  return local ? author : `${author} (${role} ${name})`;
}

/** Returns `text` if the database can keep it. Throws INVALID_REQUEST if it is too long or has a NUL character. */
export function shortText(name: string, text: string): string {
  if (text.length > TEXT_LIMIT)
    throw new LockstepError("INVALID_REQUEST", `The ${name} has at most ${TEXT_LIMIT} characters; shorten it.`);
  if (text.includes("\0"))
    throw new LockstepError(
      "INVALID_REQUEST",
      `The ${name} has a NUL character, which PostgreSQL cannot hold; leave it out.`,
    );
  return text;
}
