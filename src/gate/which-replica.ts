// Finds which replica lies at a path. git stays in the directory in which it was started, even if another one is moved
// to that path.
import { readFileSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { LockstepError } from "../errors.ts";

/**
 * Returns the device and inode of the directory, and the line of its settings that names the repository; undefined when
 * there is no directory. Two equal answers mean that the same replica lay there both times. It waits in place: by way
 * of threads it would take ten times as long.
 */
export function whichReplica(path: string): string | undefined {
  const directory = unlessGone(() => statSync(path, { bigint: true }));
  const settings = unlessGone(() => readFileSync(join(path, "lockstep.config"), "utf8")) ?? "";
  return directory && `${directory.dev} ${directory.ino} ${/^\trepositoryId = .*$/m.exec(settings)?.[0]}`;
}

function unlessGone<Found>(look: () => Found): Found | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

/**
 * Returns the real path of the repository: git compares it with safe.directory after following links. It waits in place
 * too.
 */
export function realPath(path: string, repository: string): string {
  try {
    return realpathSync.native(path);
  } catch (cause) {
    const message = `The repository ${repository} is not on this server; check the name.`;
    throw new LockstepError("REPOSITORY_NOT_FOUND", message, { cause });
  }
}
