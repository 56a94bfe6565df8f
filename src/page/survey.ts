// What the database knows of the whole cluster, read once for all who look at the status page. Devices and the like are
// read every two seconds. A look at all repositories takes longer, and then rests for longer. So the page costs the
// database little, however many repositories and viewers there are.
import { isStuck } from "../health/stuck-head.ts";
import { listUnknown, type UnknownDirectory } from "../store/adopt/unknown-directories.ts";
import type { Database } from "../store/database/database.ts";
import { type Device, listDevices, readRemainder } from "../store/device/devices.ts";
import type { RepositoryStatus } from "../store/operator/status-parts.ts";
import { type Identities, listRefusedKeys } from "../store/registry/list-identities.ts";
import { listScrubs, type ScrubRow } from "../store/replica/scrubs.ts";
import { listWriteStops, type WriteStop } from "../store/write/write-stops.ts";
import { type Counted, countRepositories } from "./count-repositories.ts";
import { type Failure, Resting } from "./parts/resting.ts";

/** Directories and scrubs that are read. `lockstep status` reads as many. */
const LISTED = 1_000;
/** As in rpc/handlers/get-status.ts: a scrub may wait for its turn behind others. */
const OVERDUE = 1.5;

/** A repository that is not at rest, and since when this process has seen it so. */
export interface Restless extends RepositoryStatus {
  readonly since: number;
  /** No live device has its head. */
  readonly stuck: boolean;
}

/** All but the repositories. */
interface Surroundings {
  readonly at: Date;
  readonly devices: readonly Device[];
  /** Draining devices of which the others have everything. */
  readonly drained: ReadonlySet<string>;
  readonly stops: readonly WriteStop[];
  readonly unknown: readonly UnknownDirectory[];
  readonly scrubs: readonly ScrubRow[];
  readonly keys: Omit<Identities, "principals">;
}

/** The cluster at one moment; its repositories a little earlier. */
export interface Survey extends Surroundings, Omit<Counted, "restless"> {
  readonly restless: readonly Restless[];
}

/** Reads the survey when somebody asks for it, and shares it. */
export class Surveyor {
  readonly #surroundings: Resting<Surroundings>;
  readonly #counted: Resting<Counted>;
  #made: { readonly of: readonly [Surroundings, Counted]; readonly survey: Survey } | undefined;

  /** `scrubDays`: within how many days every replica is verified. */
  constructor(db: Database, scrubDays: () => number) {
    this.#surroundings = new Resting(() => readSurroundings(db, scrubDays()));
    this.#counted = new Resting((before, show) => countRepositories(db, before, show));
  }

  /** The last survey. undefined: there was none yet. */
  get latest(): Survey | undefined {
    const { latest: surroundings } = this.#surroundings;
    const { latest: counted } = this.#counted;
    if (surroundings === undefined || counted === undefined) return undefined;
    if (this.#made?.of[0] !== surroundings || this.#made.of[1] !== counted)
      this.#made = {
        of: [surroundings, counted],
        survey: { ...counted, ...surroundings, restless: stuck(surroundings, counted) },
      };
    return this.#made.survey;
  }

  /** Why the database could not be read, and since when. undefined: it could. */
  get failure(): Failure | undefined {
    return this.#surroundings.failure ?? this.#counted.failure;
  }

  /** Resolves when the survey is fresh, or could not be read. The first survey of a large cluster takes seconds. */
  async refresh(): Promise<void> {
    await Promise.all([this.#surroundings.refresh(), this.#counted.refresh()]);
  }
}

function stuck({ devices }: Surroundings, { restless }: Counted): Restless[] {
  const live = new Set(devices.filter((device) => device.live).map(({ name }) => name));
  return restless.map((row) => ({ ...row, stuck: isStuck(row, live) }));
}

/** Reads one statement after the other: pushes use the same connections. */
async function readSurroundings(db: Database, scrubDays: number): Promise<Surroundings> {
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
  return { at: new Date(), devices, drained, stops, unknown, scrubs, keys };
}
