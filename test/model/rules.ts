// The rules of the protocol. Each can be taken away. Then the model finds a history that breaks an invariant. This list
// serves as the list of negative controls for every other checker of this project.

export interface Mutation {
  readonly name: string;
  /** The behaviour without the rule. */
  readonly description: string;
  /** Another rule that is taken away too, because it would hide the absence. */
  readonly also?: string;
}

/** The rules whose absence the model notices; model.test.ts shows how. */
export const MUTATIONS = [
  { name: "freshness", description: "A read is admitted without asking the database for the head." },
  { name: "next-query", description: "A read shares the query under way instead of the next one." },
  { name: "report-after-bump", description: "The pusher is told ok before the bump has answered." },
  {
    name: "row-asked",
    description: "A bump that failed, or that the fence refused, is reported as ng without asking the row.",
  },
  { name: "final-status", description: "A bump may land a write that is dropped already." },
  {
    name: "drop-makes-row",
    description: "A write that nobody staged is dropped without a row, so that its bump may still come and land it.",
  },
  {
    name: "stop-waits",
    description: "A stop of writes does not wait for the bumps under way that make their row.",
  },
  {
    name: "any-stop",
    description: "A bump that makes its row heeds only the stops that include staged writes.",
  },
  {
    name: "group-after-bump",
    description: "Pushes that were taken along are told ok before the statement that decides them has answered.",
  },
  {
    name: "all-or-none",
    description: "A statement that decides several writes lands those that can.",
  },
  {
    name: "alone-after-group",
    description: "If one of several pushes that are decided together cannot land, all of them are refused.",
  },
  {
    name: "group-told-by-rows",
    description: "Pushes that were dropped because of another one are told ok, since nothing was in their own way.",
  },
  {
    name: "last-of-group",
    description: "A disk that holds several writes which were decided together is taken for one at the first of them.",
  },
  { name: "old-values", description: "A bump does not compare old values with the fold." },
  { name: "seen-values", description: "A bump does not compare the aliases that lead to its refs with the fold." },
  {
    name: "conflicts-in-fold",
    description: "A bump does not look whether refs that its device does not know leave no room for a new ref.",
  },
  {
    name: "digest-is-sum",
    description: "A write brings the digest of the refs that its device knows instead of a difference.",
  },
  {
    name: "next-version-only",
    description: "A write that landed over versions which its device does not have is committed to the disk at once.",
  },
  {
    name: "reported-when-here",
    description: "A write that landed over versions which its device does not have is reported before it has them.",
  },
  {
    name: "landed-objects-kept",
    description: "Objects of a landed write are pruned before its refs are on the disk.",
  },
  { name: "plan-under-mutex", description: "A catch-up applies the plan made before it had the replica's mutex." },
  { name: "version-after-refs", description: "The bump records the writer's version, and reads trust that record." },
  {
    name: "start-over",
    description: "A catch-up goes on with what it read of the log although the replica's version has changed since.",
  },
  { name: "exact-ids", description: "A catch-up copies the refs of a peer instead of applying those of the log." },
  { name: "scratch", description: "A session writes the refs of the live replica instead of a scratch repository." },
  {
    name: "old-process-gone",
    description: "A device is taken over while git children of the old process may still write.",
  },
  { name: "sweep", description: "Lock files that a dead process left stay where they are." },
  {
    name: "touched-refs",
    description: "A catch-up leaves out refs that ended where they began, on a disk where a crash cut a write short.",
    also: "torn-notes",
  },
  { name: "objects-before-refs", description: "Refs are applied before their objects have arrived." },
  {
    name: "copies-before-bump",
    description: "With min_copies 2 a write lands before a second device has its objects.",
  },
  {
    name: "copies-pinned",
    description: "Objects that a peer keeps for an undecided write are not pinned against pruning.",
  },
  {
    name: "ahead-version",
    description: "A disk that holds a version beyond the head is taken for one that is current.",
    also: "asked-after-applied",
  },
  { name: "digest-before-read", description: "A read compares version numbers only, not the digest of the head." },
  {
    name: "asked-after-applied",
    description: "A read is admitted by a version that came to be applied after the head was asked for.",
  },
  {
    name: "recorded-if-known",
    description: "A device records a version that the log does not hold with the digest of its refs.",
  },
  {
    name: "digest-in-catch-up",
    description: "A catch-up does not ask whether the log holds the replica's own version with its digest.",
  },
  {
    name: "digest-in-recovery",
    description: "A recovery folds although the log holds the noted version with another digest.",
  },
  {
    name: "doubt-keeps-version",
    description: "A replica in doubt forgets which version it held, so it cannot tell that it is ahead.",
  },
  {
    name: "torn-notes",
    description: "The note beside a replica is believed after a crash although refs were being written.",
  },
  { name: "ahead-stops-writes", description: "Writes go on although a device is known to be ahead of the database." },
  { name: "gap-means-fold", description: "A catch-up over a trimmed log applies the entries that are left." },
  { name: "lost-refs-kept", description: "A demoted device follows without saving what its refs held." },
  {
    name: "demoted-with-log",
    description: "Whether a device is demoted is asked at its start only, not with each reading of the log.",
  },
  {
    name: "head-as-shown",
    description: "A demote goes through although the head has moved since the operator was shown it.",
  },
  { name: "deletes-first", description: "A deletion and a creation below it go into one transaction." },
  {
    name: "absent-deletes",
    description: "A catch-up deletes refs that the disk does not have, since a crash cut the one before it short.",
    also: "torn-notes",
  },
  { name: "turn-refuses-others", description: "Writes of others are staged and land while a session has the turn." },
  { name: "session-lease", description: "A session whose lease has run out may still land." },
  { name: "dropped-refs-kept", description: "What the caller of a dropped session wrote is thrown away." },
  {
    name: "write-stop-refuses-staged",
    description: "A stop of writes returns when no write is staged, without refusing those being staged meanwhile.",
  },
] as const satisfies readonly Mutation[];

/** The rules whose absence alone breaks nothing, because other rules also protect. */
export const DEPTH = [
  {
    name: "base-in-log",
    description: "A bump does not ask whether the log has the base of the write with its digest.",
  },
  {
    name: "digest-at-stage",
    description: "A write is staged on a version of the log that has the base's number but not its digest.",
  },
  { name: "fence", description: "A bump with the fence of a replaced incarnation is not refused for that." },
] as const satisfies readonly Mutation[];

export type RuleName = (typeof MUTATIONS | typeof DEPTH)[number]["name"];

/** Returns the rules that are off when `name` is taken away. */
export function without(name: RuleName): ReadonlySet<RuleName> {
  const mutation: Mutation | undefined = MUTATIONS.find((each) => each.name === name);
  return new Set([name, ...(mutation?.also ? [mutation.also as RuleName] : [])]);
}
