// Whether objects are here, and whether all the objects that they need are here too.

import { join } from "node:path";
import { namesIn } from "../../io/disk.ts";
import type { LocalArguments, ObjectPlace } from "../command/operations.ts";
import { assertNotOfMachine, gitFailedError } from "../git-error.ts";
import { finished, type GitContext, gitBytes, spawnGit } from "../process.ts";

/**
 * Returns true when everything reachable from `wants` is here, given that everything reachable from `haves` is. Costs a
 * walk from the new tips to the old ones, not over all refs. The existence of a commit proves nothing, since undecided
 * objects exist too.
 */
export async function isConnected(
  context: GitContext,
  gitDir: string,
  wants: readonly string[],
  haves: readonly string[],
  options: WalkOptions,
): Promise<boolean> {
  if (wants.length === 0) return true;
  await using walk = startWalk(context, gitDir, options);
  return await walk.isConnected(wants, haves);
}

export interface WalkOptions {
  readonly signal: AbortSignal;
  /** The objects that the walk sees, in place of those of the repository. */
  readonly objects?: ObjectPlace;
  /** Arguments of rev-list that name further ends of the walk. */
  readonly besides?: readonly string[];
  /** At a low priority. */
  readonly background?: boolean;
  /** Called at each progress message of git. */
  readonly onWork?: () => void;
}

/** A started git that walks history once, for `isConnected`. */
export interface Walk extends AsyncDisposable {
  /** Does the walk of `isConnected`; works once per walk. `haves` may also be names of refs, which must exist. */
  isConnected(wants: readonly string[], haves: readonly string[]): Promise<boolean>;
}

/** Starts git for `isConnected`. git reads its starting points from standard input, so it looks at no object before. */
export function startWalk(context: GitContext, gitDir: string, options: WalkOptions): Walk {
  const args: LocalArguments = [
    "rev-list",
    "--objects",
    "--quiet",
    "--stdin",
    "--progress=Walking",
    ...(options.besides ?? []),
  ];
  const { signal, objects, background } = options;
  const child = spawnGit(context, gitDir, args, { signal, objects, background });
  child.stderr.on("data", () => options.onWork?.());
  child.stdout.resume();
  const end = finished(child);
  end.catch(() => {});
  return {
    async isConnected(wants, haves) {
      // latin1, since names of refs may be among them, and those are bytes.
      child.stdin.end(`${[...wants, ...haves.map((have) => `^${have}`)].join("\n")}\n`, "latin1");
      const { exitCode, stderr } = await end;
      options.signal.throwIfAborted();
      if (![0, 1, 128].includes(exitCode)) throw gitFailedError(args, exitCode, stderr);
      assertNotOfMachine(args, exitCode, stderr);
      return exitCode === 0;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await end.catch(() => {});
    },
  };
}

/**
 * Returns those of `ids` that nothing in `from` reaches; undefined when an object that they need is missing here. Costs
 * a walk from `ids` to `from`.
 */
export async function unreachable(
  context: GitContext,
  gitDir: string,
  ids: readonly string[],
  from: readonly string[],
  signal: AbortSignal,
): Promise<string[] | undefined> {
  const input = `${[...ids, ...from.map((id) => `^${id}`)].join("\n")}\n`;
  const args: LocalArguments = ["rev-list", "--objects", "--no-object-names", "--stdin"];
  const options = { input, signal, expected: [0, 1, 128], judges: true };
  const { exitCode, stdout } = await gitBytes(context, gitDir, args, options);
  if (exitCode !== 0) return undefined;
  const seen = new Set(stdout.toString("latin1").split("\n"));
  return ids.filter((id) => seen.has(id));
}

/** Returns those of `ids` that exist here. The objects that they need may be missing. */
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

/** Returns true for a repository in which no object is, such as one that was made a moment ago. Needs no git. */
export async function isWithoutObjects(gitDir: string): Promise<boolean> {
  const objects = join(gitDir, "objects");
  const [names, packs, info] = await Promise.all([objects, join(objects, "pack"), join(objects, "info")].map(namesIn));
  const isEmpty = names?.includes("pack") && !names.some((name) => /^[0-9a-f]{2}$/.test(name));
  return isEmpty === true && packs?.length === 0 && info?.length === 0;
}

/** Returns the types of those of `ids` that exist here. */
export async function objectTypes(
  context: GitContext,
  gitDir: string,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map();
  const { stdout } = await gitBytes(context, gitDir, ["cat-file", "--batch-check=%(objectname) %(objecttype)"], {
    input: `${ids.join("\n")}\n`,
    signal,
  });
  const pairs = stdout.toString("latin1").split("\n").filter(Boolean);
  return new Map(pairs.map((line) => line.split(" ") as [string, string]).filter(([, type]) => type !== "missing"));
}
