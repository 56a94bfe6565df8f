// Takes the lock of the root, which a sidecar needs before it serves.
import { join } from "node:path";
import { installShim, lockCommand, type Shim } from "../git/root/install-shim.ts";
import { lockRoot } from "../git/root/root-lock.ts";
import { checkRootNames } from "../git/root/root-names.ts";
import { openRoot, type RootRecord, STATE_DIR } from "../git/root/root-record.ts";
import type { Host } from "../host.ts";
import type { Database } from "../store/database/database.ts";
import { leaseHasEnded } from "../store/device/device-lease.ts";

/** A root that this process has locked. */
export interface LockedRoot extends AsyncDisposable {
  readonly path: string;
  /** The record of the root as the previous sidecar left it. */
  readonly record: RootRecord;
  /** The shim that the hooks of the replicas point to. */
  readonly shim: Shim;
  /** The open file of the lock. */
  readonly lockFd: number;
}

/**
 * Opens the root of a device and locks it. First waits until no earlier sidecar, and no git that it started, is left.
 */
export async function takeRoot(
  path: string,
  device: string,
  db: Database,
  host: Pick<Host, "env" | "execPath" | "pid" | "kill">,
): Promise<LockedRoot> {
  const record = await openRoot(path, device);
  const stateDir = join(path, STATE_DIR);
  await checkRootNames(stateDir);
  const shim = await installShim(path, host.execPath);
  const lock = await lockRoot({
    stateDir,
    locker: lockCommand(shim),
    path: host.env.PATH ?? "/usr/bin:/bin",
    host,
    recordedPid: record.pid || undefined,
    mayEnd: () => leaseHasEnded(db, device),
  });
  return { path, record, shim, lockFd: lock.fd, [Symbol.asyncDispose]: () => lock[Symbol.asyncDispose]() };
}
