// Checks that a push with --atomic, or a write session, lands as a whole or not at all. Its evidence is the answer to
// the pusher, the log, and the reads. After a read has seen one of its refs new, later reads must see the others new or
// newer.
import { type History, type Operation, recordsOf, registerOf } from "../history.ts";
import { violationsOf } from "./linearizability.ts";
import { knownRefs, seenBy } from "./reads.ts";
import { settle } from "./settle.ts";
import { stepsOf } from "./steps.ts";
import type { Verdict, Violation } from "./verdict.ts";

export function atomicity(history: History): Verdict {
  const pushes = recordsOf(history, "operation").filter(
    ({ operation }) => operation === "atomic" || operation === "session",
  );
  const landings = landingsOf(history);
  const violations = [
    ...pushes.flatMap(toldByHalves),
    ...pushes.flatMap((push) => landedByHalves(push, landings)),
    ...seenByHalves(pushes, history),
  ];
  return { check: "atomicity of atomic pushes", looked: pushes.length, violations };
}

function toldByHalves({ id, changes = [] }: Operation): Violation[] {
  const results = new Set(changes.map(({ result }) => result));
  if (!(results.has("ok") && results.has("failed"))) return [];
  return [{ what: `The pusher of ${id} was told that some of its refs changed and others did not.`, operations: [id] }];
}

function landedByHalves(
  { id, repository, changes = [] }: Operation,
  landings: ReadonlyMap<string, number>,
): Violation[] {
  // A deletion has no value, so the log cannot show which push made it.
  const named = changes.filter((change) => change.new !== null);
  const versions = new Set(named.map(({ ref, new: value }) => landings.get(`${registerOf(repository, ref)} ${value}`)));
  if (versions.size <= 1) return [];
  const found = [...versions].map((version) => version ?? "none").join(", ");
  return [
    { what: `What the atomic push ${id} of ${repository} made is in several versions: ${found}.`, operations: [id] },
  ];
}

/** Returns a map from register and value to the version that set it. */
function landingsOf(history: History): Map<string, number> {
  const landings = new Map<string, number>();
  for (const { repository, version, changes } of recordsOf(history, "log")) {
    for (const { ref, new: value } of changes) landings.set(`${registerOf(repository, ref)} ${value}`, version);
  }
  return landings;
}

/**
 * Closes every ref of an atomic push at the moment when the first of them was seen, and searches for an order again.
 */
function seenByHalves(pushes: readonly Operation[], history: History): Violation[] {
  const seenAt = seenFirst(history);
  const closedAt = new Map<string, number>();
  for (const { id, repository, changes = [] } of pushes) {
    const times = changes.map(({ ref, new: value }) => seenAt.get(`${registerOf(repository, ref)} ${value}`));
    const first = Math.min(...times.filter((time) => time !== undefined));
    if (!changes.some(({ result }) => result === "unknown") || first === Number.POSITIVE_INFINITY) continue;
    for (const { ref } of changes) closedAt.set(`${registerOf(repository, ref)} ${id}`, first);
  }
  return [...stepsOf(history)].flatMap(([register, steps]) => {
    let closes = false;
    const changed = steps.map((step) => {
      const at = closedAt.get(`${register} ${step.operation}`);
      if (at === undefined || step.returned <= at) return step;
      closes = true;
      return { ...step, returned: Math.max(at, step.invoked) };
    });
    return closes ? violationsOf(`${register} with what atomic pushes changed taken as a whole`, settle(changed)) : [];
  });
}

/** Returns a map from register and value to the time when the first read that saw it had returned. */
function seenFirst(history: History): Map<string, number> {
  const known = knownRefs(history);
  const seenAt = new Map<string, number>();
  for (const operation of recordsOf(history, "operation")) {
    for (const { register, value } of seenBy(operation, known)) {
      if (value === null) continue;
      const key = `${register} ${value}`;
      seenAt.set(key, Math.min(operation.returned, seenAt.get(key) ?? Number.POSITIVE_INFINITY));
    }
  }
  return seenAt;
}
