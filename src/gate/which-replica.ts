// Finds which replica lies at a path. git stays in the directory in which it was started, even if another one is moved
// to that path.
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";

/**
 * Returns the device and inode of the directory, and the line of its settings that names the repository; undefined when
 * there is no directory. Two equal answers mean that the same replica lay there both times.
 */
export async function whichReplica(path: string): Promise<string | undefined> {
  const [directory, settings] = await Promise.all([
    stat(path, { bigint: true }).catch(() => undefined),
    readFile(join(path, "lockstep.config"), "utf8").catch(() => ""),
  ]);
  return directory && `${directory.dev} ${directory.ino} ${/^\trepositoryId = .*$/m.exec(settings)?.[0]}`;
}
