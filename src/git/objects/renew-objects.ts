// Writes objects anew that are in a repository already.
import { PassThrough } from "node:stream";
import type { GitContext } from "../process.ts";
import { receivePack } from "./receive-pack.ts";
import { startPack } from "./send-pack.ts";

/**
 * Writes everything that `wants` need and `haves` do not into a new pack. A clean-up that has begun may take old
 * objects that no ref needed then; it leaves young ones. Throws GIT_FAILED and SOURCE_FAILED: then nothing has changed.
 */
export async function renewObjects(
  context: GitContext,
  gitDir: string,
  { wants, haves }: { wants: readonly string[]; haves: readonly string[] },
  signal: AbortSignal,
): Promise<void> {
  if (wants.length === 0) return;
  // Reads the pack from its first byte on: unread output is lost when the process ends.
  const pack = startPack(context, gitDir, wants, haves, signal).then((stream) => stream.pack.pipe(new PassThrough()));
  await receivePack(context, gitDir, { wants, haves, signal, pack });
}
