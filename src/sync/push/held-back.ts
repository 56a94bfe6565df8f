// Reports aliases that git held back. Before git starts proc-receive it looks through a push. If an alias (a symbolic
// ref) and its target are in it with the same values, git hands only the target over. Yet git waits for a report about
// the alias, and otherwise tells the pusher "failed to report status". Only the hook pre-receive sees the whole push,
// and notes it in a file (docs/hook-protocol.md).
import { isBelow, type RefName, type RefUpdate } from "../../domain.ts";
import { followSymbolicRefs } from "../../git/refs/symbolic-refs.ts";
import { PushReport } from "../write/push-report.ts";

/** Aliases that git held back, each with its target. */
export type HeldBack = ReadonlyMap<RefName, RefName>;

/**
 * Finds the aliases of a push that git has not handed over. Refs that git refuses itself (hidden refs, say) are not
 * among them.
 */
export async function findHeldBack(
  gitDir: string,
  handed: readonly RefUpdate[],
  pushed: readonly RefUpdate[] | undefined,
): Promise<HeldBack> {
  const found = new Map<RefName, RefName>();
  if (pushed === undefined || pushed.length === handed.length) return found;
  const byName = new Map(pushed.map((each) => [each.name, each]));
  // The note is that of another push.
  if (handed.some((each) => !isSame(byName.get(each.name), each))) return found;
  const isHanded = new Set(handed.map(({ name }) => name));
  const kept = [...byName.keys()].filter((name) => !isHanded.has(name) && isBelow(name, "refs/"));
  for (const [name, target] of await follow(gitDir, kept)) {
    const alias = byName.get(name);
    if (target !== name && alias && isSame(byName.get(target), alias)) found.set(name, target);
  }
  return found;
}

function isSame(left: RefUpdate | undefined, right: RefUpdate): boolean {
  return left?.oldValue === right.oldValue && left?.newValue === right.newValue;
}

/** Follows symbolic refs. A table that cannot be read must not refuse a push, least of all one that has landed. */
async function follow(gitDir: string, names: readonly RefName[]): Promise<Map<RefName, RefName>> {
  return await followSymbolicRefs(gitDir, names).catch(() => new Map());
}

/** Returns the report with the aliases that were held back: each gets the outcome of its target. */
export async function reportHeldBack(gitDir: string, report: PushReport, held: HeldBack): Promise<PushReport> {
  if (held.size === 0) return report;
  const told = new PushReport(report);
  const now = await follow(gitDir, [...held.keys()]);
  for (const [name, target] of held) {
    // The target was not handed over either: git refused it, because another alias of it had other values.
    const reason = report.has(target) ? report.reasonOf(target) : "inconsistent aliased update";
    told.tell(name, reason ?? (now.get(name) === target ? null : "fetch first"));
  }
  return told;
}
