// What must survive power loss goes through here: git syncs the contents of its files (core.fsync=all), the directory entries are ours.
import { open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type RefName, toBytes } from "../domain.ts";

/** Each is an open file meanwhile, and a repository may have a directory for every pull request. */
const AT_ONCE = 64;

/** Makes the entries of a directory durable. A directory that is gone has nothing to lose. */
export async function syncDirectory(path: string | Buffer): Promise<void> {
  try {
    const directory = await open(path, "r");
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" && (error as NodeJS.ErrnoException).code !== "ENOTDIR")
      throw error;
  }
}

/** Makes new packs durable: the barrier before a write is decided. */
export async function syncObjects(gitDir: string): Promise<void> {
  await syncDirectory(join(gitDir, "objects", "pack"));
}

/** Makes changed refs durable: the directories of loose refs, the repository's own for packed-refs and HEAD, reftable's. */
export async function syncRefs(gitDir: string, names: Iterable<RefName>): Promise<void> {
  const directories = new Set(["", "reftable"]);
  for (const name of names) {
    for (let parent = dirname(name); parent !== "."; parent = dirname(parent)) directories.add(parent);
  }
  // The repository's path is text, a ref's name is bytes.
  const paths = [...directories].map((each) => Buffer.concat([Buffer.from(`${gitDir}/`), toBytes(each)]));
  for (let done = 0; done < paths.length; done += AT_ONCE) {
    await Promise.all(paths.slice(done, done + AT_ONCE).map(syncDirectory));
  }
}
