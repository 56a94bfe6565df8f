// Checks the directories of `serve`: present or possible to make, writable, with working locks, and with free space.
import { mkdtemp, open, realpath, rm, rmdir, stat, statfs } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { describe, LockstepError } from "../errors.ts";
import { lockCommand, nativeShim } from "../git/root/install-shim.ts";
import { tryLock } from "../git/root/root-lock.ts";
import { checkRootLength, checkRootNames } from "../git/root/root-names.ts";
import { readRootRecord } from "../git/root/root-record.ts";
import { LITTLE_BYTES, TOO_FEW_BYTES } from "../health/disk-room.ts";
import { socketPath } from "../io/socket-path.ts";
import type { Config } from "../settings/config.ts";
import { required } from "../settings/read-config.ts";
import { Database } from "../store/database/database.ts";
import { assertMounted } from "../sync/place/assert-root.ts";
import type { Look, Verdict } from "./finding.ts";

const FEW_FILES = 10_000;

export const lookAtRoot: Look = async (config) => {
  const root = required(config, "root");
  const owner = (await readRootRecord(root))?.device;
  if (owner !== undefined && owner !== config.device)
    return { missing: `The root ${root} belongs to device ${owner}; give each device a root of its own.` };
  await assertDisk(config, root);
  return await lookAtDirectory(root, "--root");
};

/**
 * Throws ROOT_GONE if `serve` would refuse to start on this empty root. Ignores other errors: another check reports a
 * database that does not answer.
 */
async function assertDisk({ device, "database-url": url }: Config, root: string): Promise<void> {
  if (url === undefined || device === undefined) return;
  await using db = new Database({ url, applicationName: `${device} doctor` });
  await assertMounted(db, device, root).catch((error: unknown) => {
    if (error instanceof LockstepError && error.code === "ROOT_GONE") throw error;
  });
}

/** Checks that every ref of the cluster can be a file below the root: the length of its path and its characters. */
export const lookAtNames: Look = async (config) => {
  const root = resolve(required(config, "root"));
  const { path } = await nearest(root);
  // Symbolic links are resolved, because the real path counts.
  checkRootLength(join(await realpath(path), root.slice(path.length)));
  await checkRootNames(path);
  return "every name that a ref may have";
};

export const lookAtSockets: Look = async (config) => {
  const directory = required(config, "socket-dir");
  socketPath(directory, "lockstep.sock");
  return await lookAtDirectory(directory, "--socket-dir");
};

async function lookAtDirectory(directory: string, flag: string): Promise<Verdict> {
  const remedy = `let the user that runs serve and the git server write there, or choose another ${flag}`;
  const place = await nearest(directory);
  if (!place.isDirectory) return { missing: `${place.path} is no directory; move it away, or choose another ${flag}.` };
  try {
    await rmdir(await mkdtemp(join(place.path, ".lockstep-doctor-")));
  } catch (error) {
    return { missing: `Nothing can be written to ${place.path} (${describe(error)}); ${remedy}.` };
  }
  return place.path === directory ? directory : `${directory}, which serve will make`;
}

/** Tries to lock a file, as the sidecar locks its root. Some network file systems and some machines have no locks. */
export const lookAtLock: Look = async (config, host) => {
  const native = await nativeShim();
  const locker = lockCommand({ path: native ?? "", native: native !== undefined });
  const { path } = await nearest(required(config, "root"));
  const name = join(path, `.lockstep-doctor-${host.pid}.lock`);
  const file = await open(name, "wx", 0o600);
  try {
    await tryLock(file, { locker, path: host.env.PATH ?? "" });
    return native === undefined ? "flock of util-linux" : "the native shim";
  } finally {
    await file.close();
    await rm(name, { force: true });
  }
};

export const lookAtDisk: Look = async (config) => {
  const { path } = await nearest(required(config, "root"));
  const { bavail, bsize, files, ffree } = await statfs(path);
  return judgeDisk(path, { bytes: bavail * bsize, files: files === 0 ? undefined : ffree });
};

/**
 * Judges the free space. `files` is how many more files there may be; undefined if the file system does not count them.
 */
export function judgeDisk(path: string, free: { bytes: number; files: number | undefined }): Verdict {
  const room = `${(free.bytes / 1e9).toFixed(1)} GB free at ${path}`;
  const remedy = "make room, or move --root to a larger disk";
  if (free.bytes < TOO_FEW_BYTES) return { missing: `There is too little room (${room}); ${remedy}.` };
  if (free.files !== undefined && free.files < FEW_FILES)
    return { warning: `There may be only ${free.files} more files at ${path}; ${remedy}.` };
  return free.bytes < LITTLE_BYTES ? { warning: `There is little room (${room}); ${remedy}.` } : room;
}

/** Returns `path` if it exists, else its nearest parent that exists. */
async function nearest(path: string): Promise<{ path: string; isDirectory: boolean }> {
  for (let at = path; ; at = dirname(at)) {
    try {
      return { path: at, isDirectory: (await stat(at)).isDirectory() };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if ((code !== "ENOENT" && code !== "ENOTDIR") || dirname(at) === at) throw error;
    }
  }
}
