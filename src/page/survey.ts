// What the database knows of the whole cluster, read once for all who look at the status page. Nobody looks: nothing is
// read. A look at all repositories goes through them a part at a time. Afterwards it rests for many times as long as it
// took. So the page costs the database little, however many repositories and viewers there are.
import { describe } from "../errors.ts";
import { listUnknown, type UnknownDirectory } from "../store/adopt/unknown-directories.ts";
import type { Database } from "../store/database/database.ts";
import { type Device, listDevices, readRemainder } from "../store/device/devices.ts";
import { STATUS_PART } from "../store/operator/status.ts";
import { type RepositoryStatus, readStatusPart } from "../store/operator/status-parts.ts";
import { type Identities, listRefusedKeys } from "../store/registry/list-identities.ts";
import { listScrubs, type ScrubRow } from "../store/replica/scrubs.ts";
import { listWriteStops, type WriteStop } from "../store/write/write-stops.ts";

/** Repositories that are not at rest and are kept by name. More are only counted. */
export const KEPT = 5_000;
/** Directories and scrubs that are read. `lockstep status` reads as many. */
const LISTED = 1_000;
/** Nobody is shown something older than this, unless reading takes long. */
const FRESH_MS = 2_000;
/** After a look at all repositories the next one waits for this many times as long as the look took. */
const REST = 10;
/** As in rpc/handlers/get-status.ts: a scrub may wait for its turn behind others. */
const OVERDUE = 1.5;

/** A repository that is not at rest, and since when this process has seen it so. */
export interface Restless extends RepositoryStatus {
  readonly since: number;
  /** No live device has its head. */
  readonly stuck: boolean;
}

export const KINDS = ["stopped", "broken", "unsafe", "behind", "writing"] as const;
/** The ways in which a repository is not at rest. */
export type Kind = (typeof KINDS)[number];

/** The cluster at one moment. */
export interface Survey {
  readonly at: Date;
  readonly devices: readonly Device[];
  /** Draining devices of which the others have everything. */
  readonly drained: ReadonlySet<string>;
  readonly repositories: number;
  readonly atRest: number;
  readonly counts: Readonly<Record<Kind | "stuck", number>>;
  /** How many replicas of a device are behind. */
  readonly behind: ReadonlyMap<string, number>;
  /** By name. At most KEPT. */
  readonly restless: readonly Restless[];
  readonly stops: readonly WriteStop[];
  readonly unknown: readonly UnknownDirectory[];
  readonly scrubs: readonly ScrubRow[];
  readonly keys: Omit<Identities, "principals">;
}

/** Returns whether a repository is one of a kind. Writes are stopped, or all its use: both are "stopped". */
export function isOf(kind: Kind, row: RepositoryStatus): boolean {
  if (kind === "stopped") return row.stopped !== null || row.writesStopped;
  if (kind === "unsafe" || kind === "writing") return row[kind];
  return row[kind].length > 0;
}

/** Reads the survey when somebody asks for it, and shares it. */
export class Surveyor {
  readonly #db: Database;
  readonly #scrubDays: () => number;
  #latest: Survey | undefined;
  #failure: { readonly said: string; readonly since: Date } | undefined;
  #reading: Promise<void> | undefined;
  #restUntil = 0;

  /** `scrubDays`: within how many days every replica is verified. */
  constructor(db: Database, scrubDays: () => number) {
    this.#db = db;
    this.#scrubDays = scrubDays;
  }

  /** The last survey. undefined: there was none yet. */
  get latest(): Survey | undefined {
    return this.#latest;
  }

  /** Why the database could not be read, and since when. undefined: it could. */
  get failure(): { readonly said: string; readonly since: Date } | undefined {
    return this.#failure;
  }

  /** Resolves when the survey is fresh, or could not be read. The first survey of a large cluster takes seconds. */
  async refresh(): Promise<void> {
    if (this.#reading === undefined && performance.now() >= this.#restUntil)
      this.#reading = this.#read().finally(() => {
        this.#reading = undefined;
      });
    await this.#reading;
  }

  async #read(): Promise<void> {
    const began = performance.now();
    try {
      this.#latest = await takeSurvey(this.#db, this.#latest, this.#scrubDays());
      this.#failure = undefined;
    } catch (error) {
      this.#failure = { said: describe(error), since: this.#failure?.since ?? new Date() };
    }
    const took = performance.now() - began;
    this.#restUntil = performance.now() + Math.max(FRESH_MS, this.#failure ? 0 : took * REST);
  }
}

/** Reads everything, one statement after the other: pushes use the same connections. */
async function takeSurvey(db: Database, before: Survey | undefined, scrubDays: number): Promise<Survey> {
  const devices = await listDevices(db);
  const drained = new Set<string>();
  for (const { name, drainingSince } of devices)
    if (drainingSince !== null) {
      const { onlyHere, writing } = await readRemainder(db, name, 1);
      if (onlyHere.length === 0 && writing === 0) drained.add(name);
    }
  const stops = await listWriteStops(db);
  const unknown = await listUnknown(db, LISTED);
  const scrubs = await listScrubs(db, scrubDays * OVERDUE, LISTED);
  const keys = await listRefusedKeys(db);
  const known = new Map(before?.restless.map((row) => [row.repository, row]));
  const live = new Set(devices.filter((device) => device.live).map(({ name }) => name));
  const counted = await countRepositories(db, live, known);
  return { at: new Date(), devices, drained, stops, unknown, scrubs, keys, ...counted };
}

async function countRepositories(db: Database, live: ReadonlySet<string>, known: ReadonlyMap<string, Restless>) {
  const counts = { stopped: 0, broken: 0, unsafe: 0, behind: 0, writing: 0, stuck: 0 };
  const behind = new Map<string, number>();
  const restless: Restless[] = [];
  let repositories = 0;
  let moving = 0;
  let after: string | null = "";
  while (after !== null) {
    const part = await readStatusPart(db, { after, look: STATUS_PART, limit: STATUS_PART, restless: true });
    repositories += part.looked;
    moving += part.repositories.length;
    for (const row of part.repositories) {
      const stuck = row.leaders.length > 0 && !row.leaders.some((leader) => live.has(leader));
      for (const kind of KINDS) if (isOf(kind, row)) counts[kind] += 1;
      if (stuck) counts.stuck += 1;
      for (const device of row.behind) behind.set(device, (behind.get(device) ?? 0) + 1);
      const then = known.get(row.repository);
      const since = then !== undefined && isSame(then, row) ? then.since : Date.now();
      if (restless.length < KEPT) restless.push({ ...row, stuck, since });
    }
    after = part.looked < STATUS_PART ? null : part.last;
  }
  return { counts, behind, restless, repositories, atRest: repositories - moving };
}

/** Returns true when nothing has moved: the repository lacks on the same devices what it lacked before. */
function isSame(then: RepositoryStatus, now: RepositoryStatus): boolean {
  return `${then.behind} ${then.broken} ${then.unsafe}` === `${now.behind} ${now.broken} ${now.unsafe}`;
}
