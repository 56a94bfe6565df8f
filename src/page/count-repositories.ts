// Goes through all repositories, a part at a time, and counts those that are not at rest.
import type { Database } from "../store/database/database.ts";
import { STATUS_PART } from "../store/operator/status.ts";
import { type RepositoryStatus, readStatusPart } from "../store/operator/status-parts.ts";

/** Repositories that are not at rest and are kept by name. More are only counted. */
export const KEPT = 5_000;

export const KINDS = ["stopped", "broken", "unsafe", "behind", "writing"] as const;
/** The ways in which a repository is not at rest. */
export type Kind = (typeof KINDS)[number];

/** A repository that is not at rest, and since when this process has seen it so. */
interface Unrest extends RepositoryStatus {
  readonly since: number;
}

/** What a look at all repositories found. */
export interface Counted {
  readonly countedAt: Date;
  /** False: the first look is not done yet. */
  readonly whole: boolean;
  readonly repositories: number;
  readonly atRest: number;
  readonly counts: Readonly<Record<Kind, number>>;
  /** How many replicas of a device are behind. */
  readonly behind: ReadonlyMap<string, number>;
  /** By name. At most KEPT. */
  readonly restless: readonly Unrest[];
}

/** Returns whether a repository is one of a kind. Writes are stopped, or all its use: both are "stopped". */
export function isOf(kind: Kind, row: RepositoryStatus): boolean {
  if (kind === "stopped") return row.stopped !== null || row.writesStopped;
  if (kind === "unsafe" || kind === "writing") return row[kind];
  return row[kind].length > 0;
}

/** Looks at all repositories. `before`: the last look. `show` gets what was counted so far. */
export async function countRepositories(
  db: Database,
  before: Counted | undefined,
  show: (unfinished: Counted) => void,
): Promise<Counted> {
  const known = new Map(before?.restless.map((row) => [row.repository, row]));
  const counts = { stopped: 0, broken: 0, unsafe: 0, behind: 0, writing: 0 };
  const behind = new Map<string, number>();
  const restless: Unrest[] = [];
  let repositories = 0;
  let moving = 0;
  const soFar = (whole: boolean): Counted => {
    const found = { counts: { ...counts }, behind: new Map(behind), restless: [...restless] };
    return { countedAt: new Date(), whole, repositories, atRest: repositories - moving, ...found };
  };
  let after: string | null = "";
  while (after !== null) {
    const part = await readStatusPart(db, { after, look: STATUS_PART, limit: STATUS_PART, restless: true });
    repositories += part.looked;
    moving += part.repositories.length;
    for (const row of part.repositories) {
      for (const kind of KINDS) if (isOf(kind, row)) counts[kind] += 1;
      for (const device of row.behind) behind.set(device, (behind.get(device) ?? 0) + 1);
      const then = known.get(row.repository);
      const since = then !== undefined && isSame(then, row) ? then.since : Date.now();
      if (restless.length < KEPT) restless.push({ ...row, since });
    }
    after = part.looked < STATUS_PART ? null : part.last;
    if (after !== null && before === undefined) show(soFar(false));
  }
  return soFar(true);
}

/** Returns true when nothing has moved: the repository lacks on the same devices what it lacked before. */
function isSame(then: RepositoryStatus, now: RepositoryStatus): boolean {
  return `${then.behind} ${then.broken} ${then.unsafe}` === `${now.behind} ${now.broken} ${now.unsafe}`;
}
