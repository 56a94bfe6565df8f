// A git that serves a client asks for its pack here (native/pack-objects.c, docs/hook-protocol.md).
import type { Frame } from "../framing/frames.ts";
import type { PackCache } from "../pack-cache/pack-cache.ts";
import { INPUT_LIMIT, readPackRequest } from "../pack-cache/pack-request.ts";
import type { SyncContext } from "../sync/device/context.ts";
import { type Hello, nameOf } from "./hello.ts";
import type { Send } from "./receive-push.ts";

/** The shim waits 20 s for a sign of life (native/pack-objects.c). */
const LIFE_MS = 4_000;

/**
 * Names the file of the pack for the shim. Returns the exit code of the git that made it, once the file is whole, or
 * undefined when it never will be. Without a file, the shim's own git makes the pack. That is so for a replica which is
 * in doubt too.
 */
export async function sharePack(
  context: SyncContext,
  packs: PackCache,
  hello: Hello,
  frames: AsyncGenerator<Frame>,
  send: Send,
): Promise<number | undefined> {
  const input = await readInput(frames);
  const request = input && readPackRequest(hello.words, input);
  const replica = context.replicas.findByName(await nameOf(context.root, hello.dir));
  if (request === undefined || replica?.applied === undefined || replica.outOfService) return 0;
  using reading = await packs.read(replica, request);
  if (reading === undefined) return 0;
  send("P", reading.path);
  const left = frames.next().then(
    () => undefined,
    () => undefined,
  );
  // A shim that hears nothing for long takes this process for hung.
  const living = setInterval(() => send("K", ""), LIFE_MS).unref();
  try {
    const code = await Promise.race([reading.ended, left]);
    return code === -1 ? undefined : code;
  } finally {
    clearInterval(living);
  }
}

/** Returns the input of the command. undefined: it is too long, or did not come to its end. */
async function readInput(frames: AsyncGenerator<Frame>): Promise<Buffer | undefined> {
  const pieces: Buffer[] = [];
  let length = 0;
  for (;;) {
    const next = await frames.next();
    if (next.done || next.value.type !== "I") return undefined;
    if (next.value.payload.length === 0) return length > INPUT_LIMIT ? undefined : Buffer.concat(pieces);
    length += next.value.payload.length;
    if (length <= INPUT_LIMIT) pieces.push(next.value.payload);
  }
}
