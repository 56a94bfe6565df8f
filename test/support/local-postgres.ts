// A PostgreSQL that a test starts in a folder of its own.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, vi } from "vitest";
import { type LocalPostgres, startPostgres } from "../../src/demo/postgres.ts";
import { administer } from "./administer.ts";
import { soon } from "./soon.ts";

export const isRoot = process.getuid?.() === 0;
export const project = fileURLToPath(new URL("../..", import.meta.url));
export const WAIT = soon(20);

// `makePostgresFolder` sets these before the first test of its file.
export let dir: string;

export const start = (signal?: AbortSignal, settings: string[] = []): Promise<LocalPostgres> =>
  startPostgres({ dir, env: process.env, isRoot, settings, ...(signal && { signal }) });
export const pidFile = () => join(dir, "postgres", "cluster", "data", "postmaster.pid");
export const log = () => readFileSync(join(dir, "postgres", "log"), "utf8");

export async function setting(url: string, name: string): Promise<unknown> {
  return await administer(
    url,
    async (client) => (await client.query("select current_setting($1) as value", [name])).rows[0]?.value,
  );
}

/** A process that runs a server from the build below `checkout` until it is killed. */
export async function startInChild(checkout: string): Promise<{ child: ChildProcess; url: string }> {
  const program = `
    import { startPostgres } from ${JSON.stringify(join(checkout, "dist", "demo", "postgres.js"))};
    const server = await startPostgres({ dir: ${JSON.stringify(dir)}, env: process.env, isRoot: ${isRoot} });
    console.log(server.url);`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout });
  const [url] = await Promise.race([once(lines, "line"), once(child, "exit").then(() => [])]);
  if (typeof url !== "string")
    throw new Error(`The child did not start a server; is ${checkout}/dist built (npm run build)?`);
  return { child, url };
}

export async function killAndExpectNothingLeft({ child, url }: { child: ChildProcess; url: string }): Promise<void> {
  child.kill("SIGKILL");
  // The server removes its status file last.
  await vi.waitUntil(() => !existsSync(pidFile()), WAIT);
  await expect(setting(url, "fsync")).rejects.toMatchObject({ code: "ECONNREFUSED" });
}

/** Makes the folder before the tests of the calling file, and removes it afterwards. */
export function makePostgresFolder(): void {
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), "lockstep-postgres-"));
  });
  afterAll(() => {
    // Where TMPDIR is private to root, the database is outside of it.
    if (existsSync(join(dir, "postgres"))) rmSync(realpathSync(join(dir, "postgres")), { recursive: true });
    rmSync(dir, { recursive: true });
  });
}
