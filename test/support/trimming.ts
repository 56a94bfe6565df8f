// Logs with many versions, and their trimming, for tests.
import { expect } from "vitest";
import { setKeepLog } from "../../src/store/retention/keep-times.ts";
import { parseKeep } from "../../src/store/retention/subjects.ts";
import { trimDatabase } from "../../src/sync/retention/trim-database.ts";
import type { TestCluster } from "./sync-cluster.ts";
import { change, type TestDevice } from "./sync-device.ts";

export const APP = "team/app";

/** Lands so many versions on a device, each with a new value of main. Returns the commits. */
export async function versions(device: TestDevice, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const [parent] = ids.slice(-1);
    const id = await device.commit(APP, `commit ${index}`, { parents: parent ? [parent] : [] });
    await device.push(APP, [change("main", parent ?? null, id)]);
    ids.push(id);
  }
  return ids;
}

/** Trims the log of the repository on this device as if `keep` had been set. */
export async function trimTo(device: TestDevice, keep: string): Promise<number> {
  await setKeepLog(device.context.db, APP, parseKeep("log", keep));
  return await trimDatabase(device.context);
}

export const inLog = async (cluster: TestCluster) =>
  (await cluster.sql<{ version: string }>("select version from lockstep.ref_log order by version")).map((row) =>
    Number(row.version),
  );

/** Lands further versions of main. */
export async function versionsFrom(device: TestDevice, ids: string[], count: number): Promise<string[]> {
  const made: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const parent = ids.at(-1) as string;
    const id = await device.commit(APP, `further ${ids.length}`, { parents: [parent] });
    expect(await device.push(APP, [change("main", parent, id)])).toEqual({ "refs/heads/main": null });
    ids.push(id);
    made.push(id);
  }
  return made;
}
