// Decides what another device may fetch by its id, with all that it needs. It may fetch each object that a ref has, or
// had in the log. A device that was asked to keep a copy may fetch the objects of a write that is about to land. Nobody
// fetches objects of refused and given-up writes.
import { LockstepError } from "../../errors.ts";
import type { Database } from "../../store/database/database.ts";
import { unloggedIds } from "../../store/log/unlogged-ids.ts";
import type { FetchableIds } from "../device/context.ts";

/** A value of the log stays one for far longer: the log is kept for days. */
const REMEMBERED_MS = 60_000;
const REMEMBERED = 10_000;
/** The ids of a larger request are not remembered. */
const FEW = 100;

/** Checks what devices want. */
export class Fetchable implements FetchableIds {
  readonly #db: Database;
  /** When ids were found in the log, by repository and id (milliseconds of the monotonic clock). Oldest first. */
  readonly #logged = new Map<string, number>();
  /** How many requests for copies offer an id now, by repository, device and id. */
  readonly #offered = new Map<string, number>();

  constructor(db: Database) {
    this.#db = db;
  }

  /** Lets a device that is asked to copy these objects fetch them, until the result is disposed of. */
  offer(repositoryId: string, device: string, ids: readonly string[]): Disposable {
    const keys = ids.map((id) => `${repositoryId} ${device} ${id}`);
    for (const key of keys) this.#offered.set(key, (this.#offered.get(key) ?? 0) + 1);
    return {
      [Symbol.dispose]: () => {
        for (const key of keys) {
          const left = (this.#offered.get(key) ?? 1) - 1;
          if (left > 0) this.#offered.set(key, left);
          else this.#offered.delete(key);
        }
      },
    };
  }

  /** Returns whether the device is asked to copy each of these objects now. */
  isOffered(device: string, repositoryId: string, ids: readonly string[]): boolean {
    return ids.every((id) => this.#offered.has(`${repositoryId} ${device} ${id}`));
  }

  /** Notes ids that were read from the log, so that the database need not be asked when others want them next. */
  note(repositoryId: string, ids: readonly string[]): void {
    if (ids.length > FEW) return;
    const now = performance.now();
    for (const id of ids) {
      const key = `${repositoryId} ${id}`;
      this.#logged.delete(key);
      this.#logged.set(key, now);
    }
    for (const [key, at] of this.#logged) {
      if (this.#logged.size <= REMEMBERED && now - at < REMEMBERED_MS) break;
      this.#logged.delete(key);
    }
  }

  /** Throws PERMISSION_DENIED unless the device may fetch each of these objects by its id. */
  async check(device: string, repositoryId: string, wants: readonly string[]): Promise<void> {
    const since = performance.now() - REMEMBERED_MS;
    const open = wants.filter(
      (id) =>
        (this.#logged.get(`${repositoryId} ${id}`) ?? Number.NEGATIVE_INFINITY) < since &&
        !this.isOffered(device, repositoryId, [id]),
    );
    if (open.length === 0) return;
    const [denied] = await unloggedIds(this.#db, repositoryId, open);
    if (denied === undefined) return this.note(repositoryId, open);
    throw new LockstepError(
      "PERMISSION_DENIED",
      `No ref has the object ${denied}, nor had it in the log, so device ${device} may not fetch it by its id; fetch a ref.`,
      { details: { repository: repositoryId, object: denied } },
    );
  }
}
