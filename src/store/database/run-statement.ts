// Runs one statement on one connection, with a deadline.
import type pg from "pg";
import { WAITS } from "../../waits.ts";
import { stateOf } from "./pooled-connection.ts";
import { unavailableError } from "./sqlstate.ts";
import type { StatementClient } from "./statement.ts";

/** How this statement differs from others. */
export interface StatementOptions {
  /**
   * The server never ends the statement: a decision may be large. If its answer does not come, the caller asks for its
   * outcome.
   */
  readonly decides?: boolean;
  /**
   * The statement changes nothing, and no caller takes its answer for a proof that the standby has the rows that it
   * read.
   */
  readonly provesNothing?: boolean;
}

/**
 * Runs one statement on that connection, which goes back to its pool afterwards, and returns its rows. Throws
 * DATABASE_UNAVAILABLE when the answer does not come in time or the standby has not confirmed it. Passes the driver's
 * errors on.
 */
export async function runOn<Row extends pg.QueryResultRow>(
  pool: pg.Pool,
  client: StatementClient & pg.PoolClient,
  text: string,
  values: readonly unknown[],
  { decides = false, provesNothing = false }: StatementOptions,
): Promise<Row[]> {
  const unconfirmed: string[] = [];
  const onNotice = (notice: { routine?: string | undefined; message?: string | undefined }) => {
    if (notice.routine === "SyncRepWaitForLSN") unconfirmed.push(notice.message ?? "");
  };
  client.on("notice", onNotice);
  try {
    const result = await inTime(
      pool,
      client.run<Row>(text, values, { limitMs: decides ? 0 : WAITS.statementMs, provesNothing }),
    );
    // The wait for the synchronous standby was ended (a cancelled statement, a shutdown). PostgreSQL calls that a
    // success, with a warning.
    if (unconfirmed.length > 0)
      throw unavailableError(`its standby has not confirmed the statement: ${unconfirmed[0]}`);
    client.release();
    return result.rows;
  } catch (error) {
    // The connection goes too: after a time-out its answer may still come, after an error its state is unknown.
    client.release(true);
    throw error;
  } finally {
    client.off("notice", onNotice);
  }
}

/** Waits for an answer. Throws DATABASE_UNAVAILABLE after the deadline, and when the pool breaks its statements off. */
export async function inTime<T>(pool: pg.Pool, answer: Promise<T>): Promise<T> {
  const { underWay } = stateOf(pool);
  let timer: NodeJS.Timeout | undefined;
  let breakOff = (_why: string) => {};
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(unavailableError(`no answer for ${WAITS.statementMs / 1000} s`)),
      WAITS.statementMs,
    );
    breakOff = (why) => reject(unavailableError(why));
    underWay.add(breakOff);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
    underWay.delete(breakOff);
  }
}
