import { type History, recordsOf, registerOf } from "../history.ts";
import { knownRefs, seenBy } from "./reads.ts";
import type { Step } from "./wgl.ts";

/** Returns the steps of each register. A failed change without a known reason had no effect and is left out. */
export function stepsOf(history: History): Map<string, Step[]> {
  const known = knownRefs(history);
  const steps = new Map<string, Step[]>();
  const add = (register: string, step: Step) => {
    const found = steps.get(register);
    if (found) found.push(step);
    else steps.set(register, [step]);
  };
  for (const operation of recordsOf(history, "operation")) {
    const { id, invoked, returned, repository, changes = [] } = operation;
    for (const { ref, old, new: value, result, mismatch } of changes) {
      const register = registerOf(repository, ref);
      const write = { kind: "write" as const, value, ...(old !== undefined && { old }) };
      if (result === "ok") add(register, { operation: id, invoked, returned, effect: write });
      if (result === "unknown")
        add(register, { operation: id, invoked, returned: Number.POSITIVE_INFINITY, effect: write });
      if (mismatch && old !== undefined)
        add(register, { operation: id, invoked, returned, effect: { kind: "mismatch", expected: old } });
    }
    for (const { register, value } of seenBy(operation, known)) {
      add(register, { operation: id, invoked, returned, effect: { kind: "read", value } });
    }
  }
  return steps;
}
