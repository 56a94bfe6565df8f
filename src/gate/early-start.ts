// git is started while the sidecar is asked: the one takes as long as the other. It is given nothing, and nothing of what it says is
// passed on, unless the sidecar agrees.
import type { GitChild } from "../smart-http/git-child.ts";

/** What the sidecar grants: this device may serve the repository. */
export interface Grant {
  /** For how many milliseconds, up to this answer, the refs here have been what they are. */
  readonly unchangedMs: number;
}

export interface EarlyStart {
  readonly start: () => Promise<GitChild>;
  readonly looksFirst: boolean;
  readonly place: () => Promise<string | undefined>;
}

/** Where the sidecar waits for something, requests wait without a process each. */
const LIMIT = 32;

export class EarlyStarts {
  #waiting = 0;

  /**
   * The git to serve a request with, started by `start`. `looksFirst`: it looks at refs before it has been given anything, so one
   * that was started too early may have seen refs from before the grant. `place`: which replica lies where git is started; before it
   * grants, the sidecar may move another repository's replica away from there. Throws what `granted` and `start` reject with.
   */
  async git(granted: Promise<Grant>, { start, looksFirst, place }: EarlyStart): Promise<GitChild> {
    if (this.#waiting >= LIMIT) return await granted.then(start);
    const startedAt = performance.now();
    this.#waiting += 1;
    const early = startAt(place, start);
    try {
      const { unchangedMs } = await granted;
      const saw = !looksFirst || unchangedMs >= performance.now() - startedAt;
      const { git, at } = await early;
      // What was not there yet, the sidecar may have fetched.
      if (git !== undefined && saw && !git.hasFailed() && at !== undefined && at === (await place())) return git;
      await discard(git);
    } catch (error) {
      await discard((await early).git);
      throw error;
    } finally {
      this.#waiting -= 1;
    }
    return await start();
  }
}

async function startAt(
  place: EarlyStart["place"],
  start: EarlyStart["start"],
): Promise<{ at: string | undefined; git: GitChild | undefined }> {
  const at = await place();
  return { at, git: await start().catch(() => undefined) };
}

async function discard(git: GitChild | undefined): Promise<void> {
  git?.stop();
  await git?.ended;
  git?.stdout.destroy();
}
