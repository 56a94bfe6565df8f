// Starts git while the sidecar is asked, since both take about the same time. Until the sidecar agrees, git gets no
// input and its output is not passed on.
import type { GitChild } from "../smart-http/git-child.ts";
import type { Grant } from "./cache/grant.ts";

/** How to start the git of a request; see `EarlyStarts.git`. */
export interface EarlyStart {
  readonly start: () => Promise<GitChild>;
  readonly looksFirst: boolean;
  readonly place: () => string | undefined;
  readonly room: () => number;
}

/**
 * Beyond this many waiting requests, git is started only after the grant. So a slow sidecar does not cause a process
 * for each request.
 */
const LIMIT = 32;

/** Starts git early for the requests of a gate, and counts those that wait. */
export class EarlyStarts {
  #waiting = 0;

  /**
   * Returns the git that serves a request, started by `start`. `looksFirst`: git looks at refs before its first input,
   * so an early git may have seen refs from before the grant. `place`: returns which replica lies where git starts,
   * since the sidecar may move another repository's replica away before it grants. `room`: returns how many more gits
   * there may be. Throws the rejections of `granted` and `start`.
   */
  async git(granted: Promise<Grant>, { start, looksFirst, place, room }: EarlyStart): Promise<GitChild> {
    if (this.#waiting >= Math.min(LIMIT, room())) return await granted.then(start);
    const startedAt = performance.now();
    this.#waiting += 1;
    const early = startAt(place, start);
    try {
      const { unchangedMs } = await granted;
      const saw = !looksFirst || unchangedMs >= performance.now() - startedAt;
      const { git, at } = await early;
      // The sidecar may have fetched a replica that was missing at the start.
      if (git !== undefined && saw && !git.hasFailed() && at !== undefined && at === place()) return git;
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
  const at = place();
  return { at, git: await start().catch(() => undefined) };
}

async function discard(git: GitChild | undefined): Promise<void> {
  git?.stop();
  await git?.ended;
  git?.stdout.destroy();
}
