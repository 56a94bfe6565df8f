// The ids of writes as callers send them.
import { isUuid } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";

/** Throws INVALID_REQUEST. */
export function writeIdOf(text: string): string {
  if (isUuid(text)) return text;
  throw new LockstepError("INVALID_REQUEST", "A write id is a UUID in lower case.");
}
