// A cluster in which one device stores its refs as reftable.
import { join } from "node:path";
import { toLatin1 } from "../../src/domain.ts";
import { verify } from "../../src/sync/operator/verify-replica.ts";
import { gitIsOlderThan } from "./programs.ts";
import type { TestCluster } from "./sync-cluster.ts";
import { SOON, type TestDevice } from "./sync-device.ts";

export const APP = "team/app";

export const LOCK = "reftable/tables.list.lock";

export const tooOld = gitIsOlderThan(2, 46);

/** A device whose refs are tables, and one whose refs are files. */
export async function mixed(
  cluster: TestCluster,
  objectFormat: "sha1" | "sha256" = "sha1",
): Promise<[TestDevice, TestDevice]> {
  const pair: [TestDevice, TestDevice] = [
    await cluster.start("repo001", { refFormat: "reftable" }),
    await cluster.start("repo002"),
  ];
  await cluster.create(APP, pair, { objectFormat });
  return pair;
}

export const tables = (device: TestDevice) => join(device.gitDir(APP), "reftable");

/** The names of refs that are not what the log says. */
export async function differences({ context }: TestDevice): Promise<string[]> {
  const found = await verify(context, APP, { full: false, signal: AbortSignal.timeout(SOON.timeout) });
  return found.differences.map(({ name }) => toLatin1(name));
}
