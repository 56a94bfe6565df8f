// The database is away: everything that looks at it in turn fails, several times a second. One line says so, and one that it is back.
import type { Logger } from "pino";
import { describe, LockstepError } from "../../errors.ts";
import type { Database } from "../../store/database/database.ts";

/** Databases that are away, since when. */
const away = new WeakMap<Database, number>();

/** Tells of what failed in the background: each time, but of a database that is away once. */
export function tellFailure({ db, log }: { db: Database; log: Logger }, error: unknown, what: string): void {
  const line = { err: describe(error) };
  if (!(error instanceof LockstepError && error.code === "DATABASE_UNAVAILABLE")) log.warn(line, what);
  else if (away.has(db)) log.debug(line, what);
  else {
    away.set(db, performance.now());
    log.warn(line, "the database cannot be used; it is asked again and again");
  }
}

/** The database has answered. */
export function tellAnswer({ db, log }: { db: Database; log: Logger }): void {
  const since = away.get(db);
  if (since === undefined) return;
  away.delete(db);
  log.info({ durationMs: Math.round(performance.now() - since) }, "the database can be used again");
}
