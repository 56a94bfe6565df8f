// Repositories: creation, settings, look-up by name. read-heads.ts has the heads that every read asks for.
import { randomBytes, randomUUID } from "node:crypto";
import pg from "pg";
import { digestOf } from "../../digest.ts";
import { HEAD, refName, symbolicTo, toBytes, type Version } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { type Database, queryOnceRow, queryRepeatable, queryRepeatableRow } from "../database/database.ts";
import { intervalMs } from "../database/instant.ts";
import type { Placement } from "../replica/placement.ts";
import { missingRepositoryError } from "./former-names.ts";

export interface Repository {
  readonly id: string;
  readonly name: string;
  readonly objectFormat: "sha1" | "sha256";
  readonly headVersion: Version;
  readonly headDigest: Buffer;
  readonly minCopies: number;
  readonly landWithFewer: boolean;
  /** True: a write lands only on the version that its device holds. */
  readonly serial: boolean;
  readonly placement: Placement;
  /** Versions up to this one have been trimmed from its log. */
  readonly logBase: Version;
  /** How much of its log is kept, as an operator writes it. null: as the cluster does. */
  readonly keepLog: string | null;
  /** Why nobody may use the repository until an operator has decided. null: it may be used. */
  readonly stopped: string | null;
  /** For how long one update of a replica may run. null: the default. */
  readonly updateLimitMs: number | null;
}

const UNIQUE_VIOLATION = "23505";

/**
 * Creates a repository at version 0, whose only ref is HEAD, and a pending replica on each device. If no device is
 * named, it is on all devices, also those that join later. Throws REPOSITORY_EXISTS, DEVICE_NOT_FOUND, and
 * INVALID_REQUEST for more copies than devices.
 */
export async function createRepository(
  db: Database,
  request: {
    name: string;
    devices: readonly string[];
    defaultBranch: string;
    objectFormat: "sha1" | "sha256";
    minCopies?: number;
  },
): Promise<{ id: string; devices: string[] }> {
  const id = randomUUID();
  const key = randomBytes(32);
  const head = symbolicTo(refName(`refs/heads/${request.defaultBranch}`));
  const minCopies = request.minCopies ?? 1;
  const digest = digestOf(key, new Map([[HEAD, head]]));
  const placement = request.devices.length === 0 ? null : [...new Set(request.devices)].sort();
  try {
    const { outcome, devices } = await queryOnceRow<{ outcome: "made" | "no_device" | "too_few"; devices: string[] }>(
      db.work,
      "select outcome, devices from lockstep.create_repository($1, $2, $3, $4, $5, $6, $7, $8, $9)",
      [id, request.name, request.objectFormat, key, digest, toBytes(HEAD), toBytes(head), minCopies, placement],
    );
    if (outcome === "too_few") throw tooFewDevicesError(minCopies, devices.length);
    if (outcome === "no_device") throw missingDeviceError(request.devices, devices);
    return { id, devices };
  } catch (error) {
    if (!(error instanceof pg.DatabaseError && error.code === UNIQUE_VIOLATION)) throw error;
    await isRepository(db, request.name);
    throw repositoryExistsError(request.name, error);
  }
}

/**
 * Returns whether a repository has that name. A caller that repeats its call takes "it exists" for its success, so the
 * row lock makes this answer wait for the standby.
 */
export async function isRepository(db: Database, name: string): Promise<boolean> {
  const found = await queryRepeatable(db.work, "select from lockstep.repository where name = $1 for key share", [name]);
  return found.length > 0;
}

function tooFewDevicesError(wanted: number, found: number): LockstepError {
  return new LockstepError(
    "INVALID_REQUEST",
    `The ${wanted} copies need ${wanted} devices, but there would be replicas on ${found}; name more devices, or fewer copies.`,
  );
}

function missingDeviceError(wanted: readonly string[], found: readonly string[]): LockstepError {
  const missing = wanted.filter((device) => !found.includes(device));
  return new LockstepError(
    "DEVICE_NOT_FOUND",
    missing.length > 0
      ? `The cluster has no device ${missing.join(", ")} that takes replicas: it never registered, drains or was removed; \`lockstep device list\` shows the ones there are.`
      : "No device takes replicas; start `lockstep serve` on at least one.",
  );
}

/** Returns the repository of that name. Throws REPOSITORY_NOT_FOUND. */
export async function findRepository(db: Database, name: string): Promise<Repository> {
  const [row] = await queryRepeatable<Repository & { [column: string]: unknown }>(
    db.work,
    `${SELECT_REPOSITORY} where name = $1`,
    [name],
  );
  if (row === undefined) throw await missingRepositoryError(db, name);
  return row;
}

const KEEP_DAYS = 14;

export interface RepositoryChange {
  readonly minCopies: number | null;
  readonly landWithFewer: boolean | null;
  /** undefined, null: unchanged. */
  readonly serial?: boolean | null;
  /** undefined: unchanged. */
  readonly placement?: Placement;
  /** For how many days devices that give their copy up keep its files. */
  readonly keepDays?: number;
  /** Who asks. */
  readonly author?: string;
}

/**
 * Changes the settings that are given and returns the repository. Throws REPOSITORY_NOT_FOUND, DEVICE_NOT_FOUND, and
 * INVALID_REQUEST for more copies than devices.
 */
export async function setRepository(db: Database, name: string, change: RepositoryChange): Promise<Repository> {
  const { placement } = change;
  const row = await queryRepeatableRow<{
    outcome: "set" | "missing" | "no_device" | "too_few";
    devices: string[];
    copies: number;
  }>(db.work, "select outcome, devices, copies from lockstep.set_repository($1, $2, $3, $4, $5, $6, $7, $8)", [
    name,
    change.minCopies,
    change.landWithFewer,
    change.serial ?? null,
    placement !== undefined,
    placement ? [...new Set(placement)].sort() : null,
    change.keepDays ?? KEEP_DAYS,
    change.author ?? "",
  ]);
  if (row.outcome === "too_few") throw tooFewDevicesError(row.copies, row.devices.length);
  if (row.outcome === "no_device") throw missingDeviceError(placement ?? [], row.devices);
  return await findRepository(db, name);
}

/**
 * Sets for how long one update of a replica may run. null: the default of the sidecars. Throws REPOSITORY_NOT_FOUND.
 */
export async function setUpdateLimit(db: Database, name: string, limitMs: number | null): Promise<void> {
  const { found } = await queryRepeatableRow<{ found: boolean }>(
    db.work,
    "select lockstep.set_update_limit($1, make_interval(secs => $2)) as found",
    [name, limitMs === null ? null : limitMs / 1000],
  );
  if (!found) throw await missingRepositoryError(db, name);
}

/**
 * Returns repositories by name, at most `limit` after the name `after`. `like`: only those that match one of these
 * patterns of LIKE. Empty: all.
 */
export async function listRepositories(
  db: Database,
  after: string,
  limit: number,
  like: readonly string[] = [],
): Promise<Repository[]> {
  return await queryRepeatable<Repository & { [column: string]: unknown }>(
    db.work,
    // A condition of which PostgreSQL assumes that nearly all rows meet it, so it follows the index.
    `${SELECT_REPOSITORY} where name > $1 and name not like '.removed/%' and ($3::text[] = '{}' or name like any($3))
     order by name limit $2`,
    [after, limit, like],
  );
}

const SELECT_REPOSITORY = `select id, name, object_format as "objectFormat", head_version as "headVersion",
  head_digest as "headDigest", min_copies as "minCopies", land_with_fewer as "landWithFewer", serial,
  log_base as "logBase",
  keep_versions || coalesce(',' || nullif(keep_days, 0) || 'd', '') as "keepLog",
  ${intervalMs("update_limit")} as "updateLimitMs", placement, stopped from lockstep.repository`;

/** Makes the error REPOSITORY_EXISTS for `name`. */
export function repositoryExistsError(name: string, cause?: unknown): LockstepError {
  const message = `A repository named ${name} exists already; choose another name.`;
  return new LockstepError("REPOSITORY_EXISTS", message, { cause });
}
