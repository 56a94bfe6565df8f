// The cluster of a test file, with an operator's client at the port of each device.
import { afterAll, beforeAll } from "vitest";
import type { Cluster } from "./cluster.ts";
import type { Device } from "./cluster-device.ts";
import { type OperatedCluster, startOperatedCluster } from "./operators.ts";
import type { Pusher } from "./pusher.ts";

// `startOperatedClusterOfFile` sets these before the first test of its file.
export let cluster: Cluster;
export let one: Device;
export let three: Device;
export let ada: Pusher;
export let at: OperatedCluster["at"];
export let repositoryAt: OperatedCluster["repositoryAt"];

/** Starts the cluster before the tests of the calling file and stops it afterwards. */
export function startOperatedClusterOfFile(): void {
  let operated: OperatedCluster;
  beforeAll(async () => {
    operated = await startOperatedCluster();
    ({ cluster, one, three, ada, at, repositoryAt } = operated);
  });
  afterAll(async () => await operated?.[Symbol.asyncDispose]());
}
