// Checks what watchers and webhooks were told.
import { type History, recordsOf, type Watched } from "../history.ts";
import type { Verdict, Violation } from "./verdict.ts";

/**
 * Checks that each listener was told all versions of each repository, in their order, and nothing else. A watcher is
 * told each version once. A webhook may be told again what it was told before.
 */
export function watching(history: History): Verdict {
  const told = recordsOf(history, "watched");
  const log = recordsOf(history, "log");
  const repositories = [...new Set(log.map(({ repository }) => repository))];
  const violations = told.flatMap((each) =>
    repositories.flatMap((repository): Violation[] => {
      const mine = log.filter((entry) => entry.repository === repository).map(({ version }) => version);
      const wanted = mine.toSorted((one, other) => one - other).join(" ");
      const found = versionsOf(each, repository).join(" ");
      if (found === wanted) return [];
      return [{ what: `${each.by} was told of ${repository}: ${found}; the log has ${wanted}.`, operations: [] }];
    }),
  );
  return { check: "watchers are told everything in order", looked: told.length, violations };
}

function versionsOf({ versions, mayRepeat }: Watched, repository: string): number[] {
  const found = versions.filter((each) => each.repository === repository).map(({ version }) => version);
  return mayRepeat ? [...new Set(found)] : found;
}
