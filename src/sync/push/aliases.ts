// Resolves aliases: symbolic refs other than HEAD. git's receive-pack writes through them. A push to an alias moves,
// makes or deletes its target, and the alias stays. When a write is staged, the database says which refs are aliases.
import { isSymbolic, type RefName, type RefUpdate, type RefValue, symbolicTo, targetOf } from "../../domain.ts";
import { SYMBOLIC_HOPS } from "../../git/refs/symbolic-refs.ts";
import type { PushReport } from "../write/push-report.ts";
import type { PushRequest } from "../write/request.ts";

/** The targets of a push's aliases, as far as they are known. */
export class Aliases {
  readonly #targets = new Map<RefName, RefName>();

  /** The values that the aliases are believed to have. A write that rests on them must check them. */
  get held(): ReadonlyMap<RefName, RefValue> {
    return new Map([...this.#targets].map(([name, target]) => [name, symbolicTo(target)]));
  }

  /** Notes the values that refs were found to have. */
  learn(found: ReadonlyMap<RefName, RefValue | null>): void {
    for (const [name, value] of found) {
      if (isSymbolic(value)) this.#targets.set(name, targetOf(value));
      else this.#targets.delete(name);
    }
  }

  /**
   * Returns the updates of the refs that are meant, each ref once; the ref that each pushed name means; and the refs
   * that git refuses.
   */
  resolve(pushed: readonly RefUpdate[]): {
    updates: RefUpdate[];
    targets: Map<RefName, RefName>;
    refused: Map<RefName, string>;
  } {
    const targets = new Map<RefName, RefName>();
    const refused = new Map<RefName, string>();
    const meant = new Map<RefName, RefUpdate[]>();
    for (const update of pushed) {
      const target = this.#follow(update.name);
      if (target === undefined) refused.set(update.name, "broken symref");
      else {
        targets.set(update.name, target);
        meant.set(target, [...(meant.get(target) ?? []), update]);
      }
    }
    const updates: RefUpdate[] = [];
    for (const [name, group] of meant) {
      const [first] = group as [RefUpdate];
      const { oldValue, newValue } = first;
      const isOne = group.every((each) => each.oldValue === oldValue && each.newValue === newValue);
      const hasTarget = group.some((each) => each.name === name);
      if (group.length === 1 || (hasTarget && isOne)) updates.push({ ...first, name });
      else if (hasTarget) for (const each of group) refused.set(each.name, "inconsistent aliased update");
      else {
        // git takes one update after another, deletions first. The later ones find the ref changed by the first.
        const taken = group.find((each) => each.newValue === null) ?? first;
        updates.push({ ...taken, name });
        for (const each of group) if (each !== taken) refused.set(each.name, "failed to update ref");
      }
    }
    return { updates, targets, refused };
  }

  #follow(name: RefName): RefName | undefined {
    let at = name;
    for (let hop = 0; hop <= SYMBOLIC_HOPS; hop += 1) {
      const next = this.#targets.get(at);
      if (next === undefined) return at;
      at = next;
    }
    return undefined;
  }
}

/** Returns the updates of the refs that a push means. Refuses those that git refuses because of an alias. */
export function meantBy(
  allowed: readonly RefUpdate[],
  aliases: Aliases,
  { atomic }: Pick<PushRequest, "atomic">,
  report: PushReport,
): RefUpdate[] {
  const { updates, refused } = aliases.resolve(allowed);
  report.refuse(refused);
  return atomic ? report.allOrNone(updates) : updates;
}

/** Reports for each pushed ref the outcome of the ref that it means. */
export function tellOf(allowed: readonly RefUpdate[], aliases: Aliases, told: PushReport, report: PushReport): void {
  const { targets, refused } = aliases.resolve(allowed);
  for (const { name } of allowed) {
    const target = targets.get(name);
    if (target !== undefined && !refused.has(name)) report.tell(name, told.reasonOf(target));
  }
}
