// The errors of git commands that failed or did not start.
import { LockstepError } from "../errors.ts";
import { diskError } from "../io/disk-errors.ts";

/**
 * Makes the error of a failed command, with the last lines that git wrote: PREREQUISITE_MISSING when the disk refused
 * something, else GIT_FAILED.
 */
export function gitFailedError(args: readonly string[], exitCode: number, stderr: string): LockstepError {
  // Text before a carriage return is progress.
  const lines = stderr
    .trim()
    .split("\n")
    .map((line) => line.slice(line.lastIndexOf("\r") + 1));
  const said = lines.slice(-3).join(" ").slice(0, 600) || "no message";
  if (exitCode >= 0 && REFUSED_BY_DISK.test(said)) {
    return new LockstepError(
      "PREREQUISITE_MISSING",
      `This machine's disk refuses git ${args[0]} (${said}); make room, or give the sidecar's user its rights again (chown, chmod, chattr -i), then try again.`,
      { details: { ...detailsOf(args, exitCode), said } },
    );
  }
  return new LockstepError(
    "GIT_FAILED",
    `git ${args[0]} ended with ${exitCode < 0 ? "a signal" : `exit code ${exitCode}`} (${said}); correct what git complains of, such as a full disk or wrong permissions, and try again.`,
    { details: { ...detailsOf(args, exitCode), said } },
  );
}

function detailsOf(args: readonly string[], exitCode: number) {
  return { command: args.join(" ").slice(0, 300), exitCode: String(exitCode) };
}

/** Returns the last words of the git whose failure led to this error. undefined: no git failed. */
export function wordsOfGit(error: unknown): string | undefined {
  for (let each = error; each instanceof Error; each = each.cause) {
    if (each instanceof LockstepError && each.details.said !== undefined) return each.details.said;
  }
  return undefined;
}

/**
 * Makes the error of a git that did not start. PREREQUISITE_MISSING: the machine lacks something. REPLICA_IN_DOUBT:
 * git, or the directory in which it was to start, is gone.
 */
export function notStartedError(cause: NodeJS.ErrnoException): LockstepError {
  const ofMachine = cause.code === "ENOENT" ? undefined : diskError(cause);
  if (ofMachine) return ofMachine;
  return new LockstepError(
    "REPLICA_IN_DOUBT",
    `git could not be started in the directory of a repository (${cause.message}): the directory was moved or removed, or git is not installed any more. The next access looks at the directory again; try again.`,
    { cause },
  );
}

/** Words of a git that lacks memory, processes or open files. They say nothing about the repository. */
const REFUSED_BY_MACHINE =
  /Out of memory|Cannot allocate memory|Too many open files|Resource temporarily unavailable|cannot fork|unable to create thread/i;

/** Throws GIT_FAILED for a git that failed because its machine lacks something. */
export function assertNotOfMachine(args: readonly string[], exitCode: number, stderr: string): void {
  if (exitCode !== 0 && REFUSED_BY_MACHINE.test(stderr)) throw gitFailedError(args, exitCode, stderr);
}

/** Words of programs that the operating system refused something. */
const REFUSED_BY_DISK =
  /Permission denied|Operation not permitted|Read-only file system|No space left on device|Disk quota exceeded|Input\/output error/;

/**
 * Returns true when git itself refused, with the exit code of its fatal errors. Otherwise it was killed, did not start,
 * or the disk or the machine refused something: that says nothing about the repository.
 */
export function isGitsRefusal(error: unknown): boolean {
  if (!(error instanceof LockstepError && error.code === "GIT_FAILED" && error.details.exitCode === "128"))
    return false;
  return !REFUSED_BY_MACHINE.test(error.details.said ?? "");
}

/** Returns true when a signal ended the git of this error. Only such a git may have left locks. */
export function wasKilled(error: unknown): boolean {
  if (!(error instanceof LockstepError)) return false;
  return error.code === "GIT_HUNG" || (error.code === "GIT_FAILED" && error.details.exitCode === "-1");
}
