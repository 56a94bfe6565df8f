// Which replica lies at a path. git stays in the directory that it was started in, whatever is moved to its path afterwards.
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";

/**
 * The device and inode of the directory and the settings in it, which name the repository; undefined where no directory is. Two equal
 * answers say that the same replica lay there both times.
 */
export async function placeOf(path: string): Promise<string | undefined> {
  const [directory, settings] = await Promise.all([
    stat(path, { bigint: true }).catch(() => undefined),
    readFile(join(path, "lockstep.config"), "utf8").catch(() => ""),
  ]);
  return directory && `${directory.dev} ${directory.ino} ${/^\trepositoryId = .*$/m.exec(settings)?.[0]}`;
}
