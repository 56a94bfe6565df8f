import { type History, type Operation, recordsOf, registerOf, type Value } from "../history.ts";

/** What one read saw of one ref. */
export interface Seen {
  readonly ref: string;
  readonly register: string;
  readonly value: Value;
}

/**
 * The refs of each repository that any operation or log entry names: those that a read may have seen missing. Without those that stood
 * for another one: readers see what that holds.
 */
export function knownRefs(history: History): ReadonlyMap<string, ReadonlySet<string>> {
  const known = new Map<string, Set<string>>();
  const entries = [...recordsOf(history, "operation"), ...recordsOf(history, "log")];
  const symbolic = new Set(
    entries.flatMap(({ repository, changes = [] }) =>
      changes.filter(isSymbolic).map(({ ref }) => registerOf(repository, ref)),
    ),
  );
  const add = (repository: string, refs: Iterable<string>) => {
    const set = known.get(repository) ?? new Set();
    known.set(repository, set);
    for (const ref of refs) if (!symbolic.has(registerOf(repository, ref))) set.add(ref);
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

/** A symbolic ref is written down by the name that it stands for. Unlike a commit, others may write it too. */
export function isSymbolic({ new: value }: { readonly new: Value }): boolean {
  return value?.startsWith("ref: ") ?? false;
}

/** Everything that a read saw, refs that did not exist included; empty for a push and for a read that failed. */
export function seenBy(operation: Operation, known: ReadonlyMap<string, ReadonlySet<string>>): Seen[] {
  const { repository, refs, scope = "refs/" } = operation;
  if (refs === undefined || operation.result !== "ok") return [];
  const inScope = [...(known.get(repository) ?? [])].filter((ref) => ref.startsWith(scope));
  return inScope.map((ref) => ({ ref, register: registerOf(repository, ref), value: refs[ref] ?? null }));
}
