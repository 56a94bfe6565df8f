// What a catch-up needs besides the changes of the log. It is read in the statement that reads those, which saves two
// round trips and their plans.
import type { RefValue } from "../../domain.ts";
import { intervalMs } from "../database/instant.ts";
import { SOURCES, type SourceDocument, type SourceRow, sourcesOf } from "../replica/source-rows.ts";
import { TIPS_OFFERED, tipsOf, unchangedTips } from "./unchanged-tips.ts";

/** What a catch-up needs besides the changes, as of the same moment. */
export interface BesideChanges {
  /** The replicas of the repository. */
  readonly sources: readonly SourceRow[];
  /** If the changes create refs: branch tips that have not changed (`readUnchangedTips`). */
  readonly tips: readonly RefValue[];
  /** For how long one catch-up may run. null: the default. */
  readonly updateLimitMs: number | null;
}

/** The value of `besideChanges`. */
export interface BesideDocument {
  readonly sources: SourceDocument | null;
  readonly tips: readonly string[] | null;
  readonly updateLimitMs: number | null;
}

/**
 * Returns SQL for the document of the repository `r` and the version $2. `creates`: SQL that is true if the changes
 * create refs.
 */
export function besideChanges(creates: string): string {
  return `json_build_object('sources', ${SOURCES},
    'tips', case when ${creates} then ${unchangedTips(String(TIPS_OFFERED))} end,
    'updateLimitMs', ${intervalMs("r.update_limit")})`;
}

/** Returns the contents of a document. */
export function besideOf({ sources, tips, updateLimitMs }: BesideDocument): BesideChanges {
  return { sources: sourcesOf(sources), tips: tipsOf(tips), updateLimitMs };
}
