import type { Caller } from "./caller.ts";

/** Returns author and reason of an operator's request (`provenAuthor`). */
export function authorAndReason(
  { author, reason = "" }: { author: string; reason?: string },
  caller: Caller,
): { author: string; reason: string } {
  return { author: provenAuthor(author, caller), reason };
}

/**
 * Returns the author of a write, who is a user of the caller. If the request leaves the author out, it is the caller's
 * role and name.
 */
export function writeAuthor(author: string, { role, name }: Caller): string {
  return author || `${role} ${name}`;
}

/** Returns the named author, followed by the role and name that a certificate has proved. */
export function provenAuthor(author: string, { role, name, local }: Caller): string {
  if (author === "") return `${role} ${name}`;
  return local ? author : `${author} (${role} ${name})`;
}
