import { beforeAll, beforeEach, expect, it } from "vitest";
import type { Incarnation } from "../../src/domain.ts";
import { recordFailure, recordVersion } from "../../src/store/replica/record-replica.ts";
import { recentSyncs } from "../../src/store/replica/sync-events.ts";
import { db, makeDatabaseOfFile } from "../support/file-database.ts";
import { incarnation, repository } from "../support/store-rows.ts";

let mine: Incarnation;
let other: Incarnation;
let id: string;
makeDatabaseOfFile();
beforeAll(async () => {
  [mine, other] = [await incarnation(db, { device: "mine" }), await incarnation(db, { device: "other" })];
});
beforeEach(async () => {
  ({ id } = await repository(db));
});

const event = { fromDevice: "other", fromVersion: 0n, bytes: 2 ** 40, refsChanged: 3, durationMs: 1.6 };

it("lists what brought versions and what failed, newest first, over all replicas", async () => {
  await recordVersion(db, mine, id, 1n, event);
  const failure = { error: "no route", broken: false, fromVersion: 0n, version: 0n, durationMs: 12.4 };
  await recordFailure(db, other, id, failure);
  const at = expect.any(Date);
  expect(await recentSyncs(db, id, 10)).toEqual([
    {
      device: "other",
      fromDevice: "",
      fromVersion: 0n,
      version: 0n,
      bytes: 0n,
      refsChanged: 0,
      durationMs: 12,
      error: "no route",
      at,
    },
    { device: "mine", ...event, version: 1n, bytes: BigInt(event.bytes), durationMs: 2, error: null, at },
  ]);
});

it("lists no more than it is asked for, the newest of whichever replica", async () => {
  for (const version of [1n, 2n, 3n, 4n]) await recordVersion(db, mine, id, version, event);
  await recordVersion(db, other, id, 4n, event);
  const listed = await recentSyncs(db, id, 3);
  expect(listed.map(({ device, version }) => `${device} ${version}`)).toEqual(["other 4", "mine 4", "mine 3"]);
});

it("lists nothing where nobody had to catch up", async () => {
  await recordVersion(db, mine, id, 0n, null);
  expect(await recentSyncs(db, id, 10)).toEqual([]);
});
