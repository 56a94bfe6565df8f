// Errors of the operating system about files, as a person is told of them. They are no bugs of ours.
import { LockstepError } from "../errors.ts";

const FULL = ["ENOSPC", "EDQUOT", "EROFS", "EIO"];
const RIGHTS = ["EACCES", "EPERM"];
/** Something was moved, removed or replaced while it was used. */
const CHANGED = ["ENOENT", "ENOTDIR", "EISDIR", "EEXIST", "ENOTEMPTY", "ELOOP", "EXDEV", "EBUSY", "ESTALE"];

/** True for an error about files of this machine, told already or not. */
export function isOfDisk(error: unknown): boolean {
  if (error instanceof LockstepError) return error.code === "PREREQUISITE_MISSING" || error.code === "REPLICA_IN_DOUBT";
  return diskError(error) !== undefined;
}

/** PREREQUISITE_MISSING or REPLICA_IN_DOUBT for what a call about files threw; undefined: it was something else. */
export function diskError(error: unknown): LockstepError | undefined {
  // Connections have codes too, and no path.
  const { code, message, path } = error instanceof Error ? (error as NodeJS.ErrnoException) : {};
  if (code === undefined) return undefined;
  const told = (kind: "PREREQUISITE_MISSING" | "REPLICA_IN_DOUBT", what: string) =>
    new LockstepError(kind, what, { cause: error, ...(path && { details: { path } }) });
  if (FULL.includes(code))
    return told(
      "PREREQUISITE_MISSING",
      `This machine's disk refuses (${message}); make room on it or mend it, and try again.`,
    );
  if (path === undefined) return undefined;
  if (RIGHTS.includes(code))
    return told(
      "PREREQUISITE_MISSING",
      `The sidecar may not use a file as it must (${message}); give its user the rights there again (chown, chmod, chattr -i).`,
    );
  if (CHANGED.includes(code))
    return told(
      "REPLICA_IN_DOUBT",
      `Files of the repository were changed by somebody else while they were used (${message}); they are looked at again at the next access, try again.`,
    );
  return undefined;
}
