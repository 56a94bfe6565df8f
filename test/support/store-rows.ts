// Makes devices, repositories and writes that exist only as rows, for tests of the store.
import { randomUUID } from "node:crypto";
import { inject } from "vitest";
import { differenceOf } from "../../src/digest.ts";
import type { Incarnation, RefUpdate, Version } from "../../src/domain.ts";
import { type Database, queryOnce } from "../../src/store/database/database.ts";
import { type TakeOverRequest, takeOver } from "../../src/store/device/device-lease.ts";
import { readFold } from "../../src/store/log/fold.ts";
import { readLog } from "../../src/store/log/list-log.ts";
import { createRepository } from "../../src/store/repository/repositories.ts";
import { type LandRequest, stageWrite, type WriteIdentity } from "../../src/store/write/writes.ts";
import { administer } from "./administer.ts";
import { update } from "./refs.ts";

const ROOT = randomUUID();

/**
 * Returns the request of a starting sidecar: on a new device unless one is given, on the root that its device had
 * before.
 */
export function starting(given: Partial<TakeOverRequest> = {}): TakeOverRequest {
  const addresses = { grpcAddress: "", gitAddress: "", zone: "" };
  return { device: `d-${randomUUID()}`, incarnation: randomUUID(), rootId: ROOT, ...addresses, ...given };
}

/** What the server of the tests is called, which has never been promoted. */
export const HERE = await administer(inject("postgresUrl"), async (client) => {
  const { rows } = await client.query("select '00000001/' || system_identifier as here from pg_control_system()");
  return String(rows[0]?.here);
});

/** Starts a sidecar (`starting`) and returns its incarnation. */
export async function incarnation(db: Database, given: Partial<TakeOverRequest> = {}): Promise<Incarnation> {
  const taken = await takeOver(db, starting(given));
  if (taken.outcome !== "taken") throw new Error(`the device is ${taken.outcome}`);
  return taken.incarnation;
}

/** Creates a repository at version 0, with replicas on these devices. */
export async function repository(db: Database, ...on: Incarnation[]): Promise<{ id: string; name: string }> {
  const name = `r-${randomUUID()}`;
  const devices = on.map(({ device }) => device);
  const { id } = await createRepository(db, { name, devices, defaultBranch: "main", objectFormat: "sha1" });
  return { id, name };
}

/** Makes the update that creates a ref. */
export const create = (name: string, newValue: string): RefUpdate => update(name, null, newValue);

/** Stages a write of the updates on `base` and returns the arguments that land it. */
export async function stage(
  db: Database,
  me: Incarnation,
  repositoryId: string,
  base: Version,
  updates: readonly RefUpdate[],
): Promise<LandRequest & WriteIdentity> {
  const writeId = randomUUID();
  const author = "ada";
  const names = updates.map(({ name }) => name);
  const staged = await stageWrite(db, me, { writeId, repositoryId, base, author, names });
  if (staged.outcome !== "staged") throw new Error(`the write is ${staged.outcome}`);
  return {
    writeId,
    repositoryId,
    author,
    base,
    difference: differenceOf(staged.digestKey, updates),
    updates,
  };
}

/** Returns the arguments that land a write of the updates which nobody has staged. */
export async function atOnce(
  db: Database,
  repositoryId: string,
  base: Version,
  updates: readonly RefUpdate[],
): Promise<LandRequest & WriteIdentity> {
  const { digestKey } = await readFold(db, repositoryId);
  const difference = differenceOf(digestKey, updates);
  const author = "ada";
  return { writeId: randomUUID(), repositoryId, author, atOnceBy: author, base, difference, updates };
}

/** Returns the versions of the log, newest first. */
export async function versions(db: Database, repositoryId: string): Promise<Version[]> {
  return (await readLog(db, repositoryId, null, 1000)).map(({ version }) => version);
}

/** Returns the rows of every table, to compare with later ones. */
export async function contents(db: Database): Promise<object[]> {
  const tables = await queryOnce<{ name: string }>(
    db.work,
    "select table_name as name from information_schema.tables where table_schema = 'lockstep' order by 1",
  );
  const counts = tables.map(
    ({ name }) =>
      `select '${name}' as name, count(*), md5(string_agg(t::text, ' ' order by t::text)) as rows from lockstep.${name} t`,
  );
  return await queryOnce(db.work, counts.join(" union all "));
}
