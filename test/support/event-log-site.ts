// A device that notes pushes and reads in its logs, for the tests of these logs (../integration/*-log*.test.ts).
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { type HookServer, serveHooks } from "../../src/hook/server.ts";
import { beforeRead } from "../../src/rpc/handlers/before-read.ts";
import { type EventFilter, listPulls, listPushes } from "../../src/store/activity/list-events.ts";
import { writeEvents } from "../../src/sync/activity/keep-writing.ts";
import { type GitSandbox, gitSandbox } from "./git.ts";
import { shims } from "./shim-site.ts";
import { TestCluster } from "./sync-cluster.ts";
import type { TestDevice } from "./sync-device.ts";

export const APP = "team/app";
/** Every row. */
export const ANY: EventFilter = {
  ...{ repository: null, device: null, since: null, until: null, author: null, result: null, ref: null },
  limit: 1_000,
};

/** The command of the shim, for a shell. */
export const SHIM = shims[0]!.command.map((word) => `'${word}'`).join(" ");

// `startLoggingDevices` sets these before each test of its file.
export let cluster: TestCluster;
export let a: TestDevice;
export let b: TestDevice;
export let sandbox: GitSandbox;
let hooks: HookServer;

/** Starts two devices before each test of the calling file, and stops them afterwards. `a` has hooks. */
export function startLoggingDevices(): void {
  beforeEach(async () => {
    [cluster, sandbox] = [await TestCluster.make(), await gitSandbox()];
    [a, b] = await cluster.pair(APP);
    await mkdir(a.context.socketDir, { recursive: true });
    hooks = await serveHooks(a.context, join(a.context.socketDir, "hook.sock"));
    // The device of a test has no built program beside it.
    for (const name of ["pre-receive", "proc-receive"]) {
      const hook = join(a.gitDir(APP), "hooks", name);
      await rm(hook, { force: true });
      await writeFile(hook, `#!/bin/sh\nexec ${SHIM} ${name} "$@"\n`, { mode: 0o755 });
    }
    await sandbox.git(["init", "--quiet", "-b", "main", "work"]);
  });
  afterEach(async () => {
    await hooks[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
    await sandbox[Symbol.asyncDispose]();
  });
}

export const work = () => join(sandbox.dir, "work");

/** Commits in the work tree, and returns the id. */
export async function commit(message: string): Promise<string> {
  await sandbox.git(["commit", "--quiet", "--allow-empty", "-m", message], { cwd: work() });
  return await sandbox.git(["rev-parse", "HEAD"], { cwd: work() });
}

/** Pushes with stock git into the replica of `a`, as a front end for HTTP does. */
export async function push(refspec: string, env: Record<string, string> = {}) {
  const told = { REMOTE_ADDR: "10.0.0.7", REMOTE_USER: "ada", LOCKSTEP_SOCKET_DIR: a.context.socketDir };
  return await sandbox.run(["push", a.gitDir(APP), refspec], { cwd: work(), env: { ...told, ...env } });
}

/** Writes the rows that wait, and lists the push log. */
export async function pushes(filter: Partial<EventFilter> = {}) {
  await writeEvents(a.context);
  return await listPushes(a.context.db, { ...ANY, ...filter });
}

/** Writes the rows that wait, and lists the pull log. */
export async function pulls(filter: Partial<EventFilter> = {}) {
  await writeEvents(a.context);
  return await listPulls(a.context.db, { ...ANY, ...filter });
}

const caller = {
  caller: { role: "frontend" as const, name: "web" },
  ...{ allowed: [], from: () => null, signal: new AbortController().signal },
};
const request = (more: object = {}) =>
  ({
    repository: APP,
    minVersion: "0",
    commit: "",
    maxStaleness: null,
    forPush: false,
    reader: null,
    changesSince: "",
    ...more,
  }) as never;
/** Asks a device before a read, as a front end does. */
export const asks = async (device: TestDevice, more: object = {}) =>
  await beforeRead(device.context)(request(more), caller);
