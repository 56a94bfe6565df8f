// A command (or a shell) that runs in a repository for as long as its write session lives.
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, statSync } from "node:fs";
import { constants, userInfo } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "../../client/client.ts";
import { LockstepError } from "../../errors.ts";
import type { BeginWriteResponse__Output as Begun } from "../../generated/lockstep/v1/BeginWriteResponse.ts";
import { livePath } from "../../git/replica/live-note.ts";
import type { Run } from "../terminal/command.ts";

/** A third of the lease of a session. */
const RENEWAL_MS = 5_000;
/** After Ctrl-C a command may end by itself. */
const GRACE_MS = 1_000;
/** What a shell answers for a command that Ctrl-C ended. */
const INTERRUPTED = 130;

/**
 * Runs the command where the session may write, renewing its lease meanwhile; its exit code, as a shell has it, and never 0 when
 * this process was told to stop. Throws WRITE_DROPPED when the lease is lost, which ends the command; USAGE when it cannot start.
 */
export async function runLeased(
  { host, json }: Run,
  client: Client,
  { repository, token, path, writeId, live }: Begun & { repository: string; live: boolean },
  command: readonly string[],
): Promise<number> {
  refuseStranger(path);
  const [program = host.env.SHELL ?? "/bin/sh", ...args] = command;
  // What works on live files has the note open: the sidecar can tell by it when all of that has ended, though we die.
  const note = live ? openSync(livePath(path), "r") : undefined;
  const child = spawn(program, args, {
    cwd: path,
    env: { ...host.env, GIT_DIR: path, LOCKSTEP_WRITE_ID: writeId },
    // With --json standard output is ours.
    stdio: ["inherit", json ? 2 : "inherit", "inherit", ...(note === undefined ? [] : [note])],
  });
  if (note !== undefined) closeSync(note);
  const ended = new AbortController();
  // Ctrl-C at a terminal reaches the command by itself; a signal to this process alone does not.
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

/** What another user leaves there the sidecar can neither read nor remove, and it cannot see that user's processes. */
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

/** Renews until the command has ended; returns the error with which the lease was lost, if it was. */
async function keepLease(
  client: Client,
  session: { repository: string; token: string },
  child: ChildProcess,
  ended: AbortSignal,
): Promise<LockstepError | undefined> {
  for (;;) {
    await sleep(RENEWAL_MS, undefined, { signal: ended }).catch(() => {});
    if (ended.aborted) return undefined;
    try {
      await client.call("RenewWrite", session, { timeoutMs: RENEWAL_MS, signal: ended });
    } catch (error) {
      // A sidecar that is away for a moment costs nothing: what counts is whether the lease is lost in the end.
      if (!(error instanceof LockstepError && error.code === "WRITE_DROPPED")) continue;
      child.kill("SIGTERM");
      return error;
    }
  }
}
