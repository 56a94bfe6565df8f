// Checks the two guarantees of a session. A session is the sequence of one client's operations, on any devices.
import { type History, type Operation, recordsOf, registerOf } from "../history.ts";
import { Eras } from "./eras.ts";
import { knownRefs, seenBy } from "./reads.ts";
import type { Verdict, Violation } from "./verdict.ts";

/** Checks that after an acknowledged push its client reads that value or a later one. */
export function readYourWrites(history: History): Verdict {
  return follow("read your writes", history, "pushed", "write");
}

/** Checks that a client never reads an older value than before. */
export function monotonicReads(history: History): Verdict {
  return follow("monotonic reads", history, "read", "read");
}

interface Floor {
  readonly version: number;
  readonly by: Operation;
}

function follow(check: string, history: History, verb: string, raisedBy: "write" | "read"): Verdict {
  const eras = new Eras(history);
  const known = knownRefs(history);
  const floors = new Map<string, Floor>();
  const violations: Violation[] = [];
  let looked = 0;
  const raise = (key: string, version: number, by: Operation) => {
    if (version >= (floors.get(key)?.version ?? 0)) floors.set(key, { version, by });
  };
  for (const operation of recordsOf(history, "operation").toSorted((one, other) => one.invoked - other.invoked)) {
    const { client, repository, device, id } = operation;
    for (const change of operation.changes ?? []) {
      if (raisedBy !== "write" || change.result !== "ok") continue;
      const register = registerOf(repository, change.ref);
      const floor = floors.get(`${client} ${register}`)?.version ?? 0;
      const era = eras.firstSince(register, change.new, floor);
      // The check of durability reports a write that is missing in the log.
      if (era) raise(`${client} ${register}`, era.version, operation);
    }
    for (const { ref, register, value } of seenBy(operation, known)) {
      const key = `${client} ${register}`;
      const floor = floors.get(key);
      const era = eras.firstSince(register, value, floor?.version ?? 0);
      if (floor) looked += 1;
      if (era && raisedBy === "read") raise(key, era.version, operation);
      if (era || !floor) continue;
      violations.push({
        what: `${client} had ${verb} version ${floor.version} of ${repository} on ${floor.by.device}, then read ${ref} on ${device} as ${value ?? "missing"}, which is older or was never decided.`,
        operations: [floor.by.id, id],
      });
    }
  }
  return { check, looked, violations };
}
