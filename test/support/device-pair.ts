// Two devices with one repository at version 2.
import { APP } from "./disk-checks.ts";
import type { TestCluster } from "./sync-cluster.ts";
import { change, type TestDevice } from "./sync-device.ts";

export interface Site {
  readonly cluster: TestCluster;
  readonly a: TestDevice;
  readonly b: TestDevice;
  readonly one: string;
  readonly two: string;
}

/** Two devices at version 2, whose refs are loose. */
export async function site(cluster: TestCluster): Promise<Site> {
  const [a, b] = await cluster.pair(APP);
  const [one, two] = await a.history(APP);
  await a.push(APP, [change("main", null, one), change("topic/x", null, one)]);
  await a.push(APP, [change("main", one, two)]);
  await b.read(APP);
  return { cluster, a, b, one, two };
}

export const rowOf = async ({ cluster, name }: TestDevice) =>
  (await cluster.sql("select version, state from lockstep.replica where device = $1", [name]))[0];
