// The directory of lockstep.sock and hook.sock. A user who may write there may replace them by other sockets.
import { mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { Logger } from "pino";
import { LockstepError } from "../errors.ts";
import { socketPath } from "../io/socket-path.ts";

const EVERYBODY_WRITES = 0o002;

/**
 * Makes the directory for the sockets and returns its full path. Throws USAGE if that fails, the path is too long, or
 * everybody may write there. A mount is only warned of: an emptyDir of Kubernetes has that mode, and only the
 * containers of its pod see it.
 */
export async function prepareSocketDir(socketDir: string, log: Pick<Logger, "warn">): Promise<string> {
  socketPath(socketDir, "lockstep.sock");
  const path = resolve(socketDir);
  await mkdir(path, { recursive: true, mode: 0o700 }).catch((cause: Error) => {
    throw new LockstepError(
      "USAGE",
      `The directory for the sockets cannot be made: ${cause.message}; choose another --socket-dir.`,
      { cause },
    );
  });
  const [{ mode, dev }, parent] = await Promise.all([stat(path), stat(dirname(path))]);
  if ((mode & EVERYBODY_WRITES) === 0) return path;
  const sentence = `Every user may put another socket into ${path}; take the right away with \`chmod o-w ${path}\`, or name a new directory below it.`;
  if (dev === parent.dev) throw new LockstepError("USAGE", sentence);
  log.warn({ err: sentence }, "the directory of the sockets is open to everybody");
  return path;
}
