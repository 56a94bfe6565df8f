import { spawnSync } from "node:child_process";
import { constants } from "node:os";
import { LockstepError } from "../errors.ts";
import { Conversation } from "./conversation.ts";
import { connectToSidecar, hello, PUSH, READ } from "./sidecar.ts";

export type GitCommand = "upload-pack" | "receive-pack";

/**
 * Asks the sidecar whether, and with which repository, git may run, and runs it with this process's standard input and
 * output. Returns the exit code of git, or the one that the sidecar refused with. Throws SIDECAR_UNAVAILABLE.
 */
export async function runGit(host: NodeJS.Process, command: GitCommand, directory: string): Promise<number> {
  const purpose = command === "upload-pack" ? READ : PUSH;
  const socket = await connectToSidecar(host, directory, purpose);
  const conversation = new Conversation(socket, host);
  conversation.send("H", hello(command, directory, host.env));
  const ending = await conversation.ending;
  socket.destroy();
  if (ending !== null && ending.code !== 0) return ending.code;
  if (!ending?.path)
    throw new LockstepError(
      "SIDECAR_UNAVAILABLE",
      `the sidecar ended the connection without an answer, ${purpose.refused}; ${purpose.again}.`,
    );
  const { status, signal, error } = spawnSync("git", [command, ending.path], { stdio: "inherit" });
  if (error)
    throw new LockstepError(
      "PREREQUISITE_MISSING",
      `git cannot be started (${error.message}), ${purpose.refused}; install git on this server.`,
      { cause: error },
    );
  return signal ? 128 + constants.signals[signal] : (status ?? 1);
}
