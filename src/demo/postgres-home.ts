// Chooses the folder of the server's files and the user that runs the server. PostgreSQL refuses to run as root. As
// root we give it another user. That user often cannot enter a folder of root, such as one below /root. Then the home
// becomes a link to a place that this user can enter.
import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, realpath, rm, rmdir, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, LockstepError } from "../errors.ts";
import type { SystemUser } from "./tether.ts";

/** Places that every user can enter. /var/tmp comes first because its files survive a reboot. */
const PUBLIC_PLACES = ["/var/tmp", "/tmp"];
/** The mode of a folder that other users may pass through but not list. */
export const PASSAGE = 0o711;

/** The paths of one server. */
export interface PostgresHome {
  readonly path: string;
  /** The folder of data and password. It is complete as soon as it exists. */
  readonly cluster: string;
  readonly log: string;
  /** The user that runs the server; undefined means the user of this process. */
  readonly user: SystemUser | undefined;
}

/**
 * Finds or makes the home of the server of `dir`. As root, lets other users pass through `dir` (mode 711) where the
 * server's user needs it. Throws PREREQUISITE_MISSING if there is no such user, or no place that the user can enter.
 */
export async function postgresHome(dir: string, isRoot: boolean): Promise<PostgresHome> {
  await mkdir(dir, { recursive: true });
  const home = join(dir, "postgres");
  const user = isRoot ? ((await ownerOf(join(home, "cluster", "data"))) ?? (await serviceUser())) : undefined;
  if (user === undefined) await mkdir(home, { recursive: true, mode: 0o700 });
  else await makeEnterable(dir, home, user);
  const path = await realpath(home);
  return { path, cluster: join(path, "cluster"), log: join(path, "log"), user };
}

async function makeEnterable(dir: string, home: string, user: SystemUser): Promise<void> {
  if ((await stat(home).catch(() => undefined)) === undefined) {
    // `home` may be a link whose target has been removed.
    await rm(home, { force: true });
    await mkdir(home);
    await chmod(home, PASSAGE);
  }
  if (await canEnter(home, user)) return;
  await chmod(dir, (await stat(dir)).mode | 0o011);
  if (await canEnter(home, user)) return;
  try {
    await rmdir(home);
  } catch (cause) {
    throw new LockstepError(
      "PREREQUISITE_MISSING",
      `PostgreSQL does not run as root, and user ${user.uid} cannot enter the database in ${home}. ` +
        "Move the folder to a place that this user can enter, or set LOCKSTEP_DATABASE_URL to use a server of yours.",
      { cause },
    );
  }
  await symlink(await publicDirectory(user), home);
}

async function publicDirectory(user: SystemUser): Promise<string> {
  for (const place of PUBLIC_PLACES) {
    if (!(await canEnter(place, user))) continue;
    const path = await mkdtemp(join(place, "lockstep-postgres-"));
    await chmod(path, PASSAGE);
    return path;
  }
  throw new LockstepError(
    "PREREQUISITE_MISSING",
    `PostgreSQL cannot run as root. User ${user.uid}, whom it runs as instead, can enter none of ` +
      `${PUBLIC_PLACES.join(", ")}. Run Lockstep as that user, or set LOCKSTEP_DATABASE_URL to use a server of yours.`,
  );
}

/**
 * Returns true if `user` can enter `path`. A process of that user tries it, so that modes, access lists and mounts all
 * count. Links are resolved first, because the server gets real paths.
 */
async function canEnter(path: string, user: SystemUser): Promise<boolean> {
  try {
    await promisify(execFile)("/bin/sh", ["-c", 'cd "$1"', "sh", await realpath(path)], { cwd: "/", ...user });
    return true;
  } catch (cause) {
    if (typeof (cause as { code?: unknown }).code === "number") return false;
    throw new LockstepError(
      "PREREQUISITE_MISSING",
      `PostgreSQL cannot run as root, and no program can be started as user ${user.uid} (${describe(cause)}). ` +
        "Start Lockstep as an ordinary user, or set LOCKSTEP_DATABASE_URL to use a server of yours.",
      { cause },
    );
  }
}

async function ownerOf(path: string): Promise<SystemUser | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found === undefined || found.uid === 0 ? undefined : { uid: found.uid, gid: found.gid };
}

async function serviceUser(): Promise<SystemUser> {
  const lines = (await readFile("/etc/passwd", "utf8").catch(() => "")).split("\n").map((line) => line.split(":"));
  for (const name of ["nobody", "postgres"]) {
    const [, , uid, gid] = lines.find((fields) => fields[0] === name) ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new LockstepError(
    "PREREQUISITE_MISSING",
    "PostgreSQL cannot run as root, and /etc/passwd has neither a user nobody nor a user postgres to run it as. Start Lockstep " +
      "as an ordinary user, or set LOCKSTEP_DATABASE_URL to use a server of yours.",
  );
}
