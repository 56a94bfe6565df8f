// Whether objects are here, and whether everything that they need is.
import { finished, type GitContext, gitBytes, gitFailedError, spawnGit } from "../process.ts";

/**
 * True when everything reachable from `wants` is there, given that everything reachable from `haves` is: a walk from the new
 * tips to the old ones, not over all refs. A commit that merely exists proves nothing, undecided objects exist too.
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
  readonly env?: Readonly<Record<string, string>>;
  /** Arguments of rev-list that say where else the walk ends. */
  readonly besides?: readonly string[];
  /** Called whenever git says how far it is. */
  readonly onWork?: () => void;
}

export interface Walk extends AsyncDisposable {
  /** Once. See `isConnected`; `haves` may be names of refs too, which must be there. */
  isConnected(wants: readonly string[], haves: readonly string[]): Promise<boolean>;
}

/** Starts git for `isConnected`, which looks at no object before it has been told where to begin. */
export function startWalk(context: GitContext, gitDir: string, options: WalkOptions): Walk {
  const args = ["rev-list", "--objects", "--quiet", "--stdin", "--progress=Walking", ...(options.besides ?? [])];
  const child = spawnGit(context, gitDir, args, options);
  child.stderr.on("data", () => options.onWork?.());
  child.stdout.resume();
  const end = finished(child);
  end.catch(() => {});
  return {
    async isConnected(wants, haves) {
      // latin1: refs may be among them, and their names are bytes.
      child.stdin.end(`${[...wants, ...haves.map((have) => `^${have}`)].join("\n")}\n`, "latin1");
      const { exitCode, stderr } = await end;
      options.signal.throwIfAborted();
      if (![0, 1, 128].includes(exitCode)) throw gitFailedError(args, exitCode, stderr);
      return exitCode === 0;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await end.catch(() => {});
    },
  };
}

/**
 * Those of `ids` that nothing in `from` reaches; undefined when something that they need is not here. Costs a walk from the ones
 * to the others.
 */
export async function unreachable(
  context: GitContext,
  gitDir: string,
  ids: readonly string[],
  from: readonly string[],
  signal: AbortSignal,
): Promise<string[] | undefined> {
  const input = `${[...ids, ...from.map((id) => `^${id}`)].join("\n")}\n`;
  const args = ["rev-list", "--objects", "--no-object-names", "--stdin"];
  const { exitCode, stdout } = await gitBytes(context, gitDir, args, { input, signal, expected: [0, 1, 128] });
  if (exitCode !== 0) return undefined;
  const seen = new Set(stdout.toString("latin1").split("\n"));
  return ids.filter((id) => seen.has(id));
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

/** The types of those of `ids` that exist here. */
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
