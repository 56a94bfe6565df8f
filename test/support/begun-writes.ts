// Calls of BeginWrite, and the tickets and writes that they leave.
import { expect } from "vitest";
import type { BeginWrite, BegunWrite } from "../../src/sync/session/begin-write.ts";
import { beginSession } from "./sessions.ts";
import type { TestCluster } from "./sync-cluster.ts";
import { change, type TestDevice } from "./sync-device.ts";

export const APP = "team/app";
export const USED = { code: "INVALID_REQUEST", message: expect.stringContaining("of another caller or device") };

export const begin = (device: TestDevice, options: Partial<BeginWrite>): Promise<BegunWrite> =>
  beginSession(device, APP, options);

export const tickets = async (cluster: TestCluster): Promise<string[]> =>
  (await cluster.sql<{ write_id: string }>("select write_id from lockstep.turn order by ticket")).map(
    ({ write_id: id }) => id,
  );

export async function statusOf(cluster: TestCluster, writeId: string) {
  const [row] = await cluster.sql("select status, drop_reason from lockstep.write where id = $1", [writeId]);
  return row;
}

/** A repository with a commit that the second device does not have yet. */
export async function withHistory(cluster: TestCluster): Promise<[TestDevice, TestDevice, string]> {
  const [a, b] = await cluster.pair(APP);
  const one = await a.commit(APP, "one");
  await a.push(APP, [change("main", null, one)]);
  return [a, b, one];
}
