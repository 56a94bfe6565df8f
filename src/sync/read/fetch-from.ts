// FetchFrom: brings this replica to a version and reports the progress.
import type { Version } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { lastSync } from "../../store/replica/record-replica.ts";
import { replicasOf } from "../../store/replica/replicas.ts";
import { catchUp } from "../catch-up/catch-up.ts";
import type { SyncContext } from "../device/context.ts";
import type { CatchUpProgress } from "../device/replica.ts";
import { locate } from "./before-read.ts";

export interface FetchOutcome {
  readonly fromDevice: string;
  readonly fromVersion: Version;
  readonly version: Version;
  readonly bytes: number;
  readonly refsChanged: number;
  readonly alreadyCurrent: boolean;
}

/**
 * Throws DEVICE_NOT_FOUND unless the device is live and has a replica. It is asked first for objects; others are asked
 * if it fails.
 */
async function requireSource(context: SyncContext, repositoryId: string, device: string): Promise<void> {
  const rows = await replicasOf(context.db, repositoryId);
  if (rows.some((row) => row.device === device && row.live)) return;
  throw new LockstepError(
    "DEVICE_NOT_FOUND",
    `Device ${device} has no replica of this repository, or is down; \`lockstep repo show\` lists those that have.`,
    {
      details: { device },
    },
  );
}

/**
 * Brings the replica to `version`; 0 means the head as of now. Throws VERSION_AHEAD, DEVICE_NOT_FOUND, and what
 * `catchUp` throws.
 */
export async function fetchFrom(
  context: SyncContext,
  name: string,
  options: { version: Version; from: string | undefined; signal: AbortSignal },
  onProgress: (progress: CatchUpProgress) => void,
): Promise<FetchOutcome> {
  const { replica, found } = await locate(context, name);
  const head = found.version;
  if (options.version > head) {
    throw new LockstepError(
      "VERSION_AHEAD",
      `Repository ${name} is at version ${head}, version ${options.version} has not been written yet; try again.`,
    );
  }
  const { from } = options;
  if (from !== undefined) await requireSource(context, replica.id, from);
  const wanted = options.version === 0n ? head : options.version;
  const fromVersion = replica.applied ?? 0n;
  if (replica.applied !== undefined && replica.applied >= wanted) {
    const current = { fromDevice: context.me.device, fromVersion, version: replica.applied, bytes: 0, refsChanged: 0 };
    return { ...current, alreadyCurrent: true };
  }
  const version = await catchUp(context, replica, wanted, {
    signal: options.signal,
    onProgress,
    insist: true,
    ...(from ? { from } : {}),
  });
  const event = await lastSync(context.db, context.me.device, replica.id);
  return {
    fromDevice: event?.fromDevice ?? context.me.device,
    fromVersion,
    version,
    bytes: Number(event?.bytes ?? 0n),
    refsChanged: event?.refsChanged ?? 0,
    alreadyCurrent: false,
  };
}
