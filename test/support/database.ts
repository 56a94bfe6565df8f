// Makes a database for a test. Disposal drops the database, and throws if a client is still connected to it.
import { randomBytes } from "node:crypto";
import { basename } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type pg from "pg";
import { expect, inject } from "vitest";
import { administer, databaseUrl, templateOf } from "./administer.ts";

/** After a client disconnects, its server process lives on for some milliseconds, longer on a busy machine. */
const GOODBYE_MS = 30_000;

export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
}

/** Makes an empty database. */
export async function createDatabase(): Promise<TestDatabase> {
  return await copyOf("template1");
}

/** Makes a database with the schema of this program. */
export async function migratedDatabase(): Promise<TestDatabase> {
  return await copyOf(templateOf(inject("databasePrefix")));
}

async function copyOf(template: string): Promise<TestDatabase> {
  const server = inject("postgresUrl");
  // The name has the name of the test file, so that a leaked database can be traced.
  const owner = basename(expect.getState().testPath ?? "", ".test.ts")
    .replace(/\W/g, "_")
    .slice(0, 20);
  const name = `${inject("databasePrefix")}_${owner}_${randomBytes(4).toString("hex")}`;
  await administer(server, async (client) => {
    // PostgreSQL 14 knows no other strategy, and not the word either.
    const { rows } = await client.query("select current_setting('server_version_num')::int >= 150000 as knows");
    await client.query(`create database ${name} template ${template} ${rows[0].knows ? "strategy file_copy" : ""}`);
  });
  return {
    url: databaseUrl(server, name),
    async [Symbol.asyncDispose]() {
      const connected = await administer(server, async (client) => {
        const left = await connectionsLeft(client, name);
        await client.query(`drop database ${name} with (force)`);
        return left;
      });
      if (connected.length > 0) throw new Error(`The test left connections open: ${connected.join("; ")}.`);
    },
  };
}

async function connectionsLeft(client: pg.Client, database: string): Promise<string[]> {
  const deadline = Date.now() + GOODBYE_MS;
  for (;;) {
    const { rows } = await client.query<{ application_name: string; query: string }>(
      "select application_name, query from pg_stat_activity where datname = $1 and backend_type = 'client backend'",
      [database],
    );
    if (rows.length === 0 || Date.now() >= deadline) return rows.map((row) => `${row.application_name} (${row.query})`);
    await delay(10);
  }
}
