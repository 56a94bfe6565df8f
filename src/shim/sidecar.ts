import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { getSystemErrorMap } from "node:util";
import { LockstepError } from "../errors.ts";

/** What a person reads when the sidecar cannot be asked: what that means, and what to do once it can. */
export interface Purpose {
  readonly refused: string;
  readonly again: string;
}

export const PUSH: Purpose = { refused: "so this push was refused and nothing has changed", again: "push again" };
export const READ: Purpose = { refused: "so nothing was read", again: "try again" };

const ENVIRONMENT = [
  "REMOTE_USER",
  "REMOTE_ADDR",
  "SSH_CONNECTION",
  "USER",
  "LOGNAME",
  "GL_USER",
  "GL_ID",
  "GITEA_PUSHER_NAME",
  "LOCKSTEP_PUSHER",
  "LOCKSTEP_REQUEST_ID",
];

/** The payload of the hello frame. */
export function hello(operation: string, directory: string, env: NodeJS.ProcessEnv): Buffer {
  const variables = ENVIRONMENT.filter((name) => env[name] !== undefined).map((name) => `env.${name}=${env[name]}`);
  const lines = ["version=1", `op=${operation}`, `dir=${directory}`, ...variables];
  return Buffer.from(lines.map((line) => `${line}\0`).join(""));
}

function socketDirectory(env: NodeJS.ProcessEnv, repository: string): string {
  if (env.LOCKSTEP_SOCKET_DIR) return env.LOCKSTEP_SOCKET_DIR;
  const query = ["--git-dir", repository, "config", "--get", "lockstep.socketDir"];
  const { status, stdout } = spawnSync("git", query, { stdio: ["ignore", "pipe", "ignore"], encoding: "utf8" });
  return (status === 0 && stdout.split("\n")[0]) || "/run/lockstep";
}

/** A connection to the sidecar of `repository`. Throws SIDECAR_UNAVAILABLE. */
export async function connectToSidecar(
  host: NodeJS.Process,
  repository: string,
  { refused, again }: Purpose,
): Promise<Socket> {
  const path = `${socketDirectory(host.env, repository)}/hook.sock`;
  const length = Buffer.byteLength(path);
  const limit = host.platform === "linux" ? 107 : 103;
  if (length > limit)
    throw new LockstepError(
      "SIDECAR_UNAVAILABLE",
      `the socket path ${path} has ${length} bytes and a unix socket takes ${limit}, ${refused}; choose a shorter socket directory, for \`lockstep serve\` too.`,
    );
  const socket = createConnection({ path });
  try {
    await once(socket, "connect");
  } catch (error) {
    const why = getSystemErrorMap().get((error as { errno: number }).errno)?.[1] ?? String(error);
    throw new LockstepError(
      "SIDECAR_UNAVAILABLE",
      `the sidecar does not answer at ${path} (${why}), ${refused}; start \`lockstep serve\` on this server and ${again}.`,
      { cause: error },
    );
  }
  return socket;
}
