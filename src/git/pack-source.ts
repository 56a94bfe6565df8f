// The sending side of the pack stream: exactly the objects between what a peer wants and what it has.
import type { Readable } from "node:stream";
import { LockstepError } from "../errors.ts";
import { finished, type GitContext, gitFailed, spawnGit } from "./process.ts";
import { existingObjects } from "./quarantine.ts";

export interface PackStream {
  readonly pack: Readable;
  /** Settles when git has ended; rejects (GIT_FAILED) when the pack is not whole. */
  readonly done: Promise<void>;
}

/**
 * Starts a thin pack with everything reachable from `wants` and not from `haves`. Throws SOURCE_FAILED when a wanted object is
 * not here. Haves that are not here are left out: `^id` of an unknown commit would be fatal to git.
 */
export async function startPack(
  context: GitContext,
  gitDir: string,
  wants: readonly string[],
  haves: readonly string[],
  signal: AbortSignal,
): Promise<PackStream> {
  const present = new Set(await existingObjects(context, gitDir, [...wants, ...haves], signal));
  const missing = wants.find((want) => !present.has(want));
  if (missing !== undefined) {
    throw new LockstepError("SOURCE_FAILED", `This device does not hold object ${missing}.`, {
      details: { object: missing },
    });
  }
  const args = ["pack-objects", "--revs", "--thin", "--stdout", "--delta-base-offset", "-q"];
  const child = spawnGit(context, gitDir, args, { signal });
  const known = haves.filter((have) => present.has(have)).map((have) => `^${have}`);
  child.stdin.end(`${[...wants, ...known].join("\n")}\n`);
  const done = finished(child).then(({ exitCode, stderr }) => {
    if (exitCode !== 0) throw gitFailed(args, exitCode, stderr);
  });
  done.catch(() => {});
  return { pack: child.stdout, done };
}
