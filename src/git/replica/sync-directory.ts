// Makes a repository durable that somebody else has written.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { sync, syncFileSystem, unlessFault } from "../../io/disk.ts";

/** With more files than this, one sync of the file system is cheaper. It also writes what others have changed there. */
const FEW = 500;
const PARTS = ["HEAD", "packed-refs", "refs", "objects", "reftable"];

/** Makes the refs and objects of a repository durable. */
export async function syncDirectory(gitDir: string): Promise<void> {
  const paths = [gitDir];
  for (const part of PARTS) if (!(await collect(join(gitDir, part), paths))) return await syncFileSystem(gitDir);
  for (const path of paths) await sync(path);
}

/** Adds a path and all below it. Returns false when there are too many. */
async function collect(path: string, paths: string[]): Promise<boolean> {
  paths.push(path);
  const entries = (await readdir(path, { withFileTypes: true }).catch(unlessFault)) ?? [];
  for (const entry of entries) {
    if (paths.length > FEW) return false;
    if (entry.isDirectory()) {
      if (!(await collect(join(path, entry.name), paths))) return false;
    } else if (entry.isFile()) paths.push(join(path, entry.name));
  }
  return true;
}
