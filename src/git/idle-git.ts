// A git that has done its work and stays for a moment, because a start costs more than most work.
import { WAITS } from "../waits.ts";

/**
 * For how many idle times a git may stay in all. It has read the settings at its start. It holds open each pack that it
 * has read, and grows with each new object.
 */
const IDLE_TIMES = 10;

/** A git that works for one caller after another. */
export interface Reusable {
  /** When it was started (milliseconds of the monotonic clock). */
  readonly startedAt: number;
  /** Lets it end once it has done what it was asked for. */
  close(): void;
}

/** Keeps one git at most, until nobody has used it for a while. */
export class IdleGit<Git extends Reusable> {
  readonly #ownIdleMs: number | undefined;
  #git: Git | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** `idleMs`: for how long git stays after its work. Default: that of the table of waits. */
  constructor(idleMs?: number) {
    this.#ownIdleMs = idleMs;
  }

  get git(): Git | undefined {
    return this.#git;
  }

  get idleMs(): number {
    return this.#ownIdleMs ?? WAITS.keptGitMs;
  }

  /** Returns true if git has been there for long, so that a new one is due. */
  isOld({ startedAt }: Git): boolean {
    return performance.now() - startedAt > IDLE_TIMES * this.idleMs;
  }

  /** Keeps git, in place of another one. To be called whenever somebody uses it. */
  keep(git: Git): void {
    if (git !== this.#git) this.end();
    clearTimeout(this.#timer);
    this.#git = git;
    this.#timer = setTimeout(() => this.end(), this.idleMs).unref();
  }

  /** Keeps git no longer, and does not end it. */
  letGo(): void {
    clearTimeout(this.#timer);
    this.#git = undefined;
  }

  /** Ends git. */
  end(): void {
    this.#git?.close();
    this.letGo();
  }
}
