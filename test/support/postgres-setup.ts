// vitest's globalSetup of the projects integration and e2e. It starts one PostgreSQL server for the whole run, with a
// migrated template database (database.ts). LOCKSTEP_DATABASE_URL names another server to use.
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { startPostgres } from "../../src/demo/postgres.ts";
import { migrate } from "../../src/store/database/migrate.ts";
import { administer, databaseUrl, templateOf } from "./administer.ts";

/** A cluster of three devices may have 36 connections, and each worker may have a cluster. */
const CONNECTIONS = 1_000;

declare module "vitest" {
  export interface ProvidedContext {
    /** The URL of the server, with a user who may create databases. */
    postgresUrl: string;
    /** The beginning of the names of this run's databases. */
    databasePrefix: string;
  }
}

interface Run extends AsyncDisposable {
  readonly url: string;
  readonly prefix: string;
}

// Each project loads its own instance of this module, so shared state is on globalThis.
const RUN = Symbol.for("lockstep.test.run");
const shared = globalThis as { [RUN]?: { run: Promise<Run>; projects: number } };

/** Sets up the server. vitest calls this once a project, and later the returned function once a project. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  shared[RUN] ??= { run: startRun(), projects: 0 };
  const entry = shared[RUN];
  entry.projects += 1;
  const run = await entry.run;
  project.provide("postgresUrl", run.url);
  project.provide("databasePrefix", run.prefix);
  return async () => {
    entry.projects -= 1;
    if (entry.projects > 0) return;
    delete shared[RUN];
    await run[Symbol.asyncDispose]();
  };
}

async function startRun(): Promise<Run> {
  const server = await startServer();
  const { url } = server;
  const prefix = `lockstep_test_${randomBytes(4).toString("hex")}`;
  const template = templateOf(prefix);
  try {
    await administer(url, (client) => client.query(`create database ${template}`));
    await migrate(databaseUrl(url, template));
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  return {
    url,
    prefix,
    async [Symbol.asyncDispose]() {
      const leaked = await dropDatabases(url, prefix).finally(() => server[Symbol.asyncDispose]());
      const names = leaked.filter((name) => name !== template);
      if (names.length === 0) return;
      // vitest only prints an error of a teardown, so the exit code is set here.
      process.exitCode = 1;
      throw new Error(`Tests did not dispose of their databases: ${names.join(", ")}.`);
    },
  };
}

async function startServer(): Promise<AsyncDisposable & { url: string }> {
  const given = process.env.LOCKSTEP_DATABASE_URL;
  if (given) return { url: given, async [Symbol.asyncDispose]() {} };
  const dir = await mkdtemp(join(tmpdir(), "lockstep-test-"));
  const isRoot = process.getuid?.() === 0;
  const server = await startPostgres({ dir, env: process.env, isRoot, settings: [`max_connections=${CONNECTIONS}`] });
  await hashPasswordOnce(server.url);
  return {
    url: server.url,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await rm(server.directory, { recursive: true });
      await rm(dir, { recursive: true });
    },
  };
}

/**
 * Makes logins cheap. A client hashes its password 4,096 times for each connection, which takes some milliseconds.
 * PostgreSQL 16 and later can do with one time.
 */
async function hashPasswordOnce(url: string): Promise<void> {
  const { username, password } = new URL(url);
  await administer(url, async (client) => {
    if (Number((await client.query("show server_version_num")).rows[0].server_version_num) < 160_000) return;
    await client.query("set scram_iterations = 1");
    await client.query(`alter role ${client.escapeIdentifier(username)} password ${client.escapeLiteral(password)}`);
  });
}

/** Drops this run's databases and returns their names. */
async function dropDatabases(url: string, prefix: string): Promise<string[]> {
  return await administer(url, async (client) => {
    const found = await client.query<{ datname: string }>(
      "select datname from pg_database where starts_with(datname, $1)",
      [prefix],
    );
    const names = found.rows.map((row) => row.datname);
    for (const name of names) await client.query(`drop database ${name} with (force)`);
    return names;
  });
}
