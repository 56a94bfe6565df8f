// The socket of the shims: git hands pushes over here, and reads ask here first (docs/hook-protocol.md).

import { randomUUID } from "node:crypto";
import { chmod, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { clientOf } from "../activity/activity.ts";
import { describe } from "../errors.ts";
import { encodeFrames, type Frame, readFrames } from "../framing/frames.ts";
import { Newcomers } from "../io/connections.ts";
import { linkSignals } from "../io/signals.ts";
import { visible } from "../io/visible.ts";
import type { PackCache } from "../pack-cache/pack-cache.ts";
import { toldToStrangers } from "../smart-http/strangers.ts";
import { noteGranted, noteRefused } from "../sync/activity/note-read.ts";
import type { SyncContext } from "../sync/device/context.ts";
import { beforeRead } from "../sync/read/before-read.ts";
import { inTrace } from "../tracing/tracing.ts";
import { WAITS } from "../waits.ts";
import { authorOf } from "./author.ts";
import { type Hello, nameOf, parseHello } from "./hello.ts";
import { receive, type Send } from "./receive-push.ts";
import { sharePack } from "./share-pack.ts";

/** A running server for the shims. */
export interface HookServer {
  /** Stops listening and waits for running pushes, at most `graceMs`. */
  stop(graceMs: number): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * How many conversations there are at once. Each push has two gits from its first frame on, so a client that only opens
 * conversations must not have any number of them.
 */
const CONVERSATIONS = 1_024;

/** What one client of the socket may cost. */
export interface HookLimits {
  readonly conversations?: number;
  /** Those that have not sent a frame yet. */
  readonly newcomers?: Newcomers;
}

/** Serves the shims on `path`, a unix socket for this user only. Without `packs`, each client has a pack of its own. */
export async function serveHooks(
  context: SyncContext,
  path: string,
  packs?: PackCache,
  { conversations: most = CONVERSATIONS, newcomers = new Newcomers() }: HookLimits = {},
): Promise<HookServer> {
  const open = new Set<Socket>();
  const conversations = new Set<Socket>();
  context.metrics.limits.tell("shims", most, () => conversations.size);
  context.metrics.limits.tell("shim_newcomers", newcomers.most, () => newcomers.waiting);
  const begin = async (socket: Socket) => {
    // A shim that has ended its input still waits for an answer.
    const frames = readFrames(socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>);
    const first = await firstOf(context, frames);
    if (first === undefined) return void socket.destroy();
    // It stays a newcomer, so it is cut if it does not go.
    if (conversations.size >= most) return refuse(socket, most);
    newcomers.known(socket);
    conversations.add(socket);
    socket.once("close", () => conversations.delete(socket));
    // A shim that has the whole answer goes.
    socket.once("finish", () => socket.destroyed || newcomers.add(socket));
    await converse(context, socket, { first, frames, packs });
  };
  // When its pusher is gone, a shim ends its side and waits for `X`. Without `X` it kills receive-pack, which then
  // leaves its .keep.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => open.delete(socket));
    newcomers.add(socket);
    void begin(socket);
  });
  await rm(path, { force: true });
  await new Promise<void>((done, failed) => server.once("error", failed).listen(path, done));
  await chmod(path, 0o600);
  // Ends when the last conversation has ended.
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= new Promise<void>((done) => void server.close(() => done()));
    return closed;
  };
  return {
    async stop(graceMs) {
      await Promise.race([close(), sleep(graceMs, undefined, { ref: false })]);
    },
    async [Symbol.asyncDispose]() {
      const done = close();
      for (const socket of open) socket.destroy();
      await done;
    },
  };
}

/** Returns the first frame. undefined: the connection ended or was cut before it, or what came is no frame. */
async function firstOf({ log }: SyncContext, frames: AsyncGenerator<Frame>): Promise<Frame | undefined> {
  try {
    const first = await frames.next();
    return first.done ? undefined : first.value;
  } catch (error) {
    // Thousands of connections may be cut.
    log.debug({ err: describe(error) }, "a connection to the socket of the shims ended before its first frame");
    return undefined;
  }
}

function refuse(socket: Socket, most: number): void {
  const sentence = `This server has ${most} pushes and reads under way, which is the limit; try again later.`;
  socket.write(encodeFrames("E", `lockstep: ${sentence}\n`));
  socket.end(encodeFrames("X", "1"));
}

async function converse(
  context: SyncContext,
  socket: Socket,
  { first, frames, packs }: { first: Frame; frames: AsyncGenerator<Frame>; packs: PackCache | undefined },
): Promise<void> {
  const send = (type: string, payload: Buffer | string) => {
    if (socket.writable) socket.write(encodeFrames(type, payload));
  };
  const answer = async (hello: Hello): Promise<number | undefined> => {
    const parent = hello.env.get("LOCKSTEP_TRACEPARENT");
    if (hello.op === "proc-receive") return await inTrace("push", parent, () => receive(context, hello, frames, send));
    if (hello.op !== "pack-objects") return await inTrace("read", parent, () => read(context, hello, send));
    return packs === undefined ? 0 : await sharePack(context, packs, hello, frames, send);
  };
  try {
    const code = await answer(parseHello(first));
    if (code !== undefined && socket.writable) socket.end(encodeFrames("X", String(code)));
    else socket.destroy();
  } catch (error) {
    // Without an exit code the shim does not know the outcome, and the client sees a hang-up.
    context.log.error({ err: describe(error) }, "a conversation with a shim broke off");
    socket.destroy();
  }
}

/**
 * Answers an upload-pack or receive-pack that was started over ssh: may this device serve the repository now? Returns
 * the exit code for the shim.
 */
async function read(context: SyncContext, { dir, op, env }: Hello, send: Send): Promise<number> {
  const forPush = op === "receive-pack";
  const what = forPush ? "push" : "read";
  const asked = { startedAt: performance.now(), client: clientOf(env, authorOf(env)), what } as const;
  let name = dir;
  try {
    name = await nameOf(context.root, dir);
    using patience = linkSignals([context.signal], WAITS.hookReadMs);
    const grant = await beforeRead(context, name, { signal: patience.signal, forPush });
    send("P", grant.replica.gitDir);
    noteGranted(context, { ...asked, repository: name }, grant);
    return 0;
  } catch (error) {
    noteRefused(context, { ...asked, repository: name }, error);
    const requestId = env.get("LOCKSTEP_REQUEST_ID") ?? randomUUID();
    context.log.warn({ dir, requestId, err: describe(error) }, "read refused");
    send("E", `lockstep: ${visible(toldToStrangers(error))} (request ${visible(requestId)})\n`);
    return 1;
  }
}
