// One connection that stands for a database. Its statements get no transactions of their own, so all statements between
// `begin` and `commit` are one transaction.
import pg from "pg";
import type { Database } from "../../src/store/database/database.ts";

class PlainClient extends pg.Client {
  run(text: string, values: unknown[]): Promise<pg.QueryResult> {
    return this.query(text, values);
  }
}

export interface OpenSession extends AsyncDisposable {
  readonly one: Database;
  run(text: string, values?: unknown[]): Promise<unknown>;
}

export function openSession(url: string): OpenSession {
  const pool = new pg.Pool({ connectionString: url, max: 1, application_name: "session", Client: PlainClient });
  pool.on("error", () => {});
  return {
    one: { reads: pool, work: pool, lease: pool } as Database,
    run: (text, values) => pool.query(text, values),
    [Symbol.asyncDispose]: () => pool.end(),
  };
}
