// Work trees that somebody added to a replica with `git worktree add`.
import { join } from "node:path";
import { nameFromLatin1, type RefName } from "../../domain.ts";
import { namesIn, textOf } from "../../io/disk.ts";

/** Returns the branches that are checked out in work trees of a bare repository. */
export async function checkedOut(gitDir: string): Promise<Set<RefName>> {
  const branches = new Set<RefName>();
  for (const name of await namesIn(join(gitDir, "worktrees"))) {
    const head = await textOf(join(gitDir, "worktrees", name, "HEAD"), "latin1");
    const branch = /^ref: (.*)$/m.exec(head)?.[1];
    if (branch !== undefined) branches.add(nameFromLatin1(branch));
  }
  return branches;
}
