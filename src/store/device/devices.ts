// What an operator does with devices: drain, remove, take from writes; and what he sees of them.

import { LockstepError } from "../../errors.ts";
import type { DiskRoom } from "../../health/disk-room.ts";
import { HELD } from "../../replica-states.ts";
import { type Database, queryRepeatable, queryRepeatableRow } from "../database/database.ts";
import { dated, epochMs, intervalMs } from "../database/instant.ts";
import { AWAY_SINCE } from "./device-lease.ts";

export interface Device {
  readonly name: string;
  readonly grpcAddress: string;
  readonly gitAddress: string;
  /** Where its sshd listens, and the account there. Empty: other devices cannot reach it over ssh. */
  readonly sshAddress: string;
  readonly sshUser: string;
  readonly zone: string;
  /** True while a sidecar holds the device's lease. */
  readonly live: boolean;
  /** For how long the lease is good if it is not renewed. null: no sidecar holds it. */
  readonly leaseMs: number | null;
  /** When the lease ended. null: a sidecar holds it, or none ever did. */
  readonly awaySince: Date | null;
  readonly startedAt: Date | null;
  readonly drainingSince: Date | null;
  readonly removedAt: Date | null;
  /** False: an operator has taken it from writes. */
  readonly writes: boolean;
  /** True while rows of replicas that it shall have are still being made. */
  readonly placing: boolean;
  /** How many replicas it shall have. 0 in a list, unless some are missing. */
  readonly replicas: bigint;
  /** How many of these are not there yet. */
  readonly missing: bigint;
  /** How many commands it has still to carry out. */
  readonly openCommands: bigint;
  /** On the disk of its root, as it told last. null: it has told nothing. */
  readonly room: DiskRoom | null;
}

/** Returns all devices of the cluster, by name. */
export async function listDevices(db: Database): Promise<Device[]> {
  // All replicas of a device are counted only while it copies repositories.
  const count = `case when missing > 0 then (select count(*) from lockstep.replica p where p.device = d.name and p.state in ${HELD}) else 0 end`;
  return await readDevices(db, count, "d.removed_at is null", []);
}

/** Returns a device, also one that was removed. Throws DEVICE_NOT_FOUND. */
export async function findDevice(db: Database, name: string): Promise<Device> {
  const count = `(select count(*) from lockstep.replica p where p.device = d.name and p.state in ${HELD})`;
  const [device] = await readDevices(db, count, "d.name = $1", [name]);
  if (device === undefined) throw deviceNotFoundError(name);
  return device;
}

async function readDevices(db: Database, count: string, which: string, values: unknown[]): Promise<Device[]> {
  const rows = await queryRepeatable(
    db.work,
    `select d.name, grpc_address as "grpcAddress", git_address as "gitAddress", ssh_address as "sshAddress", ssh_user as "sshUser", zone,
       d.removed_at is null and d.expires_at > clock_timestamp() as live, ${AWAY_SINCE} as "awaySince",
       ${intervalMs("case when d.expires_at > clock_timestamp() then d.expires_at - clock_timestamp() end")} as "leaseMs",
       ${epochMs("started_at")} as "startedAt", ${epochMs("draining_since")} as "drainingSince",
       ${epochMs("removed_at")} as "removedAt", writes,
       not placed and draining_since is null and removed_at is null as placing, missing, ${count} as replicas,
       (select count(*) from lockstep.command c where c.device = d.name and c.state in ('queued', 'running')) as "openCommands",
       disk_free, disk_size
     from lockstep.device d
       cross join lateral (select count(*) as missing from lockstep.replica p where p.device = d.name and p.state = 'pending') m
     where ${which} order by d.name`,
    values,
  );
  return rows.map(({ disk_free: free, disk_size: size, ...row }) => {
    const room = free === null ? null : { freeBytes: Number(free), sizeBytes: Number(size) };
    return dated<Device>({ ...row, room }, "awaySince", "startedAt", "drainingSince", "removedAt");
  });
}

/** The state of a device that an operator may want to switch off. */
export interface Remainder {
  /** Repositories whose head is on no other device that stays, by name, at most `limit`. */
  readonly onlyHere: string[];
  readonly moreOnlyHere: bigint;
  /** Writes under way on it. */
  readonly writing: number;
}

/** Returns what keeps an operator from switching a device off. */
export async function readRemainder(db: Database, device: string, limit: number): Promise<Remainder> {
  return await queryRepeatableRow<Remainder & { [column: string]: unknown }>(
    db.work,
    `with only_here as materialized (select name from lockstep.only_on($1) name)
     select array(select name from only_here order by name limit $2) as "onlyHere",
       greatest(0, (select count(*) from only_here) - $2) as "moreOnlyHere",
       (select count(*)::int from lockstep.write w where w.device = $1 and w.status = 'staged') as writing`,
    [device, limit],
  );
}

type Outcome = "drains" | "undrained" | "missing" | "removed" | "too_few" | "only_here";

/**
 * Begins to drain a device. May be repeated. Throws DEVICE_NOT_FOUND, DEVICE_REMOVED, and DEVICE_NEEDED when
 * repositories would be on too few devices.
 */
export async function drainDevice(db: Database, device: string, author: string): Promise<void> {
  const { outcome, names } = await change(db, "drain_device", device, author);
  if (outcome === "missing") throw deviceNotFoundError(device);
  if (outcome === "removed") throw alreadyRemovedError(device);
  if (outcome !== "drains") throw tooFewError(device, names ?? []);
}

/** Ends the drain of a device, or lets a removed one join again. May be repeated. Throws DEVICE_NOT_FOUND. */
export async function undrainDevice(db: Database, device: string, author: string): Promise<void> {
  const { outcome } = await queryRepeatableRow<{ outcome: Outcome }>(
    db.work,
    "select outcome from lockstep.undrain_device($1, $2)",
    [device, author],
  );
  if (outcome === "missing") throw deviceNotFoundError(device);
}

/**
 * Removes a device. May be repeated. Throws DEVICE_NOT_FOUND, and DEVICE_NEEDED when only it has something, or
 * repositories would be on too few devices.
 */
export async function removeDevice(db: Database, device: string, author: string): Promise<void> {
  const { outcome, names } = await change(db, "remove_device", device, author);
  if (outcome === "missing") throw deviceNotFoundError(device);
  if (outcome === "too_few") throw tooFewError(device, names ?? []);
  if (outcome === "only_here") throw onlyHereError(device, names ?? []);
}

async function change(
  db: Database,
  what: "drain_device" | "remove_device",
  device: string,
  author: string,
): Promise<{ outcome: Outcome; names: string[] | null }> {
  return await queryRepeatableRow<{ outcome: Outcome; names: string[] | null }>(
    db.work,
    `select outcome, names from lockstep.${what}($1, $2)`,
    [device, author],
  );
}

/** Lets a device take writes, or only serve reads. Throws DEVICE_NOT_FOUND, DEVICE_REMOVED. */
export async function setDeviceWrites(db: Database, device: string, writes: boolean, author: string): Promise<void> {
  const { outcome } = await queryRepeatableRow<{ outcome: "set" | "missing" | "removed" }>(
    db.work,
    "select lockstep.set_device_writes($1, $2, $3) as outcome",
    [device, writes, author],
  );
  if (outcome === "missing") throw deviceNotFoundError(device);
  if (outcome === "removed") throw alreadyRemovedError(device);
}

/** Makes the error DEVICE_NOT_FOUND. */
function deviceNotFoundError(device: string): LockstepError {
  return new LockstepError(
    "DEVICE_NOT_FOUND",
    `No device ${device} has ever registered; \`lockstep device list\` shows the ones there are.`,
    { details: { device } },
  );
}

function alreadyRemovedError(device: string): LockstepError {
  return new LockstepError(
    "DEVICE_REMOVED",
    `Device ${device} was removed from this cluster; \`lockstep device undrain ${device}\` lets it join again as a new one.`,
    { details: { device } },
  );
}

function tooFewError(device: string, names: readonly string[]): LockstepError {
  return new LockstepError(
    "DEVICE_NEEDED",
    `Without device ${device} too few devices would be left for ${listed(names)}; add a device, or change them first ` +
      "with `lockstep repo set NAME --devices A,B` or `--min-copies N`.",
    { details: { device, repositories: names.join(" ") } },
  );
}

function onlyHereError(device: string, names: readonly string[]): LockstepError {
  return new LockstepError(
    "DEVICE_NEEDED",
    `Only device ${device} has the newest version of ${listed(names)}; run \`lockstep device drain ${device} --wait\` first. If the ` +
      `device is lost for good, give its versions up with \`lockstep thaw --demote ${device} --all\`.`,
    { details: { device, repositories: names.join(" ") } },
  );
}

const LISTED = 20;

/** Returns names as a list. The functions of the database return one more name than is listed. */
function listed(names: readonly string[]): string {
  return `${names.slice(0, LISTED).join(", ")}${names.length > LISTED ? " and more" : ""}`;
}
