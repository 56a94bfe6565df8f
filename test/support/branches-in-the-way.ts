// Branches whose names are above or below each other, on two devices.
import type { RefName } from "../../src/domain.ts";
import { ref } from "./refs.ts";
import type { TestCluster } from "./sync-cluster.ts";
import { change, type TestDevice } from "./sync-device.ts";

export const APP = "team/app";
export const CONFLICTS = "conflicts with an existing ref";
export const branch = (name: string): RefName => ref(`refs/heads/${name}`);

/** Two devices; the first has these branches, all at the first of three commits. */
export async function withBranches(cluster: TestCluster, branches: readonly string[]) {
  const [a, b] = await cluster.pair(APP);
  const history = await a.history(APP);
  await a.push(APP, [change("main", null, history[0])]);
  if (branches.length > 0)
    await a.push(
      APP,
      branches.map((name) => change(name, null, history[0])),
    );
  return { a, b, history };
}

export async function branchesOf(device: TestDevice): Promise<string[]> {
  return Object.keys(await device.refs(APP)).filter((name) => name !== "HEAD" && name !== "refs/heads/main");
}
