// What is stat'ed to tell that somebody else changed the files of a replica: the directory itself, and those in which most refs
// are. A change deeper down is found by whoever compares everything.
import type { BigIntStats } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";

const WATCHED = ["packed-refs", "refs", "refs/heads", "refs/tags", "reftable"];

export interface DiskMark {
  /** Stays the same while the directories are the same, with the same rights, and the refs in the watched ones. */
  readonly refs: string;
  /** Stays the same while the replica's directory has the same entries. Uploads and hooks of an operator's put some there. */
  readonly entries: string;
  /** The part of `refs` that says which directory it is. */
  readonly directory: string;
  /** Those of the watched that were there. */
  readonly there: readonly string[];
}

/**
 * Costs seven calls of stat, and no walk. With the mark of `before`, two more than there were files and directories to watch, which is five
 * or six: one that has come since then changes the times of the directory that it is in, and so `refs` or `entries`.
 */
export async function markDisk(gitDir: string, before?: DiskMark): Promise<DiskMark> {
  const looks = (each: string) => before === undefined || !WATCHED.includes(each) || before.there.includes(each);
  const [self, objects, ...refs] = await Promise.all(
    ["", "objects", ...WATCHED].map(async (each) =>
      looks(each) ? await stat(join(gitDir, each), { bigint: true }).catch(() => null) : null,
    ),
  );
  const directory = [self, objects].map(identity).join();
  const parts = refs.map((each) => each && `${identity(each)} ${each.ctimeNs}`);
  const there = WATCHED.filter((_, index) => refs[index]);
  return { refs: [directory, ...parts].join(), entries: String(self?.ctimeNs), directory, there };
}

/** With its time of birth: a directory that replaces another one may get the inode of that. */
function identity(found: BigIntStats | null | undefined): string | null {
  return found ? `${found.dev} ${found.ino} ${found.birthtimeNs} ${found.mode}` : null;
}

const FILES = ["HEAD", "config", "lockstep.config"];
const DIRECTORIES = ["refs", "objects", "objects/pack"];

/** Whether everything is there without which git, or a push, fails or does something else. Costs six calls of stat. */
export async function isWhole(gitDir: string): Promise<boolean> {
  const look = async (each: string) => await stat(join(gitDir, each)).catch(() => undefined);
  const files = await Promise.all(FILES.map(look));
  const directories = await Promise.all(DIRECTORIES.map(look));
  return files.every((each) => each?.isFile() && each.size > 0) && directories.every((each) => each?.isDirectory());
}
