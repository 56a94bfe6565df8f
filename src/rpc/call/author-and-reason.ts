import { TEXT_LIMIT } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import type { Caller } from "./call.ts";

/** Who does something and why, as the request says; an author that it leaves out is the caller. Throws INVALID_REQUEST. */
export function authorAndReason(
  { author, reason = "" }: { author: string; reason?: string },
  caller: Caller,
): { author: string; reason: string } {
  return {
    author: shortText("author", author) || `${caller.role} ${caller.name}`,
    reason: shortText("reason", reason),
  };
}

/** A text of a request that is kept. Throws INVALID_REQUEST. */
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
