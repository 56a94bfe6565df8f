import { once } from "node:events";
import { statSync } from "node:fs";
import { createConnection, type Socket } from "node:net";
import { isAbsolute } from "node:path";
import { getSystemErrorMap } from "node:util";
import { LockstepError } from "../errors.ts";
import { PUSHER_VARIABLES } from "../git/command/pusher-variables.ts";
import type { ShimSettings } from "./settings.ts";

/** The words for a person when the sidecar cannot be asked: the consequence, and the remedy. */
export interface Purpose {
  readonly refused: string;
  readonly again: string;
}

export const PUSH: Purpose = { refused: "so this push was refused and nothing has changed", again: "push again" };
export const READ: Purpose = { refused: "so nothing was read", again: "try again" };

/** Returns the payload of the hello frame. */
export function hello(
  operation: string,
  directory: string,
  env: NodeJS.ProcessEnv,
  more: {
    settings?: string | undefined;
    push?: string;
    device?: string;
    type?: string;
    key?: string;
    request?: string;
  } = {},
): Buffer {
  const variables = [...PUSHER_VARIABLES, "GIT_NAMESPACE", "GIT_PROTOCOL", "LOCKSTEP_PUSH_REFS", "LOCKSTEP_TRACEPARENT"]
    .filter((name) => env[name] !== undefined)
    .map((name) => `env.${name}=${env[name]}`);
  const lines = [
    "version=1",
    `op=${operation}`,
    `dir=${directory}`,
    ...Object.entries(more).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`])),
    ...variables,
  ];
  return Buffer.from(lines.map((line) => `${line}\0`).join(""));
}

/** Connects to the sidecar. Throws SIDECAR_UNAVAILABLE, with a sentence that names no path, since strangers read it. */
export async function connectToSidecar(
  host: NodeJS.Process,
  { socketDir = "/run/lockstep", root }: ShimSettings,
  { refused, again }: Purpose,
  socketName: "hook.sock" | "peer.sock" = "hook.sock",
): Promise<Socket> {
  const fail = (what: string, cause?: unknown) => new LockstepError("SIDECAR_UNAVAILABLE", what, { cause });
  if (!isAbsolute(socketDir))
    throw fail(`the socket directory of this server is no absolute path, ${refused}; tell its operator.`);
  const path = `${socketDir}/${socketName}`;
  const length = Buffer.byteLength(path);
  const limit = host.platform === "linux" ? 107 : 103;
  if (length > limit)
    throw fail(
      `the path of the socket has ${length} bytes and a unix socket takes ${limit}, ${refused}; choose a shorter socket directory, for \`lockstep serve\` too.`,
    );
  const socket = createConnection({ path });
  try {
    await once(socket, "connect");
  } catch (error) {
    const why = getSystemErrorMap().get((error as { errno: number }).errno)?.[1] ?? String(error);
    throw fail(
      `the sidecar of this server does not answer (${why}), ${refused}; start \`lockstep serve\` on this server and ${again}.`,
      error,
    );
  }
  if (isOurs(host, path, root)) return socket;
  socket.destroy();
  throw fail(
    `the socket of the sidecar belongs to another user than the repositories, ${refused}; run \`lockstep serve\` as the user of the git server.`,
  );
}

/**
 * Returns true when the socket belongs to root, this user or the owner of the repositories. Node cannot ask for the
 * process at the other end of a socket, as the native shim does. So the owner of the socket's file counts.
 */
function isOurs(host: NodeJS.Process, path: string, root: string | undefined): boolean {
  const owner = ownerOf(path);
  return owner !== undefined && [0, host.geteuid?.(), root === undefined ? undefined : ownerOf(root)].includes(owner);
}

function ownerOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.uid;
}
