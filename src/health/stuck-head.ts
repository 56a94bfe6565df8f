// Whether the devices that are up can serve the newest version of a repository.

/** A device records a version soon after it has landed. A younger head may be on a device that has not recorded it. */
const RECORDED_MS = 10_000;

/** A repository with its newest version, and the devices that have recorded that version. */
export interface Head {
  readonly head: bigint;
  readonly leaders: readonly string[];
  /** null: the log does not tell any more. */
  readonly landedAt: Date | null;
}

/** Returns true when no live device has the head, so reads and pushes wait. */
export function isStuck({ head, leaders, landedAt }: Head, live: ReadonlySet<string>): boolean {
  if (leaders.length > 0) return !leaders.some((leader) => live.has(leader));
  return head > 0n && (landedAt === null || Date.now() - landedAt.getTime() >= RECORDED_MS);
}

/** Says of a stuck repository where its head is. */
export function stuckHead({ head, leaders }: Omit<Head, "landedAt">): string {
  return `stuck: version ${head} is on ${leaders.length === 0 ? "no device" : `${leaders.join(", ")} only, which is down`}`;
}
