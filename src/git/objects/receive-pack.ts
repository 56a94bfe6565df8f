// The receiving side of the pack stream: either all objects of a pack get into the replica, or none.
import type { Readable } from "node:stream";
import { LockstepError } from "../../errors.ts";
import { untilWritable } from "../../io/pump.ts";
import type { LocalArguments, ObjectPlace } from "../command/operations.ts";
import { gitFailedError } from "../git-error.ts";
import { finished, type GitContext, type GitProcess, spawnGit } from "../process.ts";
import { type PackProgress, reportProgress } from "../progress.ts";
import { type Incoming, quarantined } from "./quarantine.ts";

export interface ReceivePack extends Incoming {
  /** A pack that may come later. The quarantine is made ready meanwhile. */
  readonly pack: Readable | Promise<Readable>;
  readonly onProgress?: (progress: PackProgress) => void;
}

/**
 * Takes a pack (thin or not) into the replica, if all `wants` are then connected. Throws GIT_FAILED when the pack is
 * damaged or cut off, SOURCE_FAILED when objects are missing, and passes on the rejection of `pack`. After an error the
 * replica is as before.
 */
export async function receivePack(context: GitContext, gitDir: string, request: ReceivePack): Promise<void> {
  // The promise may reject before the code below awaits it.
  if (request.pack instanceof Promise) request.pack.catch(() => {});
  await quarantined(
    context,
    gitDir,
    request,
    async ({ objects }) => await indexPack(context, gitDir, objects, request),
  );
}

async function indexPack(
  context: GitContext,
  gitDir: string,
  objects: ObjectPlace,
  { pack, signal, onProgress }: ReceivePack,
): Promise<void> {
  const args: LocalArguments = ["index-pack", "--stdin", "--fix-thin", ...(onProgress ? ["-v"] : [])];
  const child = spawnGit(context, gitDir, args, { objects, signal, writes: true });
  if (onProgress) child.stderr.on("data", (chunk: Buffer) => reportProgress(chunk.toString("latin1"), onProgress));
  child.stdout.resume();
  const end = finished(child);
  end.catch(() => {});
  const kill = async () => {
    child.kill("SIGKILL");
    await end;
  };
  const source = await Promise.resolve(pack).catch(async (error: unknown) => {
    await kill();
    throw error;
  });
  // A source that breaks off must not look like the end of the pack. So the child is killed; its input is not ended.
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
  // git has verified the pack's own checksum. An error of the source after that does not matter.
  if (exitCode === 0) return;
  if (broken === undefined) throw gitFailedError(args, exitCode, stderr);
  throw new LockstepError("SOURCE_FAILED", "The source broke off in the middle of a pack.", { cause: broken });
}

/**
 * Writes the pack to git. Reads the source to its end, even when git ends earlier, so that the connection can be
 * reused.
 */
async function feed(pack: Readable, { stdin }: GitProcess): Promise<void> {
  for await (const chunk of pack) {
    // git ended early. Its message says more than a broken pipe.
    if (stdin.destroyed) return;
    if (!stdin.write(chunk)) await untilWritable(stdin);
  }
  stdin.end();
}
