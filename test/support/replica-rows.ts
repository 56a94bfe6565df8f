// The rows of a repository on two devices, for tests of the store.
import { randomUUID } from "node:crypto";
import { beforeEach, expect } from "vitest";
import { EMPTY_DIGEST } from "../../src/digest.ts";
import type { Incarnation, ReplicaState } from "../../src/domain.ts";
import { enqueueRepairs, FIRST_REPOSITORY } from "../../src/store/command/repairs.ts";
import { queryOnce } from "../../src/store/database/database.ts";
import { createRepository } from "../../src/store/repository/repositories.ts";
import { landWrite, stageWrite } from "../../src/store/write/writes.ts";
import { db, makeDatabaseOfFile } from "./file-database.ts";
import { incarnation } from "./store-rows.ts";

// `makeReplicaRows` sets these before each test of its file.
export let me: Incarnation;

export let other: Incarnation;

export let name: string;

export let id: string;

export const start = (device: string) => incarnation(db, { device, gitAddress: `${device}:7421`, zone: "a" });

/** Makes the database of the calling file, and before each test a repository on the devices `mine` and `other`. */
export function makeReplicaRows(): void {
  makeDatabaseOfFile();
  beforeEach(async () => {
    [me, other] = [await start("mine"), await start("other")];
    name = `r-${randomUUID()}`;
    id = await repository(name, "mine", "other");
  });
}

export async function repository(called: string, ...devices: string[]): Promise<string> {
  const request = { name: called, devices, defaultBranch: "main", objectFormat: "sha1" } as const;
  return (await createRepository(db, request)).id;
}

/** Lands a write that changes no ref, on version `base`. */
export async function land(base: bigint): Promise<void> {
  const write = { writeId: randomUUID(), repositoryId: id, base };
  await stageWrite(db, me, { ...write, author: "ada", names: [] });
  const bumped = await landWrite(db, me, { ...write, difference: EMPTY_DIGEST, updates: [] });
  expect(bumped).toEqual({ outcome: "landed", version: base + 1n });
}

export async function setState(state: ReplicaState, device = "mine"): Promise<void> {
  const values = [id, device, state];
  await queryOnce(db.work, "update lockstep.replica set state = $3 where repository_id = $1 and device = $2", values);
}

export async function row(device = "mine"): Promise<Record<string, unknown>> {
  const [found] = await queryOnce(
    db.work,
    `select version, state, last_error, attempts, extract(epoch from next_attempt_at - updated_at)::float as wait
     from lockstep.replica where repository_id = $1 and device = $2`,
    [id, device],
  );
  return found!;
}

export const failure = { error: "no route", broken: false, fromVersion: 0n, version: 1n, durationMs: 12.4 };

/** Returns whether a look at everything enqueues a command for the replica. Takes the commands back. */
export async function isBehind(): Promise<boolean> {
  const search = {
    everything: true,
    positions: [0n, 0n] as const,
    page: { after: FIRST_REPOSITORY, size: 10 },
    room: 1e6,
  };
  await enqueueRepairs(db, me, search);
  const found = await queryOnce(
    db.work,
    "delete from lockstep.command where device = 'mine' returning repository_id",
    [],
  );
  return found.some((each) => each.repository_id === id);
}
