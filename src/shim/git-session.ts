import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, realpathSync } from "node:fs";
import { constants } from "node:os";
import { isAbsolute, relative } from "node:path";
import { LockstepError } from "../errors.ts";
import { here } from "../git/command/build.ts";
import type { Command } from "../git/command/command.ts";
import { shLimiter } from "../git/command/serve.ts";
import { copy } from "../io/pump.ts";
import { Conversation } from "./conversation.ts";
import type { ShimSettings } from "./settings.ts";
import { connectToSidecar, hello, PUSH, READ } from "./sidecar.ts";

export type GitCommand = "upload-pack" | "receive-pack";

/** A client's request. The directory is any text of the client; it is only passed on. */
export interface GitRequest {
  readonly command: GitCommand;
  readonly directory: string;
}

/**
 * Asks the sidecar whether git may run, and with which repository. Then runs it with this process's standard input and
 * output. Returns the exit code of git, or the one with which the sidecar refused. Throws SIDECAR_UNAVAILABLE.
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
  const limits = {
    pushRefs: settings.pushRefs || undefined,
    ...(settings.pushObject && { pushObject: Number(settings.pushObject) }),
  };
  const client = { kind: "shell", variables: host.env, ...limits } as const;
  const memory = command === "receive-pack" ? Number(settings.pushMemory ?? 0) : 0;
  const programs = { path: host.env.PATH ?? "", home: host.env.HOME ?? "" };
  const serve = { kind: "serve", service: command, advertisement: false, client } as const;
  try {
    return await beGit(host, here(programs, serve, repository), memory > 0 ? shLimiter(memory) : []);
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
 * Runs git with this process's standard input, and passes on its output. If the client goes away, a broken pipe would
 * kill receive-pack, which would leave its quarantine and .keep. So its output is read to the end.
 */
async function beGit(host: NodeJS.Process, { args, env }: Command, limiter: readonly string[]): Promise<number> {
  const [program = "git", ...words] = [...limiter, "git", ...args];
  const child = spawn(program, words, { stdio: ["inherit", "pipe", "inherit"], env });
  const ended = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  await once(child, "spawn");
  // Otherwise a client would go on sending after git has ended.
  closeSync(0);
  host.stdout.on("error", () => {});
  await copy(child.stdout, host.stdout);
  const [code, signal] = await ended;
  return signal ? 128 + constants.signals[signal] : (code ?? 1);
}

/**
 * Returns `path` without symbolic links if it lies below the root, else undefined. Where no root is known, git checks
 * the path (safe.directory).
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
