// The operator's `reference-transaction` hook, the only program of a repository that a git of the sidecar runs. It runs
// as the sidecar's user. So it counts only where no other user could have put it.
import { accessSync, constants, lstatSync, readlinkSync, statSync } from "node:fs";
import { userInfo } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { RefAuthor } from "../domain.ts";
import { LockstepError } from "../errors.ts";
import { type GitContext, gitBytes } from "./process.ts";

/** Returns the author with the folder in which git looks for hooks, which the settings of the repository may name. */
export async function withHooks(context: GitContext, gitDir: string, author: RefAuthor): Promise<RefAuthor> {
  if (author.hooks !== undefined) return author;
  const { stdout } = await gitBytes(context, gitDir, ["rev-parse", "--git-path", "hooks"], { hooks: "configured" });
  return { ...author, hooks: resolve(gitDir, stdout.toString().trimEnd()) };
}

/**
 * Returns the folder of the hook for changes by this author; undefined: there is no hook. Throws PREREQUISITE_MISSING
 * for a hook that another user could have put there. Without a hook it costs one call to the system.
 */
export function hookFolder(gitDir: string, { hooks = join(gitDir, "hooks") }: RefAuthor): string | undefined {
  const hook = join(hooks, "reference-transaction");
  try {
    accessSync(hook, constants.X_OK);
  } catch {
    return undefined;
  }
  const loose = looseIn(hook);
  if (loose === undefined) return hooks;
  throw new LockstepError(
    "PREREQUISITE_MISSING",
    `Another user may change ${loose}, and so the hook ${hook}, so nothing was written. Make it the sidecar's or root's (chown), and let nobody else write it (chmod go-w).`,
    { details: { path: loose } },
  );
}

const OTHERS_WRITE = 0o022;
/** In a directory with this bit, nobody can replace the files of others. */
const STICKY = 0o1000;
/** As many links as the system follows. */
const MOST_LINKS = 40;

/** Returns the first file or directory on the way to `path`, with links followed, that another user may change. */
function looseIn(path: string, links = 0): string | undefined {
  if (links > MOST_LINKS) return path;
  for (let at = path; ; at = dirname(at)) {
    const found = lstatSync(at);
    if (found.uid !== 0 && found.uid !== ownUid()) return at;
    if (found.isSymbolicLink()) {
      const loose = looseIn(resolve(dirname(at), readlinkSync(at)), links + 1);
      if (loose !== undefined) return loose;
    } else if (found.mode & OTHERS_WRITE && !(found.isDirectory() && found.mode & STICKY)) return at;
    if (at === dirname(at)) return undefined;
  }
}

function ownUid(): number {
  // A user in a container may have no name.
  return statSync("/proc/self", { throwIfNoEntry: false })?.uid ?? userInfo().uid;
}
