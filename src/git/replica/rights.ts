// Rights that somebody took away from the files of a replica. git then says "not a git repository", or fails in the middle.
import { access, constants, stat } from "node:fs/promises";
import { join } from "node:path";
import { LockstepError } from "../../errors.ts";

const { R_OK, W_OK, X_OK } = constants;
const DIRECTORIES = ["", "refs", "refs/heads", "refs/tags", "objects", "objects/pack", "reftable"];
const FILES = ["HEAD", "config", "lockstep.config", "packed-refs"];

/** Throws PREREQUISITE_MISSING, naming the path, when this process may not do with a replica what it must. */
export async function assertRights(gitDir: string): Promise<void> {
  for (const each of [...DIRECTORIES, ...FILES]) await assertAccess(join(gitDir, each));
}

async function assertAccess(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  await access(path, found?.isDirectory() ? R_OK | W_OK | X_OK : R_OK).catch((error: unknown) => {
    const missing = missingRightsError(path, error);
    // What is not there, or is something else, is told of elsewhere.
    if (missing) throw missing;
  });
}

/** What to tell of an error about a path: undefined when it is not about rights. */
export function missingRightsError(path: string, cause: unknown): LockstepError | undefined {
  const { code } = cause as NodeJS.ErrnoException;
  if (code !== "EACCES" && code !== "EPERM" && code !== "EROFS") return undefined;
  return new LockstepError(
    "PREREQUISITE_MISSING",
    `The sidecar may not use ${path} as it must (${code}); give its user the rights to read and write there again (chown, chmod, chattr -i).`,
    { cause, details: { path } },
  );
}
