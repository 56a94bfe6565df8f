// What both ways to thaw share.
import type { RefUpdate, Version } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import type { CommitList } from "../../git/objects/commits.ts";
import type { LogEntry } from "../../store/list-log.ts";

/** What would be done. */
export interface ThawPlan {
  readonly head: Version;
  readonly headDigest: Buffer;
  /** The version to append. */
  readonly version: Version;
  readonly digest: Buffer;
  readonly updates: readonly RefUpdate[];
  /** Whose refs stay, and at which version they are; null: at none that is noted. */
  readonly keeper: { readonly device: string; readonly version: Version | null };
  /** Versions of the log that nobody will hold any more, newest first. */
  readonly givenUp: readonly LogEntry[];
  /** Commits that refs reach now and will not then; the other way round. */
  readonly lost: CommitList;
  readonly gained: CommitList;
}

/** Commits and log entries that an operator is shown of each kind. */
export const COMMITS_LISTED = 100;

/** The highest of some versions. */
export function highest(versions: readonly Version[]): Version {
  return versions.reduce((best, version) => (version > best ? version : best), 0n);
}

/** THAW_REFUSED with its sentence. */
export function thawRefusedError(message: string, repository: string): LockstepError {
  return new LockstepError("THAW_REFUSED", message, { details: { repository } });
}
