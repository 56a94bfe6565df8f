// Two devices with one repository, and what was moved aside on them.
import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { verify } from "../../src/sync/operator/verify-replica.ts";
import type { TestCluster } from "./sync-cluster.ts";
import { change, SOON, type TestDevice } from "./sync-device.ts";

export const APP = "team/app";

export async function site(cluster: TestCluster) {
  const [a, b] = await cluster.pair(APP);
  const [one, two] = await a.history(APP);
  await a.push(APP, [change("main", null, one), change("topic/x", null, one)]);
  await b.read(APP);
  return { a, b, one, two, heads: join(a.gitDir(APP), "refs", "heads") };
}

export const check = ({ context }: TestDevice) =>
  verify(context, APP, { full: false, signal: AbortSignal.timeout(SOON.timeout) });

/** What lies aside, by the paths that it had in the replica. */
export async function aside({ context, ...device }: TestDevice): Promise<string[]> {
  const { id } = context.replicas.findByName(APP)!;
  const places = join(context.root, ".lockstep", "foreign", id);
  const [place] = await readdir(places).catch(() => []);
  if (place === undefined) throw new Error(`nothing of ${device.name} lies aside`);
  const found = await readdir(join(places, place), { recursive: true, withFileTypes: true, encoding: "utf8" });
  return found
    .filter((each) => !each.isDirectory())
    .map((each) => relative(join(places, place), join(each.parentPath, each.name)))
    .sort();
}
