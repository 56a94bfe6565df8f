// Checks the id of a write in a request.
import { isUuid } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";

/** Returns `text` if it is a UUID in lower case. Throws INVALID_REQUEST if it is not. */
export function writeIdOf(text: string): string {
  if (isUuid(text)) return text;
  throw new LockstepError("INVALID_REQUEST", "A write id is a UUID in lower case.");
}
