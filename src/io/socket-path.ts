// The place of a sidecar's unix sockets.
import { join } from "node:path";
import { LockstepError } from "../errors.ts";

/** The bytes that sun_path of a unix socket takes, without the NUL at its end. */
const PATH_LIMIT = 107;

/** Returns the path of a socket in --socket-dir. Throws USAGE when it is too long for a unix socket. */
export function socketPath(socketDir: string, file: "lockstep.sock" | "hook.sock" | "peer.sock"): string {
  const path = join(socketDir, file);
  if (Buffer.byteLength(path) <= PATH_LIMIT) return path;
  throw new LockstepError(
    "USAGE",
    `The path ${socketDir} is too long for a unix socket (${PATH_LIMIT} bytes with the file); choose a shorter --socket-dir.`,
  );
}
