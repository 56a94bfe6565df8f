// Checks the state after the faults have been taken back and nobody writes any more.
import { type FinalRefs, type History, type Operation, recordsOf, registerOf } from "../history.ts";
import type { Verdict, Violation } from "./verdict.ts";

/** Checks that the refs on every disk, and the refs in the database, equal the sum of the log. */
export function convergence(history: History): Verdict {
  const finals = recordsOf(history, "refs");
  const violations = finals.flatMap(({ repository, place, refs }) =>
    differences(foldOf(history, repository, finals), refs).map(
      (what): Violation => ({ what: `${repository} at ${place}: ${what}.`, operations: [] }),
    ),
  );
  return { check: "convergence", looked: finals.length, violations };
}

/** Checks that within the bound after healing a push through every device succeeds, for each ref that was tried. */
export function liveness(history: History): Verdict {
  const violations: Violation[] = [];
  const healed = recordsOf(history, "healed");
  if (healed.length === 0) violations.push({ what: "The cluster was not healed.", operations: [] });
  for (const { at, devices, bound } of healed) {
    for (const device of devices) {
      const tries = recordsOf(history, "operation").filter(
        (each) => each.device === device && each.invoked >= at && each.changes,
      );
      if (tries.length === 0) violations.push({ what: `Nobody pushed to ${device} after healing.`, operations: [] });
      const pushed = new Set(tries.map(registersOf));
      for (const register of pushed) {
        const same = tries.filter((each) => registersOf(each) === register);
        if (same.some(({ result, returned }) => result === "ok" && returned - at <= bound)) continue;
        const what = `No push of ${register} to ${device} succeeded within ${bound} ms after healing.`;
        violations.push({ what, operations: same.slice(-3).map(({ id }) => id) });
      }
    }
  }
  return { check: "liveness after healing", looked: healed.flatMap(({ devices }) => devices).length, violations };
}

function registersOf({ repository, changes = [] }: Operation): string {
  return changes.map(({ ref }) => registerOf(repository, ref)).join(", ");
}

/** Checks that no lock, quarantine, staged write or turn is left, and that git finds no damage. */
export function leftovers(history: History): Verdict {
  const places = recordsOf(history, "rest");
  const violations = places.flatMap(({ place, left }) =>
    left.map((what): Violation => ({ what: `Left at ${place}: ${what}.`, operations: [] })),
  );
  return { check: "no leftovers", looked: places.length, violations };
}

/**
 * Checks how sidecars ended. Code 3 means that a sidecar cannot run now. Any other end needs a full or missing disk, or a
 * device that was removed.
 */
export function endings(history: History): Verdict {
  const unexplained = recordsOf(history, "ending").filter(({ how, device, at }) => {
    const faults = recordsOf(history, "fault").filter(
      ({ target, from, to }) => target === device && from <= at && at <= to,
    );
    return how !== "3" && !faults.some(({ kind }) => /disk|power|leaves/.test(kind));
  });
  const violations = unexplained.map(
    ({ device, how, said }): Violation => ({
      what: `The sidecar of ${device} ended with ${how}: ${said}`,
      operations: [],
    }),
  );
  return { check: "no sidecar ends without a reason", looked: recordsOf(history, "healed").length, violations };
}

function foldOf(history: History, repository: string, finals: readonly FinalRefs[]): Map<string, string> {
  const fold = new Map<string, string>();
  // The log does not contain the first HEAD of a repository.
  const kept = finals.find((each) => each.repository === repository && each.place === "fold");
  if (kept?.refs.HEAD !== undefined) fold.set("HEAD", kept.refs.HEAD);
  const log = recordsOf(history, "log").filter((entry) => entry.repository === repository);
  for (const { changes } of log.toSorted((one, other) => one.version - other.version)) {
    for (const { ref, new: value } of changes) {
      if (value === null) fold.delete(ref);
      else fold.set(ref, value);
    }
  }
  return fold;
}

function differences(wanted: ReadonlyMap<string, string>, found: Readonly<Record<string, string>>): string[] {
  const refs = new Set([...wanted.keys(), ...Object.keys(found)]);
  return [...refs]
    .filter((ref) => wanted.get(ref) !== found[ref])
    .map((ref) => `${ref} is ${found[ref] ?? "missing"}, not ${wanted.get(ref) ?? "missing"}`);
}
