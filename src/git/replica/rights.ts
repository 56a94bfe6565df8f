// Rights that somebody took away from the files of a replica. Then git says "not a git repository", or fails halfway.
import { access, constants, stat } from "node:fs/promises";
import { join } from "node:path";
import { LockstepError } from "../../errors.ts";

const { R_OK, W_OK, X_OK } = constants;
const DIRECTORIES = ["", "refs", "refs/heads", "refs/tags", "objects", "objects/pack", "reftable"];
const FILES = ["HEAD", "config", "lockstep.config", "packed-refs"];

/** Throws PREREQUISITE_MISSING, naming the path, when this process lacks rights that it needs in a replica. */
export async function assertRights(gitDir: string): Promise<void> {
  for (const each of [...DIRECTORIES, ...FILES]) await assertAccess(join(gitDir, each));
}

async function assertAccess(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  await access(path, found?.isDirectory() ? R_OK | W_OK | X_OK : R_OK).catch((error: unknown) => {
    const missing = missingRightsError(path, error);
    // Other code reports files that are missing or of another kind.
    if (missing) throw missing;
  });
}

/** Returns the PREREQUISITE_MISSING error for a path; undefined when `cause` is not about rights. */
export function missingRightsError(path: string, cause: unknown): LockstepError | undefined {
  const { code } = cause as NodeJS.ErrnoException;
  if (code !== "EACCES" && code !== "EPERM" && code !== "EROFS") return undefined;
  return new LockstepError(
    "PREREQUISITE_MISSING",
    `The sidecar lacks rights on ${path} (${code}); give its user the rights to read and write it again (chown, chmod, chattr -i).`,
    { cause, details: { path } },
  );
}
