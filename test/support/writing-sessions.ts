// Write sessions in which a test commits with git, as their callers do.
import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { STATE_DIR } from "../../src/git/root/root-record.ts";
import type { BeginWrite, BegunWrite } from "../../src/sync/session/begin-write.ts";
import { beginSession, bumpSession } from "./sessions.ts";
import type { TestCluster } from "./sync-cluster.ts";
import { change, type TestDevice } from "./sync-device.ts";

export const APP = "team/app";

export const run = promisify(execFile);

export async function begin(device: TestDevice, options: Partial<BeginWrite> = {}): Promise<BegunWrite> {
  return await beginSession(device, APP, options);
}

export const bump = (device: TestDevice, { token }: BegunWrite) => bumpSession(device, APP, token);

/** git in a scratch repository, as its caller runs it. */
export async function git({ path }: BegunWrite, ...args: string[]): Promise<string> {
  const names = ["AUTHOR", "COMMITTER"].flatMap((who) => [
    [`GIT_${who}_NAME`, "Grace"],
    [`GIT_${who}_EMAIL`, "grace@example.org"],
  ]);
  const env = { ...process.env, ...Object.fromEntries(names), GIT_DIR: path };
  return (await run("git", args, { env })).stdout.trim();
}

/** Makes a commit in the scratch and points `ref` to it. */
export async function commitTo(session: BegunWrite, ref: string, message: string): Promise<string> {
  const tree = await git(session, "hash-object", "-w", "-t", "tree", "/dev/null");
  const id = await git(session, "commit-tree", tree, "-m", message);
  await git(session, "update-ref", ref, id);
  return id;
}

export async function scratches(device: TestDevice): Promise<string[]> {
  return await readdir(join(device.context.root, STATE_DIR, "scratch")).catch(() => []);
}

/** Lets the lease of a session run out. */
export async function expire(cluster: TestCluster, { writeId }: BegunWrite): Promise<void> {
  await cluster.sql("update lockstep.turn set expires_at = clock_timestamp() - interval '1 ms' where write_id = $1", [
    writeId,
  ]);
}

export const turns = (cluster: TestCluster) => cluster.sql("select write_id from lockstep.turn");

export const statusOf = async (cluster: TestCluster, { writeId }: BegunWrite) =>
  (await cluster.sql("select status, version, drop_reason from lockstep.write where id = $1", [writeId]))[0];

export async function withHistory(cluster: TestCluster): Promise<[TestDevice, TestDevice, string]> {
  const [a, b] = await cluster.pair(APP);
  const one = await a.commit(APP, "one");
  await a.push(APP, [change("main", null, one), change("topic", null, one), change("refs/tags/v1", null, one)]);
  return [a, b, one];
}
