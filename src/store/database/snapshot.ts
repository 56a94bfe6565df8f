// Several statements that see the same moment.
import type pg from "pg";
import { LockstepError } from "../../errors.ts";
import { WAITS } from "../../waits.ts";
import { connect } from "./pooled-connection.ts";
import { inTime } from "./run-statement.ts";
import { asTold, hasEndedSession } from "./sqlstate.ts";
import { beginSnapshot } from "./statement.ts";

/** Runs one statement within `inSnapshot`. */
export type QueryInSnapshot = <Row extends pg.QueryResultRow>(
  text: string,
  values: readonly unknown[],
) => Promise<Row[]>;

/**
 * Runs several statements that see the same moment, and returns the result of `work`. Each has the deadline of a
 * statement; all together have none. They cannot change anything. `work` must wait for nothing but the database. Throws
 * as `queryOnce`.
 */
export async function inSnapshot<T>(pool: pg.Pool, work: (ask: QueryInSnapshot) => Promise<T>): Promise<T> {
  for (;;) {
    const { client, isNew } = await connect(pool);
    try {
      await inTime(pool, client.query(beginSnapshot(WAITS.statementMs)));
      const result = await work(
        async <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[]) =>
          (await inTime(pool, client.query<Row>(text, values as unknown[]))).rows,
      );
      await inTime(pool, client.query("commit"));
      client.release();
      return result;
    } catch (error) {
      client.release(true);
      if (isNew || error instanceof LockstepError || !hasEndedSession(error)) throw asTold(error);
    }
  }
}
