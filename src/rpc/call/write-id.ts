// The ids of writes as callers send them.
import { LockstepError } from "../../errors.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Throws INVALID_REQUEST. */
export function writeIdOf(text: string): string {
  if (UUID.test(text)) return text;
  throw new LockstepError("INVALID_REQUEST", "A write id is a UUID in lower case.");
}
