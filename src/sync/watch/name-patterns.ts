// Names and globs of repositories. In a glob, * stands for any characters, also for "/", and ? for one character.

import { LockstepError } from "../../errors.ts";
import { repositoryName } from "../../names.ts";

/** So many names and globs one watcher may give. */
const PATTERNS_LIMIT = 100;
const LENGTH_LIMIT = 200;
const GLOB = /^[A-Za-z0-9_.+/*?-]+$/;

/** Returns true if the text has * or ?, and so may match several names. */
export function isGlob(text: string): boolean {
  return /[*?]/.test(text);
}

/** Checks names and globs, and returns them. Throws INVALID_NAME, and INVALID_REQUEST if there are too many. */
export function checkPatterns(patterns: readonly string[]): readonly string[] {
  if (patterns.length > PATTERNS_LIMIT)
    throw new LockstepError(
      "INVALID_REQUEST",
      `At most ${PATTERNS_LIMIT} names and globs are allowed, not ${patterns.length}; use a glob for several names.`,
    );
  for (const pattern of patterns) {
    if (!isGlob(pattern)) repositoryName(pattern);
    else if (!GLOB.test(pattern) || pattern.length > LENGTH_LIMIT)
      throw new LockstepError(
        "INVALID_NAME",
        `The glob ${JSON.stringify(pattern.slice(0, 60))} can match no repository name; use names like team/app with * and ?.`,
      );
  }
  return patterns;
}

/** Returns the patterns of LIKE for names and globs. */
export function likePatterns(patterns: readonly string[]): string[] {
  return patterns.map((pattern) =>
    pattern
      .replace(/[\\%_]/g, "\\$&")
      .replaceAll("*", "%")
      .replaceAll("?", "_"),
  );
}
