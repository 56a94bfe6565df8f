// Checks the numbers and ids in requests.
import { isUuid } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";

/** The largest bigint of PostgreSQL. The protocol's uint64 has larger values. */
const LAST = (1n << 63n) - 1n;

/** Returns a number of the protocol as one of the database. Throws INVALID_REQUEST if it is too large. */
export function checkedPosition(text: string): bigint {
  const position = BigInt(text);
  if (position <= LAST) return position;
  throw new LockstepError(
    "INVALID_REQUEST",
    `There is no row ${text} of the audit; give a number that ListAudit tells.`,
  );
}

/** Returns `text` if it is a UUID in lower case. Throws INVALID_REQUEST if it is not. */
export function writeIdOf(text: string): string {
  if (isUuid(text)) return text;
  throw new LockstepError("INVALID_REQUEST", "A write id is a UUID in lower case.");
}
