// How every git command of the sidecar runs: as the builder made it (command/build.ts). Its exit code is data, and an
// abort signal kills it.

import type { ChildProcess, SpawnOptions } from "node:child_process";
import { setPriority } from "node:os";
import { text } from "node:stream/consumers";
import { startProcess } from "../io/processes/start-process.ts";
import { assertAlone } from "./borrowing/borrowing.ts";
import { here } from "./command/build.ts";
import type { Command } from "./command/command.ts";
import type { Local, LocalArguments } from "./command/operations.ts";
import { assertNotOfMachine, gitFailedError, notStartedError } from "./git-error.ts";
import { hungGit, watchGit } from "./hung/hung.ts";
import type { Patience } from "./hung/judge.ts";
import type { MakeWay } from "./hung/make-way.ts";

/** The settings that all git commands of one process share. */
export interface GitContext {
  readonly path: string;
  readonly home: string;
  /**
   * The open file that holds the operating-system lock of the root. Commands that write inherit it, so the lock lives
   * as long as any of them (root-lock.ts). null where nothing is written.
   */
  readonly lockFd: number | null;
  /** How long a git may show no work. Tests set it; by default it is that of hung.ts. */
  readonly patience?: Patience;
  /** Stops the gits of the background while somebody reads or pushes. */
  readonly makeWay?: MakeWay;
  /** True: the commands run in scratches, whose alternate is their replica. */
  readonly scratch?: boolean;
}

/** How a command runs. */
export interface RunGit {
  /** When it aborts, the command is killed. */
  readonly signal?: AbortSignal;
  /** Passes the root's lock on. Needed for every command that writes below the root. */
  readonly writes?: boolean;
  /** Leaves the processors and the disk to others: a low priority, and pauses (make-way.ts). */
  readonly background?: boolean;
}

/** A command on a directory of this machine, and how it runs. */
export type SpawnGit = RunGit & Omit<Local, "kind" | "args">;

/** A running git command with pipes for input, output and errors. */
export interface GitProcess extends ChildProcess {
  readonly stdin: NonNullable<ChildProcess["stdin"]>;
  readonly stdout: NonNullable<ChildProcess["stdout"]>;
  readonly stderr: NonNullable<ChildProcess["stderr"]>;
}

/** Starts a git command that streams or holds a dialogue. */
export function spawnGit(
  context: GitContext,
  gitDir: string,
  args: LocalArguments,
  { signal, writes, background, ...options }: SpawnGit = {},
): GitProcess {
  const command = here(context, { kind: "local", args, ...options }, gitDir);
  return runCommand(context, gitDir, command, { signal, writes, background });
}

/** A running git command with a pipe for its input, and files for the rest. */
export interface GitIntoFiles extends ChildProcess {
  readonly stdin: NonNullable<ChildProcess["stdin"]>;
}

/** Starts a git command whose output and errors go into open files. */
export function spawnGitInto(
  context: GitContext,
  gitDir: string,
  args: LocalArguments,
  { output, errors, signal }: { readonly output: number; readonly errors: number; readonly signal: AbortSignal },
): GitIntoFiles {
  assertAlone(gitDir, context);
  const { args: words, env } = here(context, { kind: "local", args }, gitDir);
  const spawnOptions: SpawnOptions = {
    cwd: gitDir,
    env,
    stdio: ["pipe", output, errors],
    killSignal: "SIGKILL",
    signal,
  };
  const child = startProcess("git", words, spawnOptions) as GitIntoFiles;
  watchGit(child, { command: commandOf(words), gitDir, patience: context.patience, makeWay: context.makeWay });
  child.stdin.on("error", () => {});
  return child;
}

/**
 * Starts a git command in the directory `gitDir`. The caller gives it its input. Throws REPLICA_BORROWS instead of
 * reading other directories.
 */
export function runCommand(context: GitContext, gitDir: string, { args, env }: Command, options: RunGit): GitProcess {
  assertAlone(gitDir, context);
  const inherited = options.writes && context.lockFd !== null ? [context.lockFd] : [];
  const spawnOptions: SpawnOptions = {
    cwd: gitDir,
    env,
    stdio: ["pipe", "pipe", "pipe", ...inherited],
    killSignal: "SIGKILL",
    ...(options.signal ? { signal: options.signal } : {}),
  };
  const child = startProcess("git", args, spawnOptions) as GitProcess;
  const { writes = false } = options;
  const { patience, makeWay } = context;
  watchGit(child, { command: commandOf(args), gitDir, writes, patience, makeWay });
  // A command that ends early closes its pipe; its exit code tells more than EPIPE.
  child.stdin.on("error", () => {});
  if (options.background && child.pid !== undefined) {
    lowerPriority(child.pid);
    makeWay?.join(child);
  }
  return child;
}

/** As of nice(1). With a lower priority, a git would stand still on a machine whose processors are all busy. */
const LOW_PRIORITY = 10;

/** Gives a process that has just started a low priority. Its threads and children inherit it. */
function lowerPriority(pid: number): void {
  try {
    setPriority(pid, LOW_PRIORITY);
  } catch {
    // It has ended, or the machine does not allow it.
  }
}

/** Returns the command in git's arguments, such as `fetch`, which may follow settings. */
function commandOf(args: readonly string[]): string {
  return args.find((each, index) => !each.startsWith("-") && args[index - 1] !== "-c") ?? "";
}

/**
 * Waits until the command ends. Returns its exit code (-1 when a signal ended it) and its standard error. Throws
 * GIT_HUNG when the command was ended because it showed no work (hung.ts).
 */
export async function finished(child: GitProcess): Promise<{ exitCode: number; stderr: string }> {
  const stderr = text(child.stderr).catch(() => "");
  const hung = hungGit(child);
  const exitCode = await new Promise<number>((resolve, reject) => {
    // Does not wait for the output of a killed command: a program that it started may hold the pipes open for ever.
    const letGo = () => {
      child.stdout.destroy();
      child.stderr.destroy();
    };
    child.once("error", (error) => {
      if (error.name !== "AbortError") return reject(notStartedError(error));
      letGo();
      resolve(-1);
    });
    child.once("exit", (_, signal) => signal !== null && letGo());
    child.once("close", (code) => resolve(code ?? -1));
    hung.onStuck(() => {
      letGo();
      resolve(-1);
    });
  });
  const error = hung.error();
  if (error) throw error;
  return { exitCode, stderr: await stderr };
}

/**
 * Runs a command over pipes: gives it `input` and returns its output as bytes. Throws GIT_FAILED for an exit code that
 * is not in `expected` (by default 0), and GIT_HUNG. `judges`: an expected code other than 0 says something about the
 * repository. So this throws if git lacked memory, processes or open files.
 */
export async function gitBytes(
  context: GitContext,
  gitDir: string,
  args: LocalArguments,
  options: SpawnGit & { input?: string | Buffer; expected?: number[]; judges?: boolean } = {},
): Promise<{ exitCode: number; stdout: Buffer }> {
  const child = spawnGit(context, gitDir, args, options);
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stdin.end(options.input ?? "");
  const { exitCode, stderr } = await finished(child);
  options.signal?.throwIfAborted();
  if (!(options.expected ?? [0]).includes(exitCode)) throw gitFailedError(args, exitCode, stderr);
  if (options.judges) assertNotOfMachine(args, exitCode, stderr);
  return { exitCode, stdout: Buffer.concat(chunks) };
}
