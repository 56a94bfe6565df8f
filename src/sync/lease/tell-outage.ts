// Keeps the log short while the database is away. Everything that asks the database fails then, several times a second.
// One line says that it is away, and one that it is back.
import type { Logger } from "pino";
import { describe, LockstepError } from "../../errors.ts";
import type { Database } from "../../store/database/database.ts";

/** The databases that are away, and since when. */
const away = new WeakMap<Database, number>();

/** Logs a failure in the background. While the database is away, only the first failure is logged as a warning. */
export function tellFailure({ db, log }: { db: Database; log: Logger }, error: unknown, what: string): void {
  const line = { err: describe(error) };
  if (!(error instanceof LockstepError && error.code === "DATABASE_UNAVAILABLE")) log.warn(line, what);
  else if (away.has(db)) log.debug(line, what);
  else {
    away.set(db, performance.now());
    log.warn(line, "the database cannot be used; it is asked again and again");
  }
}

/** Logs that the database has answered again, if it was away. */
export function tellAnswer({ db, log }: { db: Database; log: Logger }): void {
  const since = away.get(db);
  if (since === undefined) return;
  away.delete(db);
  log.info({ durationMs: Math.round(performance.now() - since) }, "the database can be used again");
}
