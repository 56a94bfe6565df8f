import type { NewIds } from "./patch-refs.ts";

/** The sidecar's grant: this device may serve the repository. */
export interface Grant {
  /** The refs here have not changed for this many milliseconds, up to this answer. */
  readonly unchangedMs: number;
  /** The version that is read, and whether it had to be fetched first. */
  readonly version?: string;
  readonly fetched?: boolean;
  /** What the sidecar calls the refs of that version. */
  readonly refsMark?: string;
  /** What has changed since the mark in the question. undefined: not known. */
  readonly changes?: NewIds | undefined;
}
