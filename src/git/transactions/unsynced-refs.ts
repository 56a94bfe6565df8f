// The refs of a replica that were written and are not synced yet. The log can write them again, so nobody waits for
// this sync (docs/decisions/0061-refs-are-synced-after-the-report.md).
import { existsSync } from "node:fs";
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

  /**
   * Syncs the refs that were added before. After an error they are still unsynced. Returns false if the directory of
   * the replica was moved meanwhile or is gone: then they are still unsynced too.
   */
  async sync(replica: { readonly gitDir: string }): Promise<boolean> {
    // One after another: the names that a sync has taken are synced when it ends.
    const syncing = this.#last.then(() => this.#syncAll(replica));
    this.#last = syncing.catch(() => {});
    return await syncing;
  }

  async #syncAll(replica: { readonly gitDir: string }): Promise<boolean> {
    const names = this.#names;
    if (names.size === 0) return true;
    this.#names = new Set();
    const { gitDir } = replica;
    const isThere = () => replica.gitDir === gitDir && existsSync(gitDir);
    try {
      await crashPoint("refs.syncing");
      await syncRefs(gitDir, names);
      if (isThere()) return true;
    } catch (error) {
      if (isThere()) {
        this.add(names);
        throw error;
      }
    }
    this.add(names);
    return false;
  }
}
