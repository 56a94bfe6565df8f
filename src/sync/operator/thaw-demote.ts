// `thaw --demote`: gives up versions whose objects are only on devices that are gone.

import { digestAfter } from "../../digest.ts";
import { objectIds, type RefUpdate, type Version } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { listCommits } from "../../git/objects/commits.ts";
import { readFold } from "../../store/log/fold.ts";
import { readLog, readWriters } from "../../store/log/list-log.ts";
import { type RefChange, readChanges } from "../../store/log/ref-log.ts";
import { type ReplicaRow, replicasOf } from "../../store/replica/replicas.ts";
import { findRepository } from "../../store/repository/repositories.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";
import { since } from "../objects/fetch-objects.ts";
import { COMMITS_LISTED, highest, type ThawPlan, thawRefusedError } from "./thaw-plan.ts";

/** Plans a demotion. Throws THAW_REFUSED, DEVICE_NOT_FOUND. */
export async function planDemote(
  context: SyncContext,
  replica: Replica,
  devices: readonly string[],
  signal: AbortSignal,
): Promise<ThawPlan> {
  const { db, git } = context;
  const { id, name, gitDir } = replica;
  const rows = await replicasOf(db, id);
  const fold = await readFold(db, id);
  checkDevices(name, rows, devices);
  if ((await findRepository(db, name)).stopped !== null)
    throw thawRefusedError(
      `The database has lost writes of ${name}; say whose refs stay with \`lockstep thaw ${name} --promote DEVICE\`.`,
      name,
    );
  const keeper = chooseKeeper(name, rows, devices, fold.head);
  const { head, changes, writers } = await readChanges(db, id, keeper.version);
  const { next, built } = await readWriters(db, id, keeper.version);
  // If all devices that had the next version are gone, those that wrote over it lack it. Nobody was told that their
  // writes had landed. Only who built on it has it.
  const nextIsGone = next.length > 0 && next.every((device) => devices.includes(device));
  checkHolders(name, rows, devices, { keeper, head, writers: nextIsGone ? built : writers });
  if (head !== fold.head || changes === null)
    throw thawRefusedError(
      `The log of ${name} does not tell the refs of version ${keeper.version}, which ${keeper.device} holds, perhaps because it has been trimmed since; run \`lockstep thaw ${name} --promote ${keeper.device}\` there.`,
      name,
    );
  const updates = changes.map(undo).filter(({ oldValue, newValue }) => oldValue !== newValue);
  const tips = objectIds(updates.map(({ oldValue }) => oldValue));
  const without = objectIds(changes.map(({ oldValue }) => oldValue));
  const entries = await readLog(db, id, null, COMMITS_LISTED);
  return {
    head,
    headDigest: fold.digest,
    version: highest([head, ...rows.map(({ version }) => version)]) + 1n,
    digest: digestAfter(fold.digestKey, fold.digest, updates),
    updates,
    keeper: { device: keeper.device, version: keeper.version },
    givenUp: entries.filter(({ version }) => version > keeper.version),
    lost: await listCommits(git, gitDir, { tips, without, limit: COMMITS_LISTED }, signal),
    gained: { commits: [], more: 0, missing: [] },
  };
}

function undo({ name, oldValue, newValue }: RefChange): RefUpdate {
  return { name, oldValue: newValue, newValue: oldValue };
}

function checkDevices(name: string, rows: readonly ReplicaRow[], devices: readonly string[]): void {
  for (const device of devices) {
    const row = rows.find((each) => each.device === device);
    if (row === undefined) {
      throw new LockstepError(
        "DEVICE_NOT_FOUND",
        `Device ${device} has no replica of ${name}; \`lockstep repo show ${name}\` lists those that have.`,
        { details: { device } },
      );
    }
    if (row.live)
      throw thawRefusedError(
        `Device ${device} is live, so its versions may not be lost; if its disk is lost, stop its sidecar first.`,
        name,
      );
  }
}

/** Returns the live replica with the highest version. Its refs stay. */
function chooseKeeper(
  name: string,
  rows: readonly ReplicaRow[],
  devices: readonly string[],
  head: Version,
): ReplicaRow {
  const survivors = rows.filter((row) => row.live && row.state === "active" && !devices.includes(row.device));
  const best = highest(survivors.map(({ version }) => version));
  const keeper = survivors.find(({ version }) => version === best);
  if (keeper === undefined)
    throw thawRefusedError(
      `No live device has a whole replica of ${name}, so nothing would be left; start one that has.`,
      name,
    );
  if (best >= head)
    throw thawRefusedError(
      `Device ${keeper.device} is live and holds version ${head} of ${name}; nothing need be given up.`,
      name,
    );
  return keeper;
}

/** Throws THAW_REFUSED unless the operator named every device that holds, or wrote, versions that are given up. */
function checkHolders(
  name: string,
  rows: readonly ReplicaRow[],
  devices: readonly string[],
  { keeper, head, writers }: { keeper: ReplicaRow; head: Version; writers: readonly string[] },
): void {
  const others = rows.filter((row) => !devices.includes(row.device) && row.device !== keeper.device);
  const holder = others.find((row) => row.version > keeper.version || writers.includes(row.device));
  if (holder === undefined && !writers.includes(keeper.device)) return;
  const { device, live, awaySince } = holder ?? keeper;
  throw thawRefusedError(
    live
      ? `Device ${device} is live and has, or wrote, versions between ${keeper.version + 1n} and ${head} of ${name}; let it catch up, or stop and name it too.`
      : `Device ${device}, away${since(awaySince)}, holds some of the versions ${keeper.version + 1n} to ${head} of ${name} too; start it, or name it too.`,
    name,
  );
}
