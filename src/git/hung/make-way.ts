// Stops the gits of the background for moments while somebody reads or pushes. A low priority is not enough: a program
// of the lowest priority on the other processor makes a push half as slow again (docs/decisions/0031-gc-makes-way.md).
//
// A pause begins when somebody comes, and ends a while after the last one came. It has a limit, and then those gits run
// for a while. So beside a stream of reads and pushes they still get a quarter of the time. If the sidecar is killed in
// a pause, the next one kills the stopped git with the other holders of the root's lock (root-lock.ts).
import type { ChildProcess } from "node:child_process";

/** The time that a push takes, roughly. */
const WAY_MS = 60;
const PAUSE_LIMIT_MS = 300;
const RUN_MS = 100;
const LOOK_MS = 10;

export class MakeWay {
  readonly #kill: (pid: number, signal: NodeJS.Signals) => void;
  readonly #gits = new Set<ChildProcess>();
  #stopped: ReadonlySet<ChildProcess> = new Set();
  /** When the pause began. undefined: there is none. Times are milliseconds of the monotonic clock. */
  #pausedAt: number | undefined;
  #wantedUntil = 0;
  #notBefore = 0;

  constructor(kill: (pid: number, signal: NodeJS.Signals) => void) {
    this.#kill = kill;
  }

  /** Takes on a git that has just started. It must hold no lock for which a read or a push may wait. */
  join(child: ChildProcess): void {
    this.#gits.add(child);
    child.once("exit", () => this.#gits.delete(child));
  }

  /** Returns true while a git is stopped, so that nobody takes it for one that hangs. */
  isStopped(child: ChildProcess): boolean {
    return this.#pausedAt !== undefined && this.#stopped.has(child);
  }

  /** Somebody has come who reads or pushes. Costs nothing while no git is in the background. */
  now(): void {
    if (this.#gits.size === 0) return;
    const now = performance.now();
    this.#wantedUntil = now + WAY_MS;
    if (this.#pausedAt !== undefined || now < this.#notBefore) return;
    this.#pausedAt = now;
    this.#stopped = new Set(this.#gits);
    this.#send("SIGSTOP");
    this.#look(now);
  }

  #look(pausedAt: number): void {
    setTimeout(() => {
      const now = performance.now();
      if (now < this.#wantedUntil && now - pausedAt < PAUSE_LIMIT_MS) return this.#look(pausedAt);
      this.#send("SIGCONT");
      this.#pausedAt = undefined;
      this.#notBefore = now + RUN_MS;
    }, LOOK_MS);
  }

  #send(signal: NodeJS.Signals): void {
    for (const child of this.#stopped) {
      // The id of a git that has ended may belong to another process.
      if (!this.#gits.has(child) || child.pid === undefined) continue;
      try {
        this.#kill(child.pid, signal);
      } catch {
        // The machine does not allow it.
      }
    }
  }
}
