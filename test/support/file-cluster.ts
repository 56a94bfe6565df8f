// The cluster of a test file: three devices, and ada, who pushes.
import { afterAll, afterEach, beforeAll } from "vitest";
import { administer } from "./administer.ts";
import { type Cluster, startCluster } from "./cluster.ts";
import type { Device } from "./cluster-device.ts";
import { type DatabaseProxy, databaseProxy } from "./database-proxy.ts";
import { isAlive } from "./processes.ts";
import { type Pusher, pusher } from "./pusher.ts";

// `startClusterOfFile` sets these before the first test of its file.
export let cluster: Cluster;
export let one: Device;
export let two: Device;
export let three: Device;
export let ada: Pusher;
/** Between the devices and the database. Only with `behindProxy`. */
export let proxy: DatabaseProxy;

/**
 * Starts three devices before the tests of the calling file and stops them afterwards. `revive`: after each test starts
 * the sidecars that a failed test left dead. `behindProxy`: the devices reach the database through `proxy`. `shortWaits`:
 * see `startCluster`.
 */
export function startClusterOfFile({ revive = false, behindProxy = false, shortWaits = false } = {}): void {
  beforeAll(async () => {
    cluster = await startCluster({ shortWaits, ...(behindProxy && { via: throughProxy }) });
    [one, two, three] = cluster.devices as [Device, Device, Device];
    ada = await pusher(cluster.git, "ada");
  });
  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
    await proxy?.[Symbol.asyncDispose]();
  });
  if (!revive) return;
  afterEach(async () => {
    for (const device of cluster.devices) if (!isAlive(device.pid)) await device.start();
  });
}

async function throughProxy(url: string): Promise<string> {
  proxy = await databaseProxy(url);
  return proxy.url;
}

/** Sets when the lease of the first device ends. `end` is SQL. */
export async function setLeaseEnd(end: string): Promise<void> {
  await administer(cluster.databaseUrl, (client) =>
    client.query(`update lockstep.device set expires_at = ${end} where name = $1`, [one.name]),
  );
}
