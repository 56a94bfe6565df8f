// Tells a person about errors of the operating system with files. They are not bugs of Lockstep.
import { LockstepError } from "../errors.ts";

const FULL = ["ENOSPC", "EDQUOT", "EROFS", "EIO"];
const RIGHTS = ["EACCES", "EPERM"];
const TOO_MANY_OPEN = ["EMFILE", "ENFILE"];
/** A program that cannot be started has EAGAIN too: there are too many processes. */
const TOO_LITTLE_MEMORY = ["ENOMEM", "EAGAIN"];
/** Errors of a file that was moved, removed or replaced while it was used. */
const CHANGED = ["ENOENT", "ENOTDIR", "EISDIR", "EEXIST", "ENOTEMPTY", "ELOOP", "EXDEV", "EBUSY", "ESTALE"];

/** Returns true for an error about files of this machine, translated already or not. */
export function isOfDisk(error: unknown): boolean {
  if (error instanceof LockstepError) return error.code === "PREREQUISITE_MISSING" || error.code === "REPLICA_IN_DOUBT";
  return diskError(error) !== undefined;
}

/**
 * Translates an error of a file operation to PREREQUISITE_MISSING or REPLICA_IN_DOUBT. Returns undefined for another
 * error.
 */
export function diskError(error: unknown): LockstepError | undefined {
  // Errors of connections have a code too, but no path.
  const { code, message, path, syscall } = error instanceof Error ? (error as NodeJS.ErrnoException) : {};
  if (code === undefined) return undefined;
  const told = (kind: "PREREQUISITE_MISSING" | "REPLICA_IN_DOUBT", what: string) =>
    new LockstepError(kind, what, { cause: error, ...(path && { details: { path } }) });
  if (FULL.includes(code))
    return told(
      "PREREQUISITE_MISSING",
      `This machine's disk refuses a file operation (${message}); make room on it or repair it, and try again.`,
    );
  if (TOO_MANY_OPEN.includes(code))
    return told(
      "PREREQUISITE_MISSING",
      `Too many files are open (${message}); raise the sidecar's limit (LimitNOFILE of its unit, or ulimit -n), and try again.`,
    );
  if (TOO_LITTLE_MEMORY.includes(code) && (code === "ENOMEM" || syscall?.startsWith("spawn")))
    return told(
      "PREREQUISITE_MISSING",
      `This machine lacks memory or processes (${message}); raise the sidecar's limits (MemoryMax and TasksMax of its unit, or those of its container), and try again.`,
    );
  if (path === undefined) return undefined;
  if (RIGHTS.includes(code))
    return told(
      "PREREQUISITE_MISSING",
      `The sidecar lacks rights on a file (${message}); give its user the rights again (chown, chmod, chattr -i).`,
    );
  if (CHANGED.includes(code))
    return told(
      "REPLICA_IN_DOUBT",
      `Somebody else changed files of the repository while Lockstep used them (${message}). The next access looks at them again; try again.`,
    );
  return undefined;
}
