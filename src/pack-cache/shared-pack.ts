// One pack in a file, which is being made or has been made. Many clients read it.
import { open, rm } from "node:fs/promises";
import { type GitContext, spawnGitInto } from "../git/process.ts";
import { type LinkedSignal, linkSignals } from "../io/signals.ts";
import type { PackRequest } from "./pack-request.ts";

/** The command that makes a pack, and the place of the pack. */
export interface PackPlan {
  readonly git: GitContext;
  readonly gitDir: string;
  readonly request: PackRequest;
  /** The file with the pack. The file beside it, with `.words`, has the words of git. */
  readonly path: string;
  /** Returns the bytes that the pack may have. undefined: there is no room for it. */
  readonly findRoom: () => Promise<number | undefined>;
  /** When it aborts, the git that makes the pack is ended. */
  readonly signal: AbortSignal;
}

/** Makes a pack, and knows its readers. */
export class SharedPack {
  readonly path: string;
  /** The bytes that the pack may have; once it is made, those that it has. */
  bytes = 0;
  /** When the pack was made (milliseconds of the monotonic clock). undefined: git still makes it. */
  madeAt: number | undefined;
  /** True when git has ended, so that nobody can spare its work any more. */
  hasEnded = false;
  /** How many clients read it. */
  readers = 0;
  /** Resolves with true when git runs. False: it does not, because there is no room or no file. */
  readonly started: Promise<boolean>;
  /** Resolves with the exit code of git. -1: a signal ended it. */
  readonly ended: Promise<number>;
  readonly #running: LinkedSignal;

  constructor(plan: PackPlan) {
    this.path = plan.path;
    this.#running = linkSignals([plan.signal]);
    const ending = this.#make(plan);
    this.started = ending.then(
      (started) => started !== undefined,
      () => false,
    );
    this.ended = ending
      .then((started) => started?.ended ?? -1)
      .finally(() => {
        this.hasEnded = true;
        this.#running[Symbol.dispose]();
      });
    this.ended.catch(() => {});
  }

  /** Ends the git that makes the pack, and removes the files. Processes that have opened them read on. */
  async remove(): Promise<void> {
    this.#running.abort();
    await Promise.all([rm(this.path, { force: true }), rm(`${this.path}.words`, { force: true })]);
  }

  async #make({ git, gitDir, request, findRoom }: PackPlan): Promise<{ ended: Promise<number> } | undefined> {
    const bytes = await findRoom();
    const { signal } = this.#running;
    if (bytes === undefined || signal.aborted) return undefined;
    this.bytes = bytes;
    // git keeps the files open, so they are closed here.
    await using pack = await open(this.path, "wx", 0o600);
    await using words = await open(`${this.path}.words`, "wx", 0o600);
    const child = spawnGitInto(git, gitDir, request.args, { output: pack.fd, errors: words.fd, signal });
    const ended = new Promise<number>((resolve, reject) => {
      child.once("error", (error) => (error.name === "AbortError" ? resolve(-1) : reject(error)));
      child.once("exit", (code) => resolve(code ?? -1));
    });
    child.stdin.end(request.input);
    return { ended };
  }
}
