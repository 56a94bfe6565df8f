// Runs a command (or a shell) in a repository while its write session lives.
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, statSync } from "node:fs";
import { constants, userInfo } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "../../client/client.ts";
import { LockstepError } from "../../errors.ts";
import type { BeginWriteResponse__Output as Begun } from "../../generated/lockstep/v1/BeginWriteResponse.ts";
import { livePath } from "../../git/scratch/live-note.ts";
import { WAITS } from "../../waits.ts";
import type { Run } from "../terminal/command.ts";

/** After Ctrl-C the command has this time to end by itself. */
const GRACE_MS = 1_000;
/** The exit code of a shell for a command that Ctrl-C ended. */
const INTERRUPTED = 130;

/**
 * Runs the command in the repository of the session and renews the lease meanwhile. Returns the exit code as a shell
 * has it; after a stop signal it is never 0. If the lease is lost, ends the command and throws WRITE_DROPPED. Throws
 * USAGE if the command cannot start.
 */
export async function runLeased(
  { host, json }: Run,
  client: Client,
  { repository, token, path, writeId, live }: Begun & { repository: string; live: boolean },
  command: readonly string[],
): Promise<number> {
  refuseStranger(path);
  const [program = host.env.SHELL ?? "/bin/sh", ...args] = command;
  // The command and its children hold the note `lockstep.live` open. The sidecar sees when all of them have ended, even
  // if this process has died.
  const note = live ? openSync(livePath(path), "r") : undefined;
  const child = spawn(program, args, {
    cwd: path,
    env: { ...host.env, GIT_DIR: path, LOCKSTEP_WRITE_ID: writeId },
    // With --json, standard output carries our document, so the command writes to standard error.
    stdio: ["inherit", json ? 2 : "inherit", "inherit", ...(note === undefined ? [] : [note])],
  });
  if (note !== undefined) closeSync(note);
  const ended = new AbortController();
  // The terminal sends Ctrl-C to the command too. A signal to this process alone does not reach the command.
  const stop = () => setTimeout(() => void child.kill("SIGTERM"), GRACE_MS).unref();
  host.stop.addEventListener("abort", stop, { once: true });
  const lost = keepLease(client, { repository, token }, child, ended.signal);
  const exitCode = await exitCodeOf(child).finally(() => {
    ended.abort();
    host.stop.removeEventListener("abort", stop);
  });
  const error = await lost;
  if (error) throw error;
  return host.stop.aborted ? exitCode || INTERRUPTED : exitCode;
}

/**
 * Throws USAGE if `path` belongs to another user. The sidecar could not read or remove files that this user creates
 * there, and could not see this user's processes.
 */
function refuseStranger(path: string): void {
  if (statSync(path).uid === userInfo().uid) return;
  throw new LockstepError("USAGE", `${path} belongs to another user; run this as the user of the sidecar.`);
}

async function exitCodeOf(child: ChildProcess): Promise<number> {
  return await new Promise<number>((resolve, reject) => {
    child.once("error", (cause: Error) =>
      reject(new LockstepError("USAGE", `The command cannot be started: ${cause.message}; nothing was written.`)),
    );
    child.once("close", (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}

/** Renews the lease until the command has ended. If the lease is lost, ends the command and returns the error. */
async function keepLease(
  client: Client,
  session: { repository: string; token: string },
  child: ChildProcess,
  ended: AbortSignal,
): Promise<LockstepError | undefined> {
  for (;;) {
    await sleep(WAITS.sessionRenewalMs, undefined, { signal: ended }).catch(() => {});
    if (ended.aborted) return undefined;
    try {
      await client.call("RenewWrite", session, { timeoutMs: WAITS.sessionRenewalMs, signal: ended });
    } catch (error) {
      // Other errors pass, such as a sidecar that is away for a moment. The lease may still live.
      if (!(error instanceof LockstepError && error.code === "WRITE_DROPPED")) continue;
      child.kill("SIGTERM");
      return error;
    }
  }
}
