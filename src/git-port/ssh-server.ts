// Serves devices that come over ssh: the requests of the git port, and upload-pack for stock git.
import { realpath } from "node:fs/promises";
import type { Socket } from "node:net";
import type { Writable } from "node:stream";
import { describe, LockstepError } from "../errors.ts";
import { linePacket, utf8 } from "../framing/pkt-line.ts";
import { WantReader } from "../framing/wants.ts";
import { here } from "../git/command/build.ts";
import { finished, type GitContext, runCommand } from "../git/process.ts";
import { copy, untilWritable } from "../io/pump.ts";
import { linkSignals } from "../io/signals.ts";
import { repositoryName } from "../names.ts";
import type { SyncContext } from "../sync/device/context.ts";
import { suspectDamage } from "../sync/upkeep/suspect-damage.ts";
import { ConnectionLimit } from "../tls/connection-limits.ts";
import { WAITS } from "../waits.ts";
import type { Port } from "./answers.ts";
import { type SshCaller, SshCallers, type SshCallersOptions } from "./callers.ts";
import { mayFetch } from "./device-limits.ts";
import { answer } from "./route.ts";
import { openSshDoor } from "./ssh-door.ts";
import type { Greeting } from "./ssh-greeting.ts";

/** Connections of one device, as on the git port. */
const CONNECTIONS = 128;

export interface SshServerOptions extends Omit<SshCallersOptions, "connections"> {
  /** The path of the unix socket. */
  readonly path: string;
  readonly port: Port;
}

/** Opens the socket for lockstep-shell. */
export async function serveSsh(context: SyncContext, options: SshServerOptions): Promise<AsyncDisposable> {
  const { path, port } = options;
  const connections = new ConnectionLimit(CONNECTIONS);
  context.metrics.limits.tell("ssh_connections_of_one", CONNECTIONS, () => connections.largest);
  const callers = new SshCallers({ ...options, connections });
  const door = await openSshDoor(context, path, {
    callers,
    answer: (request, response) => void answer(port, callers, request, response),
    uploadPack: async (caller, greeting, socket, go) =>
      await uploadPack({ ...port, callers }, caller, greeting, socket, go),
  });
  return {
    async [Symbol.asyncDispose]() {
      callers[Symbol.dispose]();
      await door[Symbol.asyncDispose]();
    },
  };
}

/** There is no check before the read, as on the git port: a peer wants objects, whether or not they are new. */
async function uploadPack(
  { context, packs, callers }: Port & { callers: SshCallers },
  { device }: SshCaller,
  { directory, protocol }: Greeting,
  socket: Socket,
  go: () => void,
): Promise<void> {
  const name = nameOf(context.root, directory);
  const { id, gitDir } = await packs.locate(name);
  const refused = (error: unknown) => {
    if (error instanceof LockstepError && error.code === "PERMISSION_DENIED") callers.refused(socket, error);
    throw error;
  };
  await mayFetch(context, device, { id }).catch(refused);
  const place = await realpath(gitDir).catch((cause: unknown) => {
    throw new LockstepError("REPLICA_NOT_FOUND", `The replica of ${name} is not here yet; ask another device.`, {
      cause,
    });
  });
  using _place = packs.takePlace(device);
  using link = linkSignals([context.signal]);
  socket.once("close", () => link.abort());
  socket.setTimeout(WAITS.uploadSilentMs, () => socket.destroy());
  go();
  const allow = (wants: readonly string[]) => context.fetchable.check(device, id, wants).catch(refused);
  const talk = { protocol, allow, signal: link.signal };
  const { exitCode, stderr, refusal } = await talkUploadPack(context.git, place, socket, talk);
  if (refusal !== undefined)
    return context.log.warn({ fromDevice: device, err: refusal.message }, "refused a device over ssh");
  if (exitCode === 0 || link.signal.aborted) return;
  const fields = { repository: name, fromDevice: device, exitCode, said: stderr.trim() };
  context.log.warn(fields, "git upload-pack failed");
  packs.lookAfter(id).catch(() => {});
  suspectDamage(context, { id, name }, stderr).catch((error: unknown) =>
    context.log.warn({ ...fields, err: describe(error) }, "could not order a verification"),
  );
}

/**
 * Returns the name of the repository that git wrote: a name, behind one slash or none, or the path below the root.
 * Throws INVALID_NAME.
 */
function nameOf(root: string, directory: string): string {
  const below = directory.startsWith(`${root}/`) ? directory.slice(root.length) : directory;
  return repositoryName(below.replace(/^\//, "").replace(/\.git$/, ""));
}

/** A conversation of git upload-pack with a client. */
interface Talk {
  readonly protocol: string | undefined;
  /** Rejects if the client may not have one of these objects. */
  readonly allow: (wants: readonly string[]) => Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * Runs upload-pack with its input and output on `connection`, until it ends or the connection does. Returns the exit
 * code of git and what it said, and why the client got nothing if `allow` rejected.
 */
async function talkUploadPack(
  context: GitContext,
  gitDir: string,
  connection: Socket,
  { protocol, allow, signal }: Talk,
): Promise<{ exitCode: number; stderr: string; refusal: LockstepError | undefined }> {
  const client = { kind: "device", protocol } as const;
  const serve = { kind: "serve", service: "upload-pack", advertisement: false, dialogue: true, client } as const;
  const child = runCommand(context, gitDir, here(context, serve, gitDir), { signal });
  const over = finished(child);
  let refusal: LockstepError | undefined;
  // A client that ends in the middle ends the input, and then git ends. One that is gone aborts the signal.
  void passOn(connection, child.stdin, allow)
    .catch((error: unknown) => {
      if (error instanceof LockstepError) refusal = error;
    })
    .finally(() => child.stdin.end());
  await copy(child.stdout, connection).catch(() => {});
  const end = await over;
  if (refusal !== undefined && connection.writable) connection.write(linePacket(utf8(`ERR ${describe(refusal)}`)));
  connection.end();
  return { ...end, refusal };
}

/** Passes on what the client says. git is not told what it wants before `allow` has resolved. */
async function passOn(connection: Socket, git: Writable, allow: Talk["allow"]): Promise<void> {
  const reader = new WantReader();
  for await (const piece of connection.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    for (const { bytes, wants } of reader.push(piece)) {
      if (wants.length > 0) await allow(wants);
      if (!git.destroyed && !git.write(bytes)) await untilWritable(git);
    }
  }
}
