// All objects from which gc counts what is reachable.
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { LockstepError } from "../../errors.ts";
import { isReftable, namesIn, textOf } from "../../io/disk.ts";
import type { LocalArguments } from "../command/operations.ts";
import { gitFailedError } from "../git-error.ts";
import { finished, type GitContext, gitBytes, spawnGit } from "../process.ts";

/**
 * Returns the objects of all refs, those of Lockstep included, of HEAD and of work trees that somebody added. Throws
 * REPLICA_IN_DOUBT when git cannot read one of the refs: its objects would count as unreachable.
 */
export async function readTips(context: GitContext, gitDir: string, signal: AbortSignal): Promise<string[]> {
  // In a reftable HEAD is a record, and the file HEAD says nothing.
  const inTables = isReftable(gitDir);
  const listed = await listRefs(context, gitDir, inTables, signal);
  const heads = ["HEAD", ...(await namesIn(join(gitDir, "worktrees"))).map((name) => join("worktrees", name, "HEAD"))];
  const readHead = (head: string) => textOf(join(gitDir, head), "latin1");
  const read = (head: string) => (inTables ? askGit(context, gitDir, head) : readHead(head));
  const detached = await Promise.all(heads.map(read));
  signal.throwIfAborted();
  const ids = [...listed.split("\n"), ...detached.map((content) => content.trim())];
  return [...new Set(ids.filter((id) => /^[0-9a-f]{40}([0-9a-f]{24})?$/.test(id)))];
}

/** git calls a ref broken, too, that was deleted while it listed the directory. So it is asked so often. */
const LISTINGS = 3;

async function listRefs(context: GitContext, gitDir: string, inTables: boolean, signal: AbortSignal): Promise<string> {
  const args: LocalArguments = ["for-each-ref", "--format=%(objectname)", ...(inTables ? ["--include-root-refs"] : [])];
  for (let listed = 1; ; listed += 1) {
    const child = spawnGit(context, gitDir, args, { signal });
    child.stdin.end();
    const said = text(child.stdout);
    said.catch(() => {});
    const { exitCode, stderr } = await finished(child);
    signal.throwIfAborted();
    if (exitCode !== 0) throw gitFailedError(args, exitCode, stderr);
    if (!stderr.includes("broken ref")) return await said;
    if (listed === LISTINGS)
      throw new LockstepError("REPLICA_IN_DOUBT", `git cannot read a ref of ${gitDir}; run \`lockstep verify\`.`);
  }
}

async function askGit(context: GitContext, gitDir: string, head: string): Promise<string> {
  const { stdout } = await gitBytes(context, gitDir, ["rev-parse", "--verify", "--quiet", head], {
    // 1: a work tree without a HEAD.
    expected: [0, 1],
  });
  return stdout.toString("latin1");
}
