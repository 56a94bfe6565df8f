// Two devices with a repository that was pushed to once.
import type { TestCluster } from "./sync-cluster.ts";
import { change } from "./sync-device.ts";

export const APP = "team/app";

/** Returns two devices. The first one has staged its first write: main is at the first id. */
export async function pushedOnce(cluster: TestCluster) {
  const [a, b] = await cluster.pair(APP);
  const ids = await a.history(APP);
  await a.push(APP, [change("main", null, ids[0])]);
  await b.read(APP);
  return { a, b, ids };
}
