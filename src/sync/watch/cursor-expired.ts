// The errors of a cursor from which nothing can be told.
import { LockstepError } from "../../errors.ts";
import { FROM_BEGINNING, FROM_NOW } from "./cursor.ts";

/** Makes the error CURSOR_EXPIRED for a cursor that no event of this database can have had. */
export function aheadError(): LockstepError {
  return new LockstepError(
    "CURSOR_EXPIRED",
    `The cursor is ahead of everything in this database: it is of another cluster, or the database is an older copy; start from "${FROM_NOW}".`,
    { details: { ahead: "true" } },
  );
}

/** Makes the error CURSOR_EXPIRED for a cursor before the beginning of the log. */
export function expiredError(): LockstepError {
  return new LockstepError(
    "CURSOR_EXPIRED",
    `Versions after this cursor were trimmed from the log, so some events cannot be told any more; start from "${FROM_BEGINNING}".`,
  );
}
