// A repository that wants several copies, on three devices.
import type { TestCluster } from "./sync-cluster.ts";
import type { TestDevice } from "./sync-device.ts";

export const APP = "team/app";

export async function three(cluster: TestCluster): Promise<[TestDevice, TestDevice, TestDevice]> {
  const devices = (await Promise.all(["repo001", "repo002", "repo003"].map((name) => cluster.start(name)))) as [
    TestDevice,
    TestDevice,
    TestDevice,
  ];
  await cluster.create(APP, devices);
  return devices;
}

export async function wants(cluster: TestCluster, minCopies: number, landWithFewer = false): Promise<void> {
  await cluster.sql("update lockstep.repository set min_copies = $1, land_with_fewer = $2", [minCopies, landWithFewer]);
}

export const copies = async (cluster: TestCluster) =>
  (await cluster.sql<{ copies: string[] }>("select holders as copies from lockstep.ref_log order by version")).map(
    (row) => row.copies.toSorted(),
  );
