// Where the repositories of a run are now: their present names, and the devices that hold them. An operator's call whose
// answer was lost may take effect later, so the database is asked again and again.
import { setTimeout as delay } from "node:timers/promises";
import { administer } from "../support/administer.ts";

const LOOK_MS = 500;

export interface Place {
  readonly id: string;
  /** Its present name. The history calls a repository by its first name (`firstNameOf`). */
  readonly name: string;
  /** The devices that shall hold it. */
  readonly holders: readonly string[];
}

/** Returns the name that a repository gets in its n-th renaming. Two repositories never get the same one. */
export function laterName(repository: string, index: number): string {
  return index === 0 ? repository : `${repository}-n${index}`;
}

/** Returns the first name of a repository that has this name. */
export function firstNameOf(name: string): string {
  return name.replace(/-n\d+$/, "");
}

export class Placed {
  readonly #url: () => string;
  #places: ReadonlyMap<string, Place> = new Map();
  /** The last act of each repository that moves directories, or needs them to stay where they are. */
  readonly #held = new Map<string, Promise<unknown>>();

  /** `url` returns the URL of the primary. */
  constructor(url: () => string) {
    this.#url = url;
  }

  get repositories(): string[] {
    return [...this.#places.keys()];
  }

  nameOf(repository: string): string {
    return this.#places.get(repository)?.name ?? repository;
  }

  /** Returns the devices that shall hold a repository; undefined if nobody knows. */
  holdersOf(repository: string): readonly string[] | undefined {
    return this.#places.get(repository)?.holders;
  }

  placeOf(repository: string): Place | undefined {
    return this.#places.get(repository);
  }

  async refresh(): Promise<void> {
    const places = await administer(this.#url(), async (db) => {
      const { rows } = await db.query<Place>(
        `select r.id, r.name, array(
             select d.name from lockstep.device d where d.removed_at is null
               and (r.placement is null or d.name = any(r.placement)) order by d.name) as holders
           from lockstep.repository r where r.removed_at is null order by r.name`,
      );
      return rows;
    });
    this.#places = new Map(places.map((place) => [firstNameOf(place.name), place]));
  }

  /** Asks the database until `signal` aborts. */
  async keepFresh(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // A database that is away now answers later.
      await this.refresh().catch(() => {});
      await delay(LOOK_MS, undefined, { signal }).catch(() => {});
    }
  }

  /** Runs acts on the directories of a repository one after another. */
  async hold<T>(repository: string, act: () => Promise<T>): Promise<T> {
    const done = (this.#held.get(repository) ?? Promise.resolve()).then(act);
    this.#held.set(
      repository,
      done.catch(() => {}),
    );
    return await done;
  }
}
