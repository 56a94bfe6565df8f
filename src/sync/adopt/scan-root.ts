// Finds bare repositories below the root that are no replicas of this device. Somebody moved them in, or the database
// has forgotten them: an operator restored an older backup of it. They are listed and never touched.
import { setTimeout as sleep } from "node:timers/promises";
import { isUuid } from "../../domain.ts";
import { settingsOwner } from "../../git/replica/repository.ts";
import { type BareDirectory, findRepositories } from "../../git/root/find-repositories.ts";
import { readReplicaRecord } from "../../git/root/root-record.ts";
import { exists } from "../../io/disk.ts";
import { type FoundDirectory, notReplicas, recordUnknown } from "../../store/adopt/unknown-directories.ts";
import { WAITS } from "../../waits.ts";
import type { SyncContext } from "../device/context.ts";
import { tellFailure } from "../lease/tell-outage.ts";
import { assertRoot } from "../place/assert-root.ts";
import { undoUnfinished } from "./undo-unfinished.ts";

/** How many directories are compared with the database in one statement. */
const PAGE = 500;
/** A scan may take a hundredth of the time, so a root with many directories is scanned rarely. */
const PAUSE_FACTOR = 100;
const PAUSE_LIMIT_MS = 60 * 60 * 1000;

/** Scans at start and from time to time, until the context's signal aborts. */
export async function keepScanning(context: SyncContext): Promise<void> {
  const { signal } = context;
  const scan = new RootScan(context);
  while (!signal.aborted) {
    const startedAt = performance.now();
    try {
      await scan.run();
    } catch (error) {
      if (!signal.aborted) tellFailure(context, error, "could not look for directories that are no replicas");
    }
    const pause = Math.min(PAUSE_LIMIT_MS, Math.max(WAITS.scanMs, (performance.now() - startedAt) * PAUSE_FACTOR));
    await sleep(pause * (0.8 + 0.4 * Math.random()), undefined, { signal }).catch(() => {});
  }
}

/** Scans the whole root once. Throws DATABASE_UNAVAILABLE, ROOT_GONE. */
export async function scanRoot(context: SyncContext): Promise<void> {
  await new RootScan(context).run();
}

/** A scan. After an error it goes on where it was. */
class RootScan {
  readonly #context: SyncContext;
  /** The path of the last directory that is on record. */
  #after = "";

  constructor(context: SyncContext) {
    this.#context = context;
  }

  /** Scans the rest of the root. */
  async run(): Promise<void> {
    const { root, signal } = this.#context;
    await assertRoot(this.#context);
    let page: BareDirectory[] = [];
    for await (const found of findRepositories(root)) {
      signal.throwIfAborted();
      if (Buffer.compare(Buffer.from(found.path), Buffer.from(this.#after)) <= 0) continue;
      page.push(found);
      if (page.length < PAGE) continue;
      await this.#record(page, found.path);
      page = [];
    }
    await this.#record(page, undefined);
  }

  async #record(page: readonly BareDirectory[], last: string | undefined): Promise<void> {
    const { db, me } = this.#context;
    const found: FoundDirectory[] = [];
    for (const { path, repository } of await this.#strange(await this.#strange(page))) {
      await undoUnfinished(this.#context, path, repository);
      const owner = await settingsOwner(path);
      const note = await readReplicaRecord(path);
      const repositoryId = owner !== undefined && isUuid(owner) ? owner : null;
      const version = note !== undefined && note.repositoryId === repositoryId ? note.version : null;
      found.push({ path, repository, repositoryId, version });
    }
    // If the root is not there, nothing is known of any directory.
    await assertRoot(this.#context);
    await recordUnknown(db, me, { after: this.#after, last }, found);
    this.#after = last ?? "";
  }

  /**
   * Returns those directories of the page that are no replicas. The replica of a repository that is removed leaves its
   * place before the database forgets that it was there. One that is restored takes its place again after the database
   * knows. So a directory is no replica if this says so twice.
   */
  async #strange(page: readonly BareDirectory[]): Promise<BareDirectory[]> {
    const { db, me } = this.#context;
    const names = page.map(({ repository }) => repository);
    const places = names.length === 0 ? new Map() : await notReplicas(db, me.device, names);
    const strange: BareDirectory[] = [];
    for (const each of page) {
      const place = places.get(each.repository);
      if (place === undefined || !(await exists(each.path))) continue;
      const owner = await settingsOwner(each.path);
      if (owner === undefined || owner !== place.repositoryId) strange.push(each);
    }
    return strange;
  }
}
