// A repository with a symbolic ref that leads to its main branch.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect } from "vitest";
import { verify } from "../../src/sync/operator/verify-replica.ts";
import { beginSession, bumpSession } from "./sessions.ts";
import type { TestCluster } from "./sync-cluster.ts";
import { change, SOON, type TestDevice } from "./sync-device.ts";

export const APP = "team/app";
const run = promisify(execFile);
export const MAIN = "refs/heads/main";
export const ALIAS = "refs/heads/alias";
export const TO_MAIN = `ref: ${MAIN}`;

/** Lands what `work` does in the scratch repository of a session. */
async function session(device: TestDevice, work: (path: string) => Promise<unknown>) {
  const { path, token } = await beginSession(device, APP);
  await work(path);
  return await bumpSession(device, APP, token);
}

/** One after another in the scratch. */
const gits =
  (...commands: string[]) =>
  async (path: string) => {
    for (const command of commands)
      await run("git", command.split(" "), { env: { ...process.env, GIT_DIR: path, GIT_CONFIG_GLOBAL: "/dev/null" } });
  };

/** Two devices; main and an alias for it. */
export async function withAlias(cluster: TestCluster, ...more: string[]) {
  const [a, b] = await cluster.pair(APP);
  const history = await a.history(APP);
  await a.push(APP, [change("main", null, history[0]), change("other", null, history[0])]);
  await session(a, gits(`symbolic-ref ${ALIAS} ${MAIN}`, ...more));
  await b.read(APP);
  return { a, b, history };
}

/** Both devices are in lockstep, and nothing is to repair. */
export async function expectWell(devices: readonly TestDevice[]): Promise<void> {
  for (const device of devices) {
    await device.read(APP);
    await device.expectInLockstep(APP);
    const { differences } = await verify(device.context, APP, {
      full: true,
      signal: AbortSignal.timeout(SOON.timeout),
    });
    expect(differences).toEqual([]);
  }
  const [first, ...others] = await Promise.all(devices.map((device) => device.refs(APP)));
  for (const other of others) expect(other).toEqual(first);
}
