// A device joins a cluster whose operators say yes to each key: by a token that works once.
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { type Device, PATIENCE } from "../support/cluster-device.ts";
import { type Joining, joinCluster } from "../support/joining-device.ts";
import { pusher } from "../support/pusher.ts";
import { soon } from "../support/soon.ts";

const SOON = soon(100);

let cluster: Cluster;
let one: Device;
const started = new Set<ChildProcess>();
beforeAll(async () => {
  cluster = await startCluster();
  one = cluster.devices[0]!;
  // A device with --trust-ca would let every certificate of the authority in.
  for (const device of cluster.devices) {
    await device.kill();
    await device.start({ LOCKSTEP_TRUST_CA: "0" });
  }
});
afterAll(async () => {
  for (const child of started) await end(child);
  await cluster?.[Symbol.asyncDispose]();
});

async function end(child: ChildProcess): Promise<void> {
  started.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  await once(child, "exit");
}

async function joining(name: string, tokenFile: string): Promise<Joining> {
  const joined = await joinCluster(cluster, name, { LOCKSTEP_ENROLL_TOKEN_FILE: tokenFile });
  started.add(joined.child);
  joined.child.stderr?.resume();
  return joined;
}

async function versionOn(device: string, repository: string): Promise<string | undefined> {
  const { replicas } = await one.call("GetRepository", { repository }, PATIENCE);
  const replica = replicas.find((each) => each.device === device);
  return replica?.state === "REPLICA_STATE_ACTIVE" ? String(replica.version) : undefined;
}

const ready = async ({ http }: Joining) => (await fetch(`${http}/readyz`)).status;
const keysOf = async (name: string) => (await one.lockstep("device", "show", name)).document.keys ?? [];

it("a device joins with its token, fetches what was pushed; nobody else joins with it, before or afterwards", async () => {
  const ada = await pusher(cluster.git, "ada");
  const repository = await cluster.createRepository();
  await ada.land(one.url(repository), `${await ada.commit()}:refs/heads/main`);
  const { document } = await one.lockstep("device", "enroll", "repo004", "--token");
  const file = join(cluster.dir, "token");
  await writeFile(file, `${document.token}\n`, { mode: 0o600 });

  // Another name with the token of repo004 waits.
  const wrong = await joining("repo005", file);
  await vi.waitFor(async () => {
    const { waiting } = (await one.lockstep("device", "list")).document;
    expect(waiting).toMatchObject([{ role: "device", name: "repo005" }]);
  }, SOON);
  expect(await keysOf("repo005")).not.toContainEqual(expect.objectContaining({ state: "trusted" }));

  const four = await joining("repo004", file);
  await vi.waitFor(async () => expect(await versionOn("repo004", repository)).toBe("1"), SOON);
  expect(await keysOf("repo004")).toMatchObject([{ state: "trusted", by: "a token" }]);
  await vi.waitFor(async () => expect(await ready(four)).toBe(200), SOON);
  expect(await versionOn("repo005", repository)).toBeUndefined();
  await end(wrong.child);

  // The token was used up. The device needs it no more, and it lets nobody else in.
  await end(four.child);
  const thief = await joinAs("repo004", file);
  await vi.waitFor(async () => {
    const { waiting } = (await one.lockstep("device", "list")).document;
    expect(waiting.filter(({ name }: { name: string }) => name === "repo004")).toHaveLength(1);
  }, SOON);
  expect(await keysOf("repo004")).toHaveLength(1);
  await end(thief.child);
  await rm(file);
});

/** Another machine says that it is that device: it has another key and another root. */
async function joinAs(name: string, tokenFile: string): Promise<Joining> {
  const there = { ...cluster, dir: join(cluster.dir, "elsewhere") };
  const joined = await joinCluster(there, name, { LOCKSTEP_ENROLL_TOKEN_FILE: tokenFile });
  started.add(joined.child);
  joined.child.stderr?.resume();
  return joined;
}
