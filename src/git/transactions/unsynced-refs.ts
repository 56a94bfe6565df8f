// The refs of a replica that were written and are not synced yet. The log can write them again, so nobody waits for
// this sync (docs/decisions/0061-refs-are-synced-after-the-report.md).
import { crashPoint } from "../../crash-points.ts";
import type { RefName } from "../../domain.ts";
import { syncRefs } from "../../io/disk.ts";

/** See the head of this file. */
export class UnsyncedRefs {
  #names = new Set<RefName>();
  /** Ends with the last sync. Never rejects. */
  #last: Promise<unknown> = Promise.resolve();

  add(names: Iterable<RefName>): void {
    for (const name of names) this.#names.add(name);
  }

  /** Syncs the refs that were added before. After an error they are still unsynced. */
  async sync(gitDir: string): Promise<void> {
    // One after another: the names that a sync has taken are synced when it ends.
    const syncing = this.#last.then(() => this.#syncAll(gitDir));
    this.#last = syncing.catch(() => {});
    await syncing;
  }

  async #syncAll(gitDir: string): Promise<void> {
    const names = this.#names;
    if (names.size === 0) return;
    this.#names = new Set();
    try {
      await crashPoint("refs.syncing");
      await syncRefs(gitDir, names);
    } catch (error) {
      this.add(names);
      throw error;
    }
  }
}
