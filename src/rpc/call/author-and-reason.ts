import { TEXT_LIMIT } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import type { Caller } from "./call.ts";

/**
 * Returns author and reason of a request. If the request leaves the author out, the author is the caller's role and
 * name. Throws INVALID_REQUEST if a text is too long or has a NUL character.
 */
export function authorAndReason(
  { author, reason = "" }: { author: string; reason?: string },
  caller: Caller,
): { author: string; reason: string } {
  return {
    author: shortText("author", author) || `${caller.role} ${caller.name}`,
    reason: shortText("reason", reason),
  };
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
