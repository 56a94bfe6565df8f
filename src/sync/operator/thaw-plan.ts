// The plan of a thaw, for both ways to thaw.
import type { Version } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import type { CommitList } from "../../git/objects/commits.ts";
import type { LogEntry } from "../../store/log/list-log.ts";
import type { ThawRequest } from "../../store/operator/thaw.ts";

/** The changes that a thaw would make. */
export interface ThawPlan extends Pick<ThawRequest, "head" | "headDigest" | "version" | "digest" | "updates"> {
  /** The device whose refs stay, and the version of its replica. null: no version is noted there. */
  readonly keeper: { readonly device: string; readonly version: Version | null };
  /** Versions of the log that no device will hold any more, newest first. */
  readonly givenUp: readonly LogEntry[];
  /** lost: commits that refs reach now and will not reach then. gained: the other way round. */
  readonly lost: CommitList;
  readonly gained: CommitList;
}

/** How many commits and log entries of each kind an operator is shown. */
export const COMMITS_LISTED = 100;

/** Returns the highest of some versions, or 0 for none. */
export function highest(versions: readonly Version[]): Version {
  return versions.reduce((best, version) => (version > best ? version : best), 0n);
}

/** Makes the error THAW_REFUSED. */
export function thawRefusedError(message: string, repository?: string): LockstepError {
  return new LockstepError("THAW_REFUSED", message, { details: repository === undefined ? {} : { repository } });
}
