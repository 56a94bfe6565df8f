// The socket of the shims: git hands pushes over here, and reads ask here first (docs/hook-protocol.md).

import { randomUUID } from "node:crypto";
import { chmod, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe } from "../errors.ts";
import { encodeFrames, readFrames } from "../framing/frames.ts";
import { linkSignals } from "../io/signals.ts";
import { visible } from "../io/visible.ts";
import type { PackCache } from "../pack-cache/pack-cache.ts";
import { toldToStrangers } from "../smart-http/strangers.ts";
import type { SyncContext } from "../sync/device/context.ts";
import { beforeRead } from "../sync/read/before-read.ts";
import { WAITS } from "../waits.ts";
import { type Hello, nameOf, parseHello } from "./hello.ts";
import { receive, type Send } from "./receive-push.ts";
import { sharePack } from "./share-pack.ts";

/** A running server for the shims. */
export interface HookServer {
  /** Stops listening and waits for running pushes, at most `graceMs`. */
  stop(graceMs: number): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Serves the shims on `path`, a unix socket for this user only. Without `packs`, each client has a pack of its own. */
export async function serveHooks(context: SyncContext, path: string, packs?: PackCache): Promise<HookServer> {
  const open = new Set<Socket>();
  // When its pusher is gone, a shim ends its side and waits for `X`. Without `X` it kills receive-pack, which then
  // leaves its .keep.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => open.delete(socket));
    void converse(context, socket, packs);
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

async function converse(context: SyncContext, socket: Socket, packs?: PackCache): Promise<void> {
  // A shim that has ended its input still waits for an answer.
  const frames = readFrames(socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>);
  const send = (type: string, payload: Buffer | string) => {
    if (socket.writable) socket.write(encodeFrames(type, payload));
  };
  const answer = async (hello: Hello): Promise<number | undefined> => {
    if (hello.op === "proc-receive") return await receive(context, hello, frames, send);
    if (hello.op !== "pack-objects") return await read(context, hello, send);
    return packs === undefined ? 0 : await sharePack(context, packs, hello, frames, send);
  };
  try {
    const first = await frames.next();
    if (first.done) return void socket.destroy();
    const hello = parseHello(first.value);
    const code = await answer(hello);
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
  try {
    const name = await nameOf(context.root, dir);
    using patience = linkSignals([context.signal], WAITS.hookReadMs);
    const { replica } = await beforeRead(context, name, { signal: patience.signal, forPush: op === "receive-pack" });
    send("P", replica.gitDir);
    return 0;
  } catch (error) {
    const requestId = env.get("LOCKSTEP_REQUEST_ID") ?? randomUUID();
    context.log.warn({ dir, requestId, err: describe(error) }, "read refused");
    send("E", `lockstep: ${visible(toldToStrangers(error))} (request ${visible(requestId)})\n`);
    return 1;
  }
}
