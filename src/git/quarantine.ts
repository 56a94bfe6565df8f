// Objects arrive in a quarantine: an object directory of its own whose alternate is the replica's. They become the replica's
// only when the new tips are known to be connected; until then nothing that reads the replica can see them.
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { LockstepError } from "../errors.ts";
import { syncDirectory } from "./durability.ts";
import { finished, type GitContext, type GitProcess, gitBytes, gitFailed, spawnGit } from "./process.ts";

/** git's own name for it, so that git's housekeeping removes one that a crash left. */
export const QUARANTINE_PREFIX = "tmp_objdir-lockstep-";

export interface PackProgress {
  readonly phase: string;
  readonly objects: number;
  readonly totalObjects: number;
}

export interface ReceivePack {
  readonly pack: Readable;
  /** Tips that must be whole afterwards. */
  readonly wants: readonly string[];
  /** Tips that are whole already: the walk ends there. */
  readonly haves: readonly string[];
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: PackProgress) => void;
}

/**
 * Takes a pack (thin or not) into the replica, if with it every one of `wants` is connected. Throws GIT_FAILED when the pack is
 * damaged or cut off, SOURCE_FAILED when objects are missing: then the replica is as before.
 */
export async function receivePack(context: GitContext, gitDir: string, request: ReceivePack): Promise<void> {
  const objects = join(gitDir, "objects");
  const quarantine = await mkdtemp(join(objects, QUARANTINE_PREFIX));
  try {
    await mkdir(join(quarantine, "pack"));
    const env = { GIT_OBJECT_DIRECTORY: quarantine, GIT_ALTERNATE_OBJECT_DIRECTORIES: quoteAlternate(objects) };
    await indexPack(context, gitDir, env, request);
    if (!(await isConnected(context, gitDir, request.wants, request.haves, { env, signal: request.signal }))) {
      throw new LockstepError(
        "SOURCE_FAILED",
        "The source sent a pack that does not hold everything the new refs need.",
      );
    }
    await migrate(join(quarantine, "pack"), join(objects, "pack"));
  } finally {
    await rm(quarantine, { recursive: true, force: true });
  }
}

async function indexPack(
  context: GitContext,
  gitDir: string,
  env: Record<string, string>,
  { pack, signal, onProgress }: ReceivePack,
): Promise<void> {
  const args = ["index-pack", "--stdin", "--fix-thin", ...(onProgress ? ["-v"] : [])];
  const child = spawnGit(context, gitDir, args, { env, signal, writes: true });
  if (onProgress) child.stderr.on("data", (chunk: Buffer) => report(chunk.toString("latin1"), onProgress));
  child.stdout.resume();
  const end = finished(child);
  // A source that breaks off must not look like the end of the pack: the child is killed, not its input ended.
  const [broken, { exitCode, stderr }] = await Promise.all([
    feed(pack, child).then(
      () => undefined,
      (error: unknown) => {
        child.kill("SIGKILL");
        return error;
      },
    ),
    end,
  ]);
  signal.throwIfAborted();
  // It has seen the pack's own checksum; whether the source said goodbye does not matter.
  if (exitCode === 0) return;
  if (exitCode > 0 && broken === undefined) throw gitFailed(args, exitCode, stderr);
  throw new LockstepError("SOURCE_FAILED", "The source broke off in the middle of a pack.", { cause: broken });
}

/** git ends when it has the whole pack, perhaps before the source does: the source is read to its end, so that its connection lives on. */
async function feed(pack: Readable, { stdin }: GitProcess): Promise<void> {
  // When git ends early, what it said of that tells more than a broken pipe.
  const ignore = () => {};
  const closed = once(stdin, "close").catch(ignore);
  for await (const chunk of pack) {
    if (!stdin.write(chunk)) await Promise.race([once(stdin, "drain").catch(ignore), closed]);
    if (stdin.destroyed) return;
  }
  stdin.end();
}

const PROGRESS = /(Receiving objects|Indexing objects|Resolving deltas): +\d+% \((\d+)\/(\d+)\)/g;

function report(text: string, onProgress: (progress: PackProgress) => void): void {
  const last = [...text.matchAll(PROGRESS)].at(-1);
  if (last === undefined) return;
  onProgress({ phase: (last[1] as string).toLowerCase(), objects: Number(last[2]), totalObjects: Number(last[3]) });
}

/**
 * True when everything reachable from `wants` is there, given that everything reachable from `haves` is: a walk from the new
 * tips to the old ones, not over all refs. A commit that merely exists proves nothing, undecided objects exist too.
 */
export async function isConnected(
  context: GitContext,
  gitDir: string,
  wants: readonly string[],
  haves: readonly string[],
  options: { env?: Record<string, string>; signal: AbortSignal },
): Promise<boolean> {
  if (wants.length === 0) return true;
  const input = `${[...wants, ...haves.map((have) => `^${have}`)].join("\n")}\n`;
  const { exitCode } = await gitBytes(context, gitDir, ["rev-list", "--objects", "--quiet", "--stdin"], {
    ...options,
    input,
    expected: [0, 1, 128],
  });
  return exitCode === 0;
}

/** Those of `ids` that exist here, which says nothing of what they need. */
export async function existingObjects(
  context: GitContext,
  gitDir: string,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<string[]> {
  if (ids.length === 0) return [];
  const { stdout } = await gitBytes(context, gitDir, ["cat-file", "--batch-check=%(objectname)"], {
    input: `${ids.join("\n")}\n`,
    signal,
  });
  return stdout
    .toString("latin1")
    .split("\n")
    .filter((line) => line.length > 0 && !line.endsWith(" missing"));
}

/** The index last: a pack is there for readers when its index is. */
async function migrate(from: string, to: string): Promise<void> {
  const files = await readdir(from);
  const isIndex = (file: string) => Number(file.endsWith(".idx"));
  for (const file of files.sort((a, b) => isIndex(a) - isIndex(b))) await rename(join(from, file), join(to, file));
  await syncDirectory(to);
}

/** git splits the variable at colons and takes names in double quotes with C escapes. */
function quoteAlternate(path: string): string {
  return `"${path.replace(/["\\]/g, "\\$&")}"`;
}
