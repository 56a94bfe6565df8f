import { type History, type Operation, recordsOf, registerOf, type Value } from "../history.ts";

/** What one read saw of one ref. */
export interface Seen {
  readonly ref: string;
  readonly register: string;
  readonly value: Value;
}

/** The refs of each repository that any operation or log entry names: those that a read may have seen missing. */
export function knownRefs(history: History): ReadonlyMap<string, ReadonlySet<string>> {
  const known = new Map<string, Set<string>>();
  const add = (repository: string, refs: Iterable<string>) => {
    const set = known.get(repository) ?? new Set();
    known.set(repository, set);
    for (const ref of refs) set.add(ref);
  };
  for (const { repository, changes = [], refs = {} } of recordsOf(history, "operation")) {
    add(repository, [...changes.map(({ ref }) => ref), ...Object.keys(refs)]);
  }
  for (const { repository, changes } of recordsOf(history, "log")) {
    add(
      repository,
      changes.map(({ ref }) => ref).filter((ref) => ref.startsWith("refs/")),
    );
  }
  return known;
}

/** Everything that a read saw, refs that did not exist included; empty for a push and for a read that failed. */
export function seenBy(operation: Operation, known: ReadonlyMap<string, ReadonlySet<string>>): Seen[] {
  const { repository, refs, scope = "refs/" } = operation;
  if (refs === undefined || operation.result !== "ok") return [];
  const inScope = [...(known.get(repository) ?? [])].filter((ref) => ref.startsWith(scope));
  return inScope.map((ref) => ({ ref, register: registerOf(repository, ref), value: refs[ref] ?? null }));
}
