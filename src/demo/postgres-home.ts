// Where the server's files are, and whom it runs as. PostgreSQL refuses to run as root, and the user it gets instead can
// often not enter a folder of root's (one below /root, a private temporary folder): then the home is a link to a place
// that this user can enter.
import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, realpath, rm, rmdir, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, LockstepError } from "../errors.ts";
import type { SystemUser } from "./tether.ts";

/** /var/tmp first: it outlives a reboot. */
const PUBLIC_PLACES = ["/var/tmp", "/tmp"];
/** Others may pass through, and list nothing. */
export const PASSAGE = 0o711;

/** The paths of one server. */
export interface PostgresHome {
  readonly path: string;
  /** Holds data and password; appears complete or not at all. */
  readonly cluster: string;
  readonly log: string;
  /** Whom the server runs as; undefined: as the user of this process. */
  readonly user: SystemUser | undefined;
}

/**
 * Finds or makes the home of the server that belongs to `dir`. As root it opens `dir` for passage (mode 711). Throws
 * PREREQUISITE_MISSING when there is no other user to run the server as, or no place for that user.
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
    // A link may be there whose target has been cleaned away.
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
      `The database in ${home} cannot be entered by user ${user.uid}, whom PostgreSQL runs as instead of root; ` +
        "move the folder to a place that this user can enter, or set LOCKSTEP_DATABASE_URL to use a server of yours.",
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
    `PostgreSQL cannot run as root, and user ${user.uid}, whom it runs as instead, can enter none of ` +
      `${PUBLIC_PLACES.join(", ")}; run Lockstep as that user, or set LOCKSTEP_DATABASE_URL to use a server of yours.`,
  );
}

/**
 * Asked of the kernel, which knows about modes, access lists and mounts. A link counts as what it leads to: the server is
 * given real paths.
 */
async function canEnter(path: string, user: SystemUser): Promise<boolean> {
  try {
    await promisify(execFile)("/bin/sh", ["-c", 'cd "$1"', "sh", await realpath(path)], { cwd: "/", ...user });
    return true;
  } catch (cause) {
    if (typeof (cause as { code?: unknown }).code === "number") return false;
    throw new LockstepError(
      "PREREQUISITE_MISSING",
      `PostgreSQL cannot run as root, and no program can be started as user ${user.uid} (${describe(cause)}); ` +
        "start Lockstep as an ordinary user, or set LOCKSTEP_DATABASE_URL to use a server of yours.",
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
    "PostgreSQL cannot run as root, and /etc/passwd has neither a user nobody nor a user postgres to run it as; start Lockstep " +
      "as an ordinary user, or set LOCKSTEP_DATABASE_URL to use a server of yours.",
  );
}
