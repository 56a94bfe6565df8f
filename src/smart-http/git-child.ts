// One `git upload-pack` or `git receive-pack`, from its start to its end.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { assertAlone } from "../git/borrowing/borrowing.ts";
import { here } from "../git/command/build.ts";
import type { Command, Programs } from "../git/command/command.ts";
import type { Serve } from "../git/command/operations.ts";
import { hungGit, watchGit } from "../git/hung/hung.ts";
import { WAITS } from "../waits.ts";
import { Refusal } from "./refusal.ts";
import type { GitRequest } from "./route.ts";

const WORDS_LIMIT = 4_000;

/** The git to start for a request. */
export interface GitRequested {
  /** The PATH and HOME of this process. */
  readonly programs: Programs;
  readonly asked: Pick<GitRequest, "service" | "advertisement">;
  readonly client: Serve["client"];
  /** Path of the repository: absolute, without symbolic links. */
  readonly path: string;
  /** A program with its first arguments that becomes git. Default: none. */
  readonly limiter?: readonly string[];
}

/** Either an exit code or a signal. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A running git that serves a request. */
export interface GitChild {
  readonly stdin: ChildProcessWithoutNullStreams["stdin"];
  readonly stdout: ChildProcessWithoutNullStreams["stdout"];
  readonly stderr: ChildProcessWithoutNullStreams["stderr"];
  /** The last text that git wrote to standard error. */
  readonly words: string;
  readonly ended: Promise<Ending>;
  /** Returns true when git has ended with a failure. */
  hasFailed(): boolean;
  /** Returns the error, GIT_HUNG, if git was ended because it showed no work. */
  hungError(): Error | undefined;
  /** Resolves when no process holds the pipes any more: neither git nor a program that a hook left behind. */
  readonly closed: Promise<void>;
  /** Ends git: by the end of its input where it may have a quarantine, else by a signal. Later output is dropped. */
  stop(): void;
  readonly stopped: boolean;
}

/** Thrown when the operating system refuses to start git. */
export class GitNotStarted extends Refusal {
  constructor(cause: unknown) {
    const headers = { "Retry-After": "1" };
    super(503, "git could not be started on this server; tell its operator.", { headers, cause });
  }
}

/** Starts git. Resolves once it runs; throws GitNotStarted, and REPLICA_BORROWS. */
export async function startGit({ programs, asked, client, path, limiter = [] }: GitRequested): Promise<GitChild> {
  const { service, advertisement } = asked;
  assertAlone(path);
  const child = await started(here(programs, { kind: "serve", service, advertisement, client }, path), limiter);
  watchGit(child, { command: service });
  const watch = hungGit(child);
  // git may have its answer before it has read everything. Its ending tells more than EPIPE.
  child.stdin.on("error", () => {});
  // Without a listener, Node drops the output of a process that has ended. The readers may come later.
  child.stdout.on("readable", () => {});
  let words = "";
  child.stderr.setEncoding("utf8").on("data", (said: string) => {
    words = (words + said).slice(-WORDS_LIMIT);
  });
  const ended = new Promise<Ending>((resolve) => {
    child.once("exit", (code, signal) => {
      // Output left in the pipe of a killed git is no answer. A process that git started may hold the pipe open.
      if (signal) child.stdout.destroy();
      resolve({ code, signal });
    });
    watch.onStuck(() => {
      child.stdout.destroy();
      resolve({ code: null, signal: "SIGKILL" });
    });
  });
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  const takesObjects = service === "receive-pack" && !advertisement;
  let stopped = false;
  const terminate = () => {
    child.kill("SIGTERM");
    child.stdout.destroy();
    const timer = setTimeout(() => child.kill("SIGKILL"), WAITS.gitKillMs);
    child.once("exit", () => clearTimeout(timer));
  };
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    get words() {
      return words + (watch.error()?.message ?? "");
    },
    ended,
    hungError: () => watch.error(),
    hasFailed: () => hasEnded() && child.exitCode !== 0,
    closed: new Promise((resolve) => child.once("close", () => resolve())),
    stop() {
      if (hasEnded() || stopped) return;
      stopped = true;
      // The signal goes first to upload-pack, since it would answer a request that is cut off. receive-pack would not:
      // its pack is incomplete (request-body.ts).
      if (!takesObjects) terminate();
      // Since 2.39 a git that a signal ends leaves its quarantine and its .keep behind. At the end of its input it
      // removes both, if its output is read.
      child.stdin.destroy();
      if (!takesObjects) return;
      const timer = setTimeout(terminate, WAITS.gitTermMs);
      child.once("exit", () => clearTimeout(timer));
    },
    get stopped() {
      return stopped;
    },
  };
}

async function started({ args, env }: Command, limiter: readonly string[]): Promise<ChildProcessWithoutNullStreams> {
  try {
    // spawn throws some errors, such as a lack of memory, and emits others.
    const [program = "git", ...words] = [...limiter, "git", ...args];
    const child = spawn(program, words, { cwd: "/", env });
    await once(child, "spawn");
    return child;
  } catch (cause) {
    throw new GitNotStarted(cause);
  }
}
