import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, realpathSync } from "node:fs";
import { constants } from "node:os";
import { isAbsolute, relative } from "node:path";
import { LockstepError } from "../errors.ts";
import { copy } from "../io/pump.ts";
import { Conversation } from "./conversation.ts";
import { gitEnvironment } from "./git-environment.ts";
import type { ShimSettings } from "./settings.ts";
import { connectToSidecar, hello, PUSH, READ } from "./sidecar.ts";

export type GitCommand = "upload-pack" | "receive-pack";

/** What a client asks for. The directory is whatever he wrote: it is passed on, and nothing else. */
export interface GitRequest {
  readonly command: GitCommand;
  readonly directory: string;
}

/**
 * Asks the sidecar whether, and with which repository, git may run, and runs it with this process's standard input and
 * output. Returns the exit code of git, or the one that the sidecar refused with. Throws SIDECAR_UNAVAILABLE.
 */
export async function runGit(
  host: NodeJS.Process,
  settings: ShimSettings,
  { command, directory }: GitRequest,
): Promise<number> {
  const purpose = command === "upload-pack" ? READ : PUSH;
  const socket = await connectToSidecar(host, settings, purpose);
  const conversation = new Conversation(socket, host, { isHook: false });
  conversation.send("H", hello(command, directory, host.env));
  const ending = await conversation.ending;
  socket.destroy();
  if (ending !== null && ending.code !== 0) return ending.code;
  if (!ending?.path)
    throw new LockstepError(
      "SIDECAR_UNAVAILABLE",
      `the sidecar ended the connection without an answer, ${purpose.refused}; ${purpose.again}.`,
    );
  const repository = belowRoot(ending.path, settings.root);
  if (repository === undefined)
    throw new LockstepError(
      "SIDECAR_UNAVAILABLE",
      `the sidecar named a repository that is not below its root, ${purpose.refused}; tell the operator of this server.`,
    );
  const env = gitEnvironment(host.env);
  try {
    return await beGit(host, [command, repository], env);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new LockstepError(
      "PREREQUISITE_MISSING",
      `git cannot be started (${code}), ${purpose.refused}; install git on this server.`,
      { cause: error },
    );
  }
}

/**
 * Runs git with this process's standard input and passes on what it says. receive-pack would die of a broken pipe when its client is
 * gone, and leave its quarantine and its .keep: so its output is read on when nobody wants it any more.
 */
async function beGit(host: NodeJS.Process, args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const child = spawn("git", args, { stdio: ["inherit", "pipe", "inherit"], env });
  const ended = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  await once(child, "spawn");
  // Or a client would go on sending to nobody when git has ended.
  closeSync(0);
  host.stdout.on("error", () => {});
  await copy(child.stdout, host.stdout);
  const [code, signal] = await ended;
  return signal ? 128 + constants.signals[signal] : (code ?? 1);
}

/**
 * `path` without symbolic links if it lies below the root, else undefined. Where no root is known, that is for git to judge
 * (safe.directory).
 */
function belowRoot(path: string, root: string | undefined): string | undefined {
  if (!isAbsolute(path)) return undefined;
  try {
    const resolved = realpathSync(path);
    if (root === undefined) return resolved;
    const below = relative(realpathSync(root), resolved);
    return below === "" || below === ".." || below.startsWith("../") ? undefined : resolved;
  } catch {
    return undefined;
  }
}
