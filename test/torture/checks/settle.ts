// Values are written once each, so what others saw decides many an unknown write: one that was seen had happened by then, one
// that nobody ever saw explains nothing. Without this the search would have to try every unknown write at every place.
import type { Step } from "./wgl.ts";

const NEVER = Number.POSITIVE_INFINITY;

/** Steps that have a linearization exactly if these have, apart from mismatches: those that an unseen write may explain are left out. */
export function settle(steps: readonly Step[]): Step[] {
  const closed = closeSeen(steps);
  const unseen = withoutNeeded(
    closed.filter((step) => isOpen(step) && isUnique(step, steps)),
    closed,
  );
  const earliest = Math.min(...[...unseen].map(({ invoked }) => invoked));
  const explained = (step: Step) => step.effect.kind === "mismatch" && step.returned >= earliest;
  return closed.filter((step) => !unseen.has(step) && !explained(step));
}

/** A write that was seen has returned by the time that the first who saw it had. */
function closeSeen(steps: readonly Step[]): Step[] {
  let current = [...steps];
  for (;;) {
    const seenAt = firstSeen(current);
    const next = current.map((step) => {
      const at = isOpen(step) && isUnique(step, current) ? seenAt.get(written(step)!) : undefined;
      return at === undefined ? step : { ...step, returned: Math.max(at, step.invoked) };
    });
    if (next.every((step, index) => step === current[index])) return next;
    current = next;
  }
}

/** Value → when the first closed step that saw it had returned. */
function firstSeen(steps: readonly Step[]): Map<string, number> {
  const seenAt = new Map<string, number>();
  for (const step of steps) {
    const seen = step.effect.kind === "read" ? step.effect.value : demanded(step);
    if (isOpen(step) || seen === null || seen === undefined) continue;
    seenAt.set(seen, Math.min(step.returned, seenAt.get(seen) ?? NEVER));
  }
  return seenAt;
}

/** Of the unseen writes those that no other step builds on: an unknown delete of what an unknown write made may be seen. */
function withoutNeeded(unseen: readonly Step[], steps: readonly Step[]): Set<Step> {
  const left = new Set(unseen);
  for (;;) {
    const needed = new Set(steps.filter((step) => !left.has(step)).map(demanded));
    const keep = [...left].filter((step) => needed.has(written(step)));
    if (keep.length === 0) return left;
    for (const step of keep) left.delete(step);
  }
}

function isOpen({ returned }: Step): boolean {
  return returned === NEVER;
}

/** Writes a value that no other step writes. */
function isUnique(step: Step, steps: readonly Step[]): boolean {
  const value = written(step);
  return typeof value === "string" && steps.filter((other) => written(other) === value).length === 1;
}

function written({ effect }: Step): string | null | undefined {
  return effect.kind === "write" ? effect.value : undefined;
}

/** The value that a write builds on, where it is known. */
function demanded({ effect }: Step): string | null | undefined {
  return effect.kind === "write" ? effect.old : undefined;
}
