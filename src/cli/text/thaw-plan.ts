// Formats the plan or the result of a thaw, for a person and as JSON.
import { displayRef, nameFromBytes } from "../../domain.ts";
import type { CommitList__Output as Commits } from "../../generated/lockstep/v1/CommitList.ts";
import type { ThawResponse__Output as Thaw } from "../../generated/lockstep/v1/ThawResponse.ts";
import { visible } from "../../io/visible.ts";
import { table } from "../terminal/styled.ts";
import { describeEntries, documentOf } from "./log-entries.ts";
import { instant } from "./times.ts";

/** Returns one repository of a thaw as --json prints it. */
export function documentOfThaw(repository: string, thaw: Thaw) {
  return {
    name: repository,
    done: thaw.done,
    head: Number(thaw.headVersion),
    version: Number(thaw.version),
    keeper: { device: thaw.keeperDevice, version: Number(thaw.keeperVersion) },
    refs: thaw.updates.map(({ name, oldValue, newValue }) => ({
      ref: displayRef(nameFromBytes(name)),
      before: oldValue || null,
      after: newValue || null,
    })),
    more_refs: thaw.moreUpdates,
    given_up: thaw.givenUp.map(documentOf),
    lost: documentOfCommits(thaw.lost),
    gained: documentOfCommits(thaw.gained),
  };
}

/** Returns a list of commits as --json prints it. */
export function documentOfCommits(list: Commits | null) {
  return {
    commits: (list?.commits ?? []).map(({ at, ...commit }) => ({ ...commit, at: instant(at) })),
    more: list?.more ?? 0,
    not_here: list?.missing ?? [],
  };
}

/** Returns the plan for one repository as text. */
export function describeThaw(repository: string, thaw: Thaw): string {
  const { headVersion, version, keeperDevice, keeperVersion, updates, moreUpdates, givenUp, lost, gained } = thaw;
  const noted = keeperVersion === "0" ? "" : ` (version ${keeperVersion})`;
  const parts = [
    `${repository}: version ${version} would follow version ${headVersion}, with the refs that ${keeperDevice} has${noted}.`,
  ];
  if (givenUp.length > 0) parts.push(`Given up:\n${describeEntries(givenUp)}`);
  if (updates.length > 0) {
    const rows = updates.map(({ name, oldValue, newValue }) => [
      displayRef(nameFromBytes(name)),
      shortValue(oldValue),
      shortValue(newValue),
    ]);
    const more = moreUpdates > 0 ? `\nand ${moreUpdates} more` : "";
    parts.push(`${table(["ref", "before", "after"], rows)}${more}`);
  } else parts.push("No ref changes.");
  parts.push(...describeCommits("Commits that no ref would hold any more:", lost));
  parts.push(...describeCommits("Commits that refs would hold again:", gained));
  return parts.join("\n\n");
}

/** Returns a list of commits as text, or nothing for an empty one. */
export function describeCommits(heading: string, list: Commits | null): string[] {
  if (!list || (list.commits.length === 0 && list.missing.length === 0)) return [];
  const lines = list.commits.map(
    ({ id, author, at, subject }) => `  ${id.slice(0, 10)}  ${instant(at)}  ${visible(author)}  ${visible(subject)}`,
  );
  if (list.more > 0) lines.push(`  and ${list.more} more`);
  for (const id of list.missing) lines.push(`  ${id.slice(0, 10)}  its objects are not on this device`);
  return [[heading, ...lines].join("\n")];
}

/** Returns the value of a ref as a table shows it. */
export function shortValue(value: string): string {
  return value === "" ? "(none)" : value.startsWith("ref: ") ? value : value.slice(0, 10);
}
