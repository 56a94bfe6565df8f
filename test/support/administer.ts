import pg from "pg";

/** Runs `work` on a connection of its own to the database of `url`. */
export async function administer<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, application_name: "lockstep test support" });
  // A server that falls fails the statement; without a listener it would end the test.
  client.on("error", () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** The URL of another database on the same server. */
export function databaseUrl(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}

/** The name of the migrated database that others are copies of, in the run whose databases begin with `prefix`. */
export function templateOf(prefix: string): string {
  return `${prefix}_template`;
}
