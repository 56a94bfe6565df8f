// The sending side of the pack stream: exactly the objects that a peer wants and does not have.
import { once } from "node:events";
import type { Readable } from "node:stream";
import { LockstepError } from "../../errors.ts";
import { linkSignals } from "../../io/signals.ts";
import type { LocalArguments } from "../command/operations.ts";
import { gitFailedError } from "../git-error.ts";
import { finished, type GitContext, spawnGit } from "../process.ts";
import { listenForNews } from "../progress.ts";
import { Silence } from "../silence.ts";
import { existingObjects } from "./connectivity.ts";

/** A pack that git is writing. */
export interface PackStream {
  readonly pack: Readable;
  /** Settles when git has ended. Rejects with GIT_FAILED when the pack is incomplete. */
  readonly done: Promise<void>;
}

/**
 * Makes a thin pack with everything reachable from `wants` and not from `haves`. Returns at its first byte; until then
 * `onWork` is called at each new message of git. Throws SOURCE_FAILED when a wanted object is missing here, or when git
 * shows no work. Leaves out haves that are missing here.
 */
export async function startPack(
  context: GitContext,
  gitDir: string,
  wants: readonly string[],
  haves: readonly string[],
  signal: AbortSignal,
  onWork: () => void = () => {},
): Promise<PackStream> {
  const stream = packObjects(context, gitDir, wants, haves, signal, onWork);
  if (await hasBegun(stream)) return stream;
  // git fails at an unknown id. That is rare, so the ids are checked only after a failure.
  const present = new Set(await existingObjects(context, gitDir, [...wants, ...haves], signal));
  const missing = wants.find((want) => !present.has(want));
  if (missing !== undefined) {
    throw new LockstepError("SOURCE_FAILED", `This device does not hold object ${missing}; ask another one.`, {
      details: { object: missing },
    });
  }
  const known = haves.filter((have) => present.has(have));
  if (known.length === haves.length) {
    await stream.done;
    return stream;
  }
  const again = packObjects(context, gitDir, wants, known, signal, onWork);
  await hasBegun(again);
  return again;
}

function packObjects(
  context: GitContext,
  gitDir: string,
  wants: readonly string[],
  haves: readonly string[],
  signal: AbortSignal,
  onWork: () => void,
): Begun {
  const args: LocalArguments = ["pack-objects", "--revs", "--thin", "--stdout", "--delta-base-offset", "--progress"];
  const silence = new Silence();
  const link = linkSignals([signal, silence.signal]);
  const child = spawnGit(context, gitDir, args, { signal: link.signal });
  const isNews = listenForNews();
  child.stderr.on("data", (chunk: Buffer) => {
    if (!isNews(chunk.toString("latin1"))) return;
    silence.broken();
    onWork();
  });
  child.stdin.end(`${[...wants, ...haves.map((have) => `^${have}`)].join("\n")}\n`);
  const done = finished(child).then(({ exitCode, stderr }) => {
    link[Symbol.dispose]();
    silence[Symbol.dispose]();
    if (silence.signal.aborted) throw silentError(silence);
    if (exitCode !== 0) throw gitFailedError(args, exitCode, stderr);
  });
  done.catch(() => {});
  return { pack: child.stdout, done, silence };
}

function silentError({ limitMs }: Silence): LockstepError {
  const seconds = limitMs / 1000;
  return new LockstepError("SOURCE_FAILED", `git pack-objects has shown no work for ${seconds} s on this device.`);
}

interface Begun extends PackStream {
  readonly silence: Silence;
}

/**
 * Waits for the first byte; returns false if git ended without one. From then on the reader watches for silence. Throws
 * SOURCE_FAILED when git shows no work.
 */
async function hasBegun({ pack, done, silence }: Begun): Promise<boolean> {
  if (!pack.readableLength && !pack.readableEnded) await Promise.race([once(pack, "readable"), done]).catch(() => {});
  silence[Symbol.dispose]();
  if (silence.signal.aborted) throw silentError(silence);
  return pack.readableLength > 0;
}
