// The refs that a reader is shown. git's answer counts while no ref has changed since git looked at the refs.
import type { Rule } from "./rule.ts";

/** When git reads the refs. first: when it starts. later: when it has its input. never: the answer has no refs. */
export type ReadsRefs = "first" | "later" | "never";

/**
 * Returns the rule for the answers to readers. The sidecar must have been asked after the answer was put into the
 * cache: it knows only of changes before its own answer.
 */
export function readRule(readsRefs: ReadsRefs): Rule {
  return {
    since: () => undefined,
    now: ({ output, startedAt, inputAt }, { unchangedMs }) => {
      const lookedAfter = readsRefs === "first" ? startedAt : inputAt;
      return readsRefs === "never" || unchangedMs >= performance.now() - lookedAfter ? output : undefined;
    },
    mayKeep: () => true,
  };
}
