// What a sidecar must have of its machine before it serves: the lock of its root, and a directory for its sockets.
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { LockstepError } from "../errors.ts";
import { lockCommand, type Shim } from "../git/root/install-shim.ts";
import { lockRoot, type RootLock } from "../git/root/root-lock.ts";
import { STATE_DIR } from "../git/root/root-record.ts";
import type { Host } from "../host.ts";
import { socketPath } from "../io/socket-path.ts";
import type { Database } from "../store/database/database.ts";
import { leaseHasEnded } from "../store/device-lease.ts";

/** Locks the root for this process, once no earlier sidecar or git of it is left. */
export async function takeRoot(
  root: string,
  device: string,
  recordedPid: number,
  shim: Shim,
  db: Database,
  host: Host,
): Promise<RootLock> {
  return await lockRoot({
    stateDir: join(root, STATE_DIR),
    locker: lockCommand(shim),
    path: host.env.PATH ?? "/usr/bin:/bin",
    host,
    recordedPid: recordedPid || undefined,
    mayEnd: () => leaseHasEnded(db, device),
  });
}

/** Makes the directory for the sockets and returns its full path. Throws USAGE where that cannot be. */
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
