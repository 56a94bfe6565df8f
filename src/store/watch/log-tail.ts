// How far the log of the whole cluster may be read, by position. See migrations/functions/log_tail.sql.
import { type Database, queryRepeatableRow } from "../database/database.ts";

/** A place in the log of the whole cluster. A bigint, because positions skip four billion after a fail-over. */
export type Position = bigint;

export interface LogTailRow {
  /** The last position that was handed out. */
  readonly handedOut: Position;
  /** All positions after the one that was asked for, up to this one, have rows. null: none was asked for. */
  readonly whole: Position | null;
  /** The transactions that may still commit a row at a position up to `handedOut`. Empty if `whole` is `handedOut`. */
  readonly writers: readonly string[];
  /** The timeline of the server. null: it is a standby, whose answer means nothing. */
  readonly timeline: string | null;
}

/** Reads the tail of the log after a position. Throws DATABASE_UNAVAILABLE. */
export async function readLogTail(db: Database, after: Position | null): Promise<LogTailRow> {
  return await queryRepeatableRow<LogTailRow & { [column: string]: unknown }>(
    db.work,
    `select handed_out as "handedOut", whole, writers, timeline from lockstep.log_tail($1)`,
    [after],
    { provesNothing: true },
  );
}
