import { type History, type Operation, recordsOf, registerOf, type Value } from "../history.ts";

/** The value of one ref in one read. */
export interface Seen {
  readonly ref: string;
  readonly register: string;
  readonly value: Value;
}

/**
 * Returns the refs of each repository that any operation or log entry names. A read without such a ref has seen it
 * missing. Symbolic refs are left out, because readers see the value of their target.
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

/**
 * Returns whether a change sets a symbolic ref. Its value is the name of its target, so several pushers may write it.
 */
export function isSymbolic({ new: value }: { readonly new: Value }): boolean {
  return value?.startsWith("ref: ") ?? false;
}

/**
 * Returns all that a read saw, also refs that did not exist. Returns an empty list for a push and for a failed read.
 */
export function seenBy(operation: Operation, known: ReadonlyMap<string, ReadonlySet<string>>): Seen[] {
  const { repository, refs, scope = "refs/" } = operation;
  if (refs === undefined || operation.result !== "ok") return [];
  const inScope = [...(known.get(repository) ?? [])].filter((ref) => ref.startsWith(scope));
  return inScope.map((ref) => ({ ref, register: registerOf(repository, ref), value: refs[ref] ?? null }));
}
