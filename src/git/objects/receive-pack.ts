// The receiving side of the pack stream: a pack from anywhere becomes objects of the replica, or nothing does.
import type { Readable } from "node:stream";
import { LockstepError } from "../../errors.ts";
import { drained } from "../../io/pump.ts";
import { finished, type GitContext, type GitProcess, gitFailedError, spawnGit } from "../process.ts";
import { type PackProgress, reportProgress } from "../progress.ts";
import { type Incoming, quarantined } from "./quarantine.ts";

export interface ReceivePack extends Incoming {
  /** The quarantine is made ready while the source makes the pack. */
  readonly pack: Readable | Promise<Readable>;
  readonly onProgress?: (progress: PackProgress) => void;
}

/**
 * Takes a pack (thin or not) into the replica, if with it every one of `wants` is connected. Throws GIT_FAILED when the pack is
 * damaged or cut off, SOURCE_FAILED when objects are missing, and what `pack` rejects with: then the replica is as before.
 */
export async function receivePack(context: GitContext, gitDir: string, request: ReceivePack): Promise<void> {
  // It may fail before anybody waits for it.
  if (request.pack instanceof Promise) request.pack.catch(() => {});
  await quarantined(context, gitDir, request, async ({ env }) => await indexPack(context, gitDir, env, request));
}

async function indexPack(
  context: GitContext,
  gitDir: string,
  env: Readonly<Record<string, string>>,
  { pack, signal, onProgress }: ReceivePack,
): Promise<void> {
  const args = ["index-pack", "--stdin", "--fix-thin", ...(onProgress ? ["-v"] : [])];
  const child = spawnGit(context, gitDir, args, { env, signal, writes: true });
  if (onProgress) child.stderr.on("data", (chunk: Buffer) => reportProgress(chunk.toString("latin1"), onProgress));
  child.stdout.resume();
  const end = finished(child);
  const kill = async () => {
    child.kill("SIGKILL");
    await end;
  };
  const source = await Promise.resolve(pack).catch(async (error: unknown) => {
    await kill();
    throw error;
  });
  // A source that breaks off must not look like the end of the pack: the child is killed, not its input ended.
  const [broken, { exitCode, stderr }] = await Promise.all([
    feed(source, child).then(
      () => undefined,
      async (error: unknown) => {
        await kill();
        return error;
      },
    ),
    end,
  ]);
  signal.throwIfAborted();
  // It has seen the pack's own checksum; whether the source said goodbye does not matter.
  if (exitCode === 0) return;
  if (broken === undefined) throw gitFailedError(args, exitCode, stderr);
  throw new LockstepError("SOURCE_FAILED", "The source broke off in the middle of a pack.", { cause: broken });
}

/** git ends when it has the whole pack, perhaps before the source does: the source is read to its end, so that its connection lives on. */
async function feed(pack: Readable, { stdin }: GitProcess): Promise<void> {
  for await (const chunk of pack) {
    // When git ends early, what it said of that tells more than a broken pipe.
    if (stdin.destroyed) return;
    if (!stdin.write(chunk)) await drained(stdin);
  }
  stdin.end();
}
