import pg from "pg";

/** Runs `work` on a new connection to the database of `url`, and closes the connection. */
export async function administer<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, application_name: "lockstep test support" });
  // If the server fails, the statement fails. Without this listener the error would end the test run.
  client.on("error", () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Returns the URL of the database `name` on the same server. */
export function databaseUrl(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}

/**
 * Returns the name of the migrated template database of a test run. `prefix` begins the names of the run's databases.
 */
export function templateOf(prefix: string): string {
  return `${prefix}_template`;
}
