// git looks through a push itself before it starts proc-receive: an alias (a symbolic ref) whose target is in the same push with the same
// values it does not hand over, as the target says it all. Yet it waits to be told what became of the alias, and tells the pusher "failed
// to report status" otherwise. Only the hook pre-receive sees such a push whole: it notes it in a file (docs/hook-protocol.md).
import { isBelow, type RefName, type RefUpdate } from "../../domain.ts";
import { followSymbolicRefs } from "../../git/refs/symbolic-refs.ts";
import type { PushReport } from "../write/request.ts";

/** Aliases that git has kept to itself, each with the target that it has. */
export type HeldBack = ReadonlyMap<RefName, RefName>;

/** Finds the aliases of a push that git has not handed over. What git refuses itself (hidden refs, say) is none of them. */
export async function findHeldBack(
  gitDir: string,
  handed: readonly RefUpdate[],
  pushed: readonly RefUpdate[] | undefined,
): Promise<HeldBack> {
  const found = new Map<RefName, RefName>();
  if (pushed === undefined || pushed.length === handed.length) return found;
  const byName = new Map(pushed.map((each) => [each.name, each]));
  // The note of another push.
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

/** A table that cannot be read refuses no push, and least of all one that has landed. */
async function follow(gitDir: string, names: readonly RefName[]): Promise<Map<RefName, RefName>> {
  return await followSymbolicRefs(gitDir, names).catch(() => new Map());
}

/** The report of a push, and of each alias that was held back what became of its target. */
export async function reportHeldBack(gitDir: string, report: PushReport, held: HeldBack): Promise<PushReport> {
  if (held.size === 0) return report;
  const told = new Map(report);
  const now = await follow(gitDir, [...held.keys()]);
  for (const [name, target] of held) {
    // The target was not handed over either: git has refused it, since another alias of it was to become something else.
    const reason = report.has(target) ? report.get(target) : "inconsistent aliased update";
    told.set(name, reason ?? (now.get(name) === target ? null : "fetch first"));
  }
  return told;
}
