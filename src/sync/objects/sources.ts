// Chooses the devices that are asked for objects, and their order.
import { randomInt } from "node:crypto";
import { isServed } from "../../replica-states.ts";
import type { SourceRow } from "../../store/replica/source-rows.ts";
import type { SyncContext } from "../device/context.ts";
import type { SlowSources } from "../device/slow-sources.ts";
import type { FetchRequest } from "./fetch-from-source.ts";
import type { Source } from "./source-race.ts";

/** The order in which to ask. It changes with the answers. */
export class SourceQueue {
  readonly #all: readonly SourceRow[];
  #waiting: Source[];
  readonly #asked = new Set<string>();

  constructor(rows: readonly SourceRow[]) {
    this.#all = rows;
    this.#waiting = rows.map((row) => ({ ...row, visit: "first" }));
  }

  /** Returns the next source. `fresh`: only a source that has not been asked yet. */
  next(fresh: boolean): Source | undefined {
    const source = this.#waiting.find(({ device }) => !fresh || !this.#asked.has(device));
    if (source === undefined) return undefined;
    this.#waiting = this.#waiting.filter((each) => each !== source);
    this.#asked.add(source.device);
    return source;
  }

  putBack(source: Source): void {
    this.#waiting.push(source);
  }

  /** Handles the answer "busy". If `source` named `others`, those come next, each once, and then `source` again. */
  sentOn(source: Source, others: readonly string[]): void {
    if (others.length === 0 || source.visit === "last") return;
    const named = this.#all.filter(({ device }) => others.includes(device) && !this.#asked.has(device));
    const rest = this.#waiting.filter(({ device }) => !named.some((each) => each.device === device));
    const referred = named.map((row): Source => ({ ...row, visit: "referred" }));
    this.#waiting = [...referred, { ...source, visit: "last" }, ...rest];
  }
}

/**
 * Returns every other live device with a replica, in the order in which to ask. The result depends only on the
 * arguments, and on chance among equals.
 */
export function chooseSources<Row extends SourceRow>(
  context: Pick<SyncContext, "me" | "zone"> & { readonly slowSources?: SlowSources },
  rows: readonly Row[],
  request: Pick<FetchRequest, "version" | "writers" | "prefer">,
): Row[] {
  const rank = (row: SourceRow) =>
    (row.device === request.prefer ? 0 : 8) +
    (leads(row, request) ? 0 : 4) +
    (context.slowSources?.has(row.device) ? 2 : 0) +
    (row.zone === context.zone ? 0 : 1);
  return rows
    .filter((row) => row.live && isServed(row.state) && row.device !== context.me.device && canBeAsked(row))
    .map((row) => ({ row, rank: rank(row), chance: randomInt(1 << 30) }))
    .sort((a, b) => a.rank - b.rank || a.chance - b.chance)
    .map(({ row }) => row);
}

function canBeAsked({ gitAddress, sshAddress }: SourceRow): boolean {
  return gitAddress !== "" || sshAddress !== "";
}

/** Returns whether the replica holds all of the wanted version, as far as is known. */
export function leads(row: SourceRow, { version, writers }: Pick<FetchRequest, "version" | "writers">): boolean {
  return row.version >= version || writers.includes(row.device);
}
