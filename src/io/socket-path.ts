// Where the unix sockets of a sidecar lie.
import { join } from "node:path";
import { LockstepError } from "../errors.ts";

/** sun_path of a unix socket, with its end. */
const PATH_LIMIT = 107;

/** The path of a socket in --socket-dir. Throws USAGE when it is longer than a unix socket takes. */
export function socketPath(socketDir: string, file: "lockstep.sock" | "hook.sock"): string {
  const path = join(socketDir, file);
  if (Buffer.byteLength(path) <= PATH_LIMIT) return path;
  throw new LockstepError(
    "USAGE",
    `The path ${socketDir} is too long for a unix socket (${PATH_LIMIT} bytes with the file); choose a shorter --socket-dir.`,
  );
}
