// The plan of an undo: the opposite of one version of the log.
import {
  displayRef,
  HEAD,
  type ObjectId,
  objectIds,
  type RefName,
  type RefUpdate,
  type RefValue,
  shortHash,
  toLatin1,
  type Version,
} from "../../domain.ts";
import type { LockstepError } from "../../errors.ts";
import { type CommitList, listCommits } from "../../git/objects/commits.ts";
import type { LogEntry } from "../../store/log/list-log.ts";
import { type LoggedVersion, type PastUpdate, readLoggedVersion } from "../../store/log/logged-version.ts";
import { repositoryNotFoundError } from "../../store/repository/former-names.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";
import { examine } from "../write/examine-refs.ts";
import { bringObjects, undoRefusedError } from "./bring-objects.ts";

/** The changes that an undo would make. */
export interface UndoPlan {
  readonly head: Version;
  /** The version that it undoes. */
  readonly entry: Omit<LogEntry, "updates" | "more">;
  /** From the values that the version set to those before it, in the order of names. */
  readonly updates: readonly RefUpdate[];
  /** Commits that the refs of the version reach now and will not reach then, and the other way round. */
  readonly lost: CommitList;
  readonly gained: CommitList;
}

/** How many commits of each kind an operator is shown. */
const COMMITS_LISTED = 100;
/** How many refs a refusal names. */
const REFS_LISTED = 10;

/**
 * Plans to undo a version on a replica that is at the head. Brings the objects that the old values need onto this
 * device. Throws UNDO_REFUSED when the version cannot be undone, and what `bringObjects` throws.
 */
export async function planUndo(
  context: SyncContext,
  replica: Replica,
  version: Version,
  signal: AbortSignal,
): Promise<UndoPlan> {
  const { db, git } = context;
  const { id, name, gitDir } = replica;
  const logged = await readLoggedVersion(db, id, version);
  if (logged === undefined) throw repositoryNotFoundError(name);
  const { entry, head } = logged;
  if (entry === undefined) throw planRefusedError(name, version, whyNotInLog(logged, version));
  const undone = logged.updates.filter((update) => !gaveFirstHead(update));
  checkConflicts(name, version, undone);
  const updates = undone.map(opposite);
  await bringObjects(context, replica, { version, head, writer: entry.device, updates }, signal);
  const inTheWay = await examine(context, replica, updates, false);
  if (inTheWay.size > 0) {
    const sentences = [...inTheWay].map(([ref, why]) => `${displayRef(ref)}: ${why}`);
    throw planRefusedError(name, version, `some of its refs cannot be made again (${listed(sentences)})`, [
      ...inTheWay.keys(),
    ]);
  }
  const [now, then] = [
    objectIds(updates.map((each) => each.oldValue)),
    objectIds(updates.map((each) => each.newValue)),
  ];
  const walk = (tips: ObjectId[], without: ObjectId[]) =>
    listCommits(git, gitDir, { tips, without, limit: COMMITS_LISTED }, signal);
  return { head, entry, updates, lost: await walk(now, then), gained: await walk(then, now) };
}

/** Returns a short text that names this plan and no other. Versions that change other refs leave it as it is. */
export function confirmationOf({ entry, updates }: UndoPlan): string {
  const value = (each: RefValue | null) => each && toLatin1(each);
  const changes = updates.map(({ name, oldValue, newValue }) => [toLatin1(name), value(oldValue), value(newValue)]);
  return shortHash(JSON.stringify(["undo", entry.writeId, changes]));
}

function opposite({ name, oldValue, newValue }: PastUpdate): RefUpdate {
  return { name, oldValue: newValue, newValue: oldValue };
}

/** Returns true for the HEAD that an adoption found. It stays, since a repository without a HEAD is none. */
function gaveFirstHead({ name, oldValue }: PastUpdate): boolean {
  return name === HEAD && oldValue === null;
}

function whyNotInLog({ head, logBase }: LoggedVersion, version: Version): string {
  if (version > head) return `the repository is at version ${head}`;
  if (version <= logBase) return `the log begins after version ${logBase}, older versions have been removed from it`;
  return "the log has no such version: an operator's thaw left its number out";
}

/** Throws UNDO_REFUSED unless each ref still has the value that the version gave it. */
function checkConflicts(name: string, version: Version, updates: readonly PastUpdate[]): void {
  if (updates.length === 0) throw planRefusedError(name, version, "it changed no ref");
  const others = updates.filter(({ newValue, value }) => value !== newValue);
  if (others.length === 0) return;
  if (others.length === updates.length && updates.every(({ oldValue, value }) => value === oldValue))
    throw planRefusedError(name, version, "every ref that it changed has its earlier value again");
  const sentences = others.map(
    (each) => `${displayRef(each.name)} was set to ${shown(each.newValue)} and is now ${shown(each.value)}`,
  );
  const refs = others.map((each) => each.name);
  throw planRefusedError(name, version, `refs that it changed have changed again since (${listed(sentences)})`, refs);
}

function shown(value: RefValue | null): string {
  return value === null ? "absent" : displayRef(value);
}

function listed(sentences: readonly string[]): string {
  const more = sentences.length > REFS_LISTED ? `; and ${sentences.length - REFS_LISTED} more` : "";
  return sentences.slice(0, REFS_LISTED).join("; ") + more;
}

function planRefusedError(name: string, version: Version, why: string, refs: readonly RefName[] = []): LockstepError {
  const what = `${why}; nothing was changed, make the changes that you want with \`lockstep lock ${name}\``;
  return undoRefusedError(name, version, what, refs);
}
