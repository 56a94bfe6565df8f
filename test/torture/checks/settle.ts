// Decides unknown writes from what others saw. Each value is written once. An unknown write whose value was seen had
// happened by then. An unknown write that nobody saw explains nothing. Without this, the search would try every unknown
// write at every place.
import type { Step } from "./wgl.ts";

const NEVER = Number.POSITIVE_INFINITY;

/**
 * Returns fewer steps that have a linearization exactly if `steps` have one. This does not hold for mismatches: a
 * mismatch that an unseen write may explain is left out.
 */
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

/** Closes each seen write at the return of the first step that saw it. */
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

/** Returns a map from each value to the return of the first closed step that saw it. */
function firstSeen(steps: readonly Step[]): Map<string, number> {
  const seenAt = new Map<string, number>();
  for (const step of steps) {
    const seen = step.effect.kind === "read" ? step.effect.value : demanded(step);
    if (isOpen(step) || seen === null || seen === undefined) continue;
    seenAt.set(seen, Math.min(step.returned, seenAt.get(seen) ?? NEVER));
  }
  return seenAt;
}

/** Returns the unseen writes on which no other step builds. A seen delete may build on the value of an unseen write. */
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

/** Returns whether no other step writes the value of this step. */
function isUnique(step: Step, steps: readonly Step[]): boolean {
  const value = written(step);
  return typeof value === "string" && steps.filter((other) => written(other) === value).length === 1;
}

function written({ effect }: Step): string | null | undefined {
  return effect.kind === "write" ? effect.value : undefined;
}

/** Returns the value that a write builds on, or undefined if it is unknown. */
function demanded({ effect }: Step): string | null | undefined {
  return effect.kind === "write" ? effect.old : undefined;
}
