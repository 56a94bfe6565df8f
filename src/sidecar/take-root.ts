// Takes the lock of the root and makes the directory for the sockets. A sidecar needs both before it serves.
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { LockstepError } from "../errors.ts";
import { installShim, lockCommand, type Shim } from "../git/root/install-shim.ts";
import { lockRoot } from "../git/root/root-lock.ts";
import { checkRootNames } from "../git/root/root-names.ts";
import { openRoot, type RootRecord, STATE_DIR } from "../git/root/root-record.ts";
import type { Host } from "../host.ts";
import { socketPath } from "../io/socket-path.ts";
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

/**
 * Makes the directory for the sockets and returns its full path. Throws USAGE if that fails or the path is too long.
 */
export async function prepareSocketDir(socketDir: string): Promise<string> {
  socketPath(socketDir, "lockstep.sock");
  await mkdir(socketDir, { recursive: true, mode: 0o700 }).catch((cause: Error) => {
    throw new LockstepError(
      "USAGE",
      `The directory for the sockets cannot be made: ${cause.message}; choose another --socket-dir.`,
      { cause },
    );
  });
  return resolve(socketDir);
}
