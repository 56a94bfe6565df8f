// The sending side of the pack stream: exactly the objects between what a peer wants and what it has.
import { once } from "node:events";
import type { Readable } from "node:stream";
import { LockstepError } from "../errors.ts";
import { existingObjects } from "./connectivity.ts";
import { finished, type GitContext, gitFailed, spawnGit } from "./process.ts";

export interface PackStream {
  readonly pack: Readable;
  /** Settles when git has ended; rejects (GIT_FAILED) when the pack is not whole. */
  readonly done: Promise<void>;
}

/**
 * Makes a thin pack with everything reachable from `wants` and not from `haves`; returns with its first byte. Throws
 * SOURCE_FAILED when a wanted object is not here. Haves that are not here are left out.
 */
export async function startPack(
  context: GitContext,
  gitDir: string,
  wants: readonly string[],
  haves: readonly string[],
  signal: AbortSignal,
): Promise<PackStream> {
  const stream = packObjects(context, gitDir, wants, haves, signal);
  if (await hasBegun(stream)) return stream;
  // git dies of any id that it does not know, which is rare: looked for only then.
  const present = new Set(await existingObjects(context, gitDir, [...wants, ...haves], signal));
  const missing = wants.find((want) => !present.has(want));
  if (missing !== undefined) {
    throw new LockstepError("SOURCE_FAILED", `This device does not hold object ${missing}.`, {
      details: { object: missing },
    });
  }
  const known = haves.filter((have) => present.has(have));
  if (known.length < haves.length) return packObjects(context, gitDir, wants, known, signal);
  await stream.done;
  return stream;
}

function packObjects(
  context: GitContext,
  gitDir: string,
  wants: readonly string[],
  haves: readonly string[],
  signal: AbortSignal,
): PackStream {
  const args = ["pack-objects", "--revs", "--thin", "--stdout", "--delta-base-offset", "-q"];
  const child = spawnGit(context, gitDir, args, { signal });
  child.stdin.end(`${[...wants, ...haves.map((have) => `^${have}`)].join("\n")}\n`);
  const done = finished(child).then(({ exitCode, stderr }) => {
    if (exitCode !== 0) throw gitFailed(args, exitCode, stderr);
  });
  done.catch(() => {});
  return { pack: child.stdout, done };
}

/** False: it ended without a byte. */
async function hasBegun({ pack, done }: PackStream): Promise<boolean> {
  if (!pack.readableLength && !pack.readableEnded) await Promise.race([once(pack, "readable"), done]).catch(() => {});
  return pack.readableLength > 0;
}
