// The unix socket on which lockstep-shell brings devices that came over ssh (docs/hook-protocol.md). The first frame
// says who the device is and what it asks for. Then the connection carries plain bytes: requests as on the git port, or
// the dialogue of git's upload-pack.
import { chmod, rm } from "node:fs/promises";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer, type Socket } from "node:net";
import { describe, LockstepError } from "../errors.ts";
import { encodeFrames, readFrames } from "../framing/frames.ts";
import { Newcomers } from "../io/connections.ts";
import { visible } from "../io/visible.ts";
import type { SyncContext } from "../sync/device/context.ts";
import type { SshCaller, SshCallers } from "./callers.ts";
import { type Greeting, type KeyQuestion, parseGreeting } from "./ssh-greeting.ts";

export interface SshDoorOptions {
  readonly callers: SshCallers;
  /** Answers requests as on the git port. */
  readonly answer: RequestListener;
  /** Answers stock git. It ends the connection. */
  readonly uploadPack: (caller: SshCaller, greeting: Greeting, socket: Socket, go: () => void) => Promise<void>;
}

/** Opens the socket at `path`, for this user only. */
export async function openSshDoor(
  context: SyncContext,
  path: string,
  options: SshDoorOptions,
): Promise<AsyncDisposable> {
  const http = createHttpServer({ keepAliveTimeout: 120_000, requestTimeout: 0 }, options.answer);
  const open = new Set<Socket>();
  const newcomers = new Newcomers();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => open.delete(socket));
    newcomers.add(socket);
    void greet(context, options, socket, {
      known: () => newcomers.known(socket),
      serve: () => http.emit("connection", socket),
    });
  });
  await rm(path, { force: true });
  await new Promise<void>((done, failed) => server.once("error", failed).listen(path, done));
  await chmod(path, 0o600);
  return {
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((done) => void server.close(() => done()));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

async function greet(
  context: SyncContext,
  options: SshDoorOptions,
  socket: Socket,
  { known: isKnown, serve }: { known: () => void; serve: () => void },
): Promise<void> {
  const refuse = (sentence: string, code = 1) => {
    socket.write(encodeFrames("E", `${sentence}\n`));
    socket.end(encodeFrames("X", String(code)));
  };
  try {
    const greeting = await firstFrame(socket);
    if ("key" in greeting) {
      const lines = context.ssh.authorizedKeys(greeting.key, undefined);
      socket.write(encodeFrames("X", "0"));
      return void socket.end(lines.map((line) => `${line}\n`).join(""));
    }
    const caller = { device: greeting.device, fingerprint: greeting.fingerprint, from: greeting.from };
    await options.callers.take(socket, caller);
    isKnown();
    const go = () => void socket.write(encodeFrames("X", "0"));
    if (greeting.request === "peer") {
      go();
      serve();
    } else if (greeting.request === "upload-pack") await options.uploadPack(caller, greeting, socket, go);
    else refuse(welcome(greeting, context.me.device), 0);
  } catch (error) {
    const known = error instanceof LockstepError && error.code !== "INTERNAL";
    if (!known) context.log.error({ err: describe(error) }, "a connection over ssh broke off");
    else context.log.warn({ err: error.message }, "refused a device over ssh");
    if (socket.writable)
      refuse(`lockstep: ${visible(known ? error.message : "An internal error; the log of this device has it.")}`);
  }
}

/** Reads the first frame and nothing behind it. Throws INVALID_REQUEST. */
async function firstFrame(socket: Socket): Promise<Greeting | KeyQuestion> {
  const frames = readFrames(socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>);
  try {
    const first = await frames.next();
    if (first.done) throw new LockstepError("INVALID_REQUEST", "The connection ended before it said who it is.");
    return parseGreeting(first.value);
  } finally {
    await frames.return(undefined);
  }
}

function welcome({ device }: Greeting, here: string): string {
  return `You are logged in as device ${device} on device ${here}.
This account runs for you:
  git-upload-pack 'NAME.git'   git fetch of a repository that ${device} holds or should hold
  lockstep-peer                what the sidecar of ${device} asks
It has no shell, and a device pushes nothing.`;
}
