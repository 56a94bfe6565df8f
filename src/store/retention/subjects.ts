// Everything that Lockstep keeps for a time, and for how long. docs/operations.md shows this table, and a test compares
// the two.
import { LockstepError } from "../../errors.ts";

/** For how long a subject is kept. */
export interface Keep {
  /** Only of the log: so many of the newest versions stay, whatever their age. */
  readonly versions?: bigint;
  readonly days: number;
}

interface Subject {
  /** Rows of the database, or files and refs of each device. */
  readonly where: "database" | "disk";
  readonly what: string;
  /** The end of the sentence "It is kept …", in which {keep} stands for the time. */
  readonly rule: string;
  /** As an operator writes it. undefined: it cannot be changed. */
  readonly keep?: string;
}

export const SUBJECTS = {
  log: {
    where: "database",
    what: "versions of the ref log",
    rule: "for {keep}, whichever is longer; the newest version and those of `thaw` stay",
    keep: "10000,90d",
  },
  writes: {
    where: "database",
    what: "outcomes of pushes and sessions, for GetWrite",
    rule: "for {keep}, and until their device knows the outcome",
    keep: "30d",
  },
  commands: { where: "database", what: "commands that have ended", rule: "for {keep}", keep: "30d" },
  syncs: {
    where: "database",
    what: "catch-ups",
    rule: "for {keep}, at most the newest hundred of each replica",
    keep: "90d",
  },
  pushes: { where: "database", what: "the push log", rule: "for {keep}", keep: "90d" },
  pulls: { where: "database", what: "the pull log", rule: "for {keep}", keep: "7d" },
  audit: { where: "database", what: "acts of operators", rule: "for {keep}", keep: "365d" },
  turns: {
    where: "database",
    what: "tickets for the turn to write",
    rule: "for 12 s after their last renewal",
  },
  former: {
    where: "database",
    what: "former names of renamed repositories",
    rule: "for a day, or until a new repository has the name",
  },
  dropped: {
    where: "disk",
    what: "changes of dropped sessions, below `refs/lockstep/dropped/`",
    rule: "for {keep}",
    keep: "90d",
  },
  lost: {
    where: "disk",
    what: "refs that were given up or changed by hand, below `refs/lockstep/lost/`",
    rule: "for {keep}",
    keep: "365d",
  },
  staged: {
    where: "disk",
    what: "objects of other devices' writes, below `refs/lockstep/staged/`",
    rule: "for an hour, or four times `--in-doubt-seconds` if that is longer",
  },
  misplaced: {
    where: "disk",
    what: "directories that lay at the place of a replica, in `.lockstep/misplaced/`",
    rule: "for {keep}, and while this device lacks a whole replica of that repository",
    keep: "365d",
  },
  damaged: {
    where: "disk",
    what: "damaged packs and objects, in `.lockstep/damaged/`",
    rule: "for {keep}, and while this device lacks a whole replica of that repository",
    keep: "90d",
  },
  foreign: {
    where: "disk",
    what: "files among refs that were no refs, in `.lockstep/foreign/`",
    rule: "for {keep}, and while this device lacks a whole replica of that repository",
    keep: "90d",
  },
  removed: {
    where: "disk",
    what: "copies that were given up, and those of removed repositories, in `.lockstep/removed/`",
    rule: "for the `--keep-days` of the command that gave them up (14 days by default)",
  },
} as const satisfies Record<string, Subject>;

export type SubjectName = keyof typeof SUBJECTS;

/** Each subject with its name. */
export const ALL_SUBJECTS: readonly (Subject & { readonly name: SubjectName })[] = (
  Object.keys(SUBJECTS) as SubjectName[]
).map((name) => ({ name, ...SUBJECTS[name] }));

const DAYS_LIMIT = 36_500;

/**
 * Reads a time as an operator writes it: `90d`, and for the log also `10000` (versions) or `10000,90d` (both; a version
 * stays while one of them keeps it). Throws INVALID_REQUEST.
 */
export function parseKeep(subject: string, text: string): Keep {
  const known = ALL_SUBJECTS.find(({ name }) => name === subject);
  if (known?.keep === undefined) {
    const names = ALL_SUBJECTS.flatMap(({ name, keep }) => (keep === undefined ? [] : name));
    throw new LockstepError("INVALID_REQUEST", `${JSON.stringify(subject)} is none of ${names.join(", ")}.`);
  }
  const [, versions, andDays, onlyDays] = /^(?:(\d{1,15})(?:,(\d{1,5})d)?|(\d{1,5})d)$/.exec(text) ?? [];
  const days = Number(andDays ?? onlyDays ?? 0);
  const given = (versions ?? onlyDays) !== undefined && days <= DAYS_LIMIT;
  if (subject === "log" && given && versions !== "0") return { versions: BigInt(versions ?? 1), days };
  if (subject !== "log" && given && versions === undefined && days > 0) return { days };
  const example = subject === "log" ? "10000,90d, or 10000 versions, or 90d" : "90d";
  throw new LockstepError(
    "INVALID_REQUEST",
    `A time to keep ${subject} is such as ${example}, not ${JSON.stringify(text.slice(0, 40))}.`,
  );
}

/** Returns a time in words. */
export function describeKeep({ versions, days }: Keep): string {
  const parts = [versions === undefined ? "" : `${versions} versions`, days === 0 ? "" : `${days} days`];
  return parts.filter(Boolean).join(" or ");
}

/** Returns the rule of a subject as the end of the sentence "It is kept …". `keep`: its default if absent. */
export function describeRule(name: SubjectName, keep?: string): string {
  const { rule, ...rest }: Subject = SUBJECTS[name];
  const text = keep ?? rest.keep;
  return text === undefined ? rule : rule.replace("{keep}", describeKeep(parseKeep(name, text)));
}
