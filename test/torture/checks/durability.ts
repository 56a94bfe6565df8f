// Checks the log: it has every acknowledged write and no refused one. It has every value that a reader saw. Its entries
// must follow from each other.
import { type History, type LogVersion, recordsOf, registerOf, type Value } from "../history.ts";
import { isSymbolic, knownRefs, seenBy } from "./reads.ts";
import type { Verdict, Violation } from "./verdict.ts";

export function durability(history: History): Verdict {
  const log = recordsOf(history, "log").toSorted((one, other) => one.version - other.version);
  const landed = new Set<string>(
    log.flatMap(({ repository, changes }) => changes.map(({ ref, new: value }) => keyOf(repository, ref, value))),
  );
  const operations = recordsOf(history, "operation");
  const known = knownRefs(history);
  const violations: Violation[] = [...brokenLog(log)];
  let looked = log.length;
  for (const operation of operations) {
    const { id, repository, changes = [] } = operation;
    for (const change of changes) {
      const { ref, old, new: value, result } = change;
      looked += 1;
      // git reports the deletion of an absent ref as a success.
      if (value === null && !old) continue;
      const isThere = landed.has(keyOf(repository, ref, value));
      if (result === "ok" && !isThere)
        violations.push({
          what: `${ref} was acknowledged as ${inWords(value)}, and the log has no such change.`,
          operations: [id],
        });
      // A deletion in the log may be that of another pusher.
      if (result === "failed" && value !== null && !isSymbolic(change) && isThere)
        violations.push({ what: `${ref} was refused as ${value}, and the log has it.`, operations: [id] });
    }
    for (const { ref, value } of seenBy(operation, known)) {
      if (value === null || landed.has(keyOf(repository, ref, value))) continue;
      violations.push({ what: `${ref} was seen as ${value}, which was never decided.`, operations: [id] });
    }
  }
  return { check: "durability", looked, violations };
}

/**
 * Checks that the versions have no gaps, that each change starts from the value before it, and that each value lands
 * once.
 */
function brokenLog(log: readonly LogVersion[]): Violation[] {
  const violations: Violation[] = [];
  const heads = new Map<string, number>();
  const held = new Map<string, Value>();
  const seen = new Set<string>();
  const note = (what: string) => violations.push({ what, operations: [] });
  for (const { repository, version, changes } of log) {
    const expected = (heads.get(repository) ?? 0) + 1;
    if (version !== expected) note(`After version ${expected - 1} of ${repository} the log has ${version}.`);
    heads.set(repository, version);
    for (const change of changes) {
      const { ref, old, new: value } = change;
      const register = registerOf(repository, ref);
      const before = held.get(register) ?? null;
      // The log does not contain the first refs of a repository, such as HEAD.
      if (ref.startsWith("refs/") && old !== before)
        note(`Version ${version} changes ${register} from ${inWords(old)}, which was ${inWords(before)}.`);
      held.set(register, value);
      const key = keyOf(repository, ref, value);
      if (value !== null && !isSymbolic(change) && seen.has(key))
        note(`${register} became ${value} a second time, in version ${version}.`);
      seen.add(key);
    }
  }
  return violations;
}

function keyOf(repository: string, ref: string, value: Value): string {
  return `${registerOf(repository, ref)} ${value}`;
}

function inWords(value: Value): string {
  return value ?? "missing";
}
