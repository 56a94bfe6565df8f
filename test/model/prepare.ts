// Models a push from the hook to the locked refs. Stands for the first half of src/sync/write/attempt.ts, and for
// lockstep.stage_write.
import { drop, refusesStaged, writeOf } from "./database.ts";
import { doubt, finish, mayTouchDisk } from "./finish.ts";
import { digestAt, foldAtHead, headOf } from "./log.ts";
import { digestOf, type Model, NONE, type Process, type Push, type State, type Who, type Write } from "./state.ts";
import { bit, deviceOf, keeps, named, processOf, type Step } from "./step.ts";

/** Offers the copy to a peer, if the repository needs copies. Then the mutex and lockstep.stage_write. */
export function stageSteps(model: Model, state: State, d: number, who: Who, push: Push): Step[] {
  if (needsCopies(model, push)) return copySteps(state, d, who, push);
  const process = processOf(state, d, who);
  const go = (label: string, act: (next: State) => void): Step[] => [
    { kind: "go", label: `${named(d, who)} ${label} w${push.write}`, act },
  ];
  if (push.phase === "hook" && (state.writeStop !== "off" || refusesStaged(model, state)))
    return go("refuses", (next) => finish(model, next, d, who, true));
  if (push.phase === "hook" && model.budget.writeStops > 0)
    return go("sees no stop for", (next) => {
      processOf(next, d, who).push!.phase = "checked";
    });
  if (isApplying(process) || process.applied !== headOf(state) || state.fences[d] !== process.fence) return [];
  if (keeps(model, "turn-refuses-others") && state.turn.length > 0) return [];
  if (keeps(model, "digest-at-stage") && digestAt(state, process.applied) !== process.held) return [];
  return go("stages", (next) => {
    const write = writeOf(next, push.write);
    const held = foldAtHead(next);
    if (write.refs.some((ref, index) => held[ref] !== write.olds[index])) return finish(model, next, d, who, true);
    write.status = "staged";
    write.base = process.applied;
    const mine = processOf(next, d, who).push!;
    mine.phase = "staged";
    mine.digest = digestAfter(held, write);
  });
}

export function needsCopies(model: Model, push: Push): boolean {
  return model.minCopies > 1 && keeps(model, "copies-before-bump") && !push.copied;
}

/**
 * Offers to copy the objects to a peer, which keeps them until the write is settled. Without a peer the push is
 * refused.
 */
export function copySteps(state: State, d: number, who: Who, { write }: Push): Step[] {
  return state.devices.flatMap((peer, e): Step[] => {
    if (e === d || peer.live === null) return [];
    return [
      {
        kind: "go",
        label: `${named(d, who)} copies the objects of w${write} to d${e}`,
        act: (next) => {
          const copy = deviceOf(next, e);
          deviceOf(next, d).objects |= bit(write);
          copy.objects |= bit(write);
          copy.pins |= bit(write);
          processOf(next, d, who).push!.copied = true;
        },
      },
    ];
  });
}

/** Returns the digest of the refs after the write. */
export function digestAfter(held: readonly number[], { refs, news }: Write): number {
  const after = [...held];
  for (const [index, ref] of refs.entries()) after[ref] = news[index]!;
  return digestOf(after);
}

/** Returns whether a catch-up holds the mutex. */
export function isApplying({ flight }: Process): boolean {
  return flight !== null && flight.plan !== null;
}

/** Models git's update-ref --stdin: start, commands, prepare. */
export function prepareSteps(model: Model, state: State, d: number, who: Who, push: Push): Step[] {
  const write = writeOf(state, push.write);
  const device = deviceOf(state, d);
  if (write.status === "dropped")
    return [
      {
        kind: "go",
        label: `${named(d, who)} finds w${push.write} dropped`,
        act: (next) => finish(model, next, d, who, true),
      },
    ];
  if (!mayTouchDisk(model, who) || write.refs.some((ref) => device.locks[ref] !== NONE)) return [];
  return [
    {
      kind: "go",
      label: `${named(d, who)} prepares w${push.write}`,
      act: (next) => {
        const { locks, refs } = deviceOf(next, d);
        if (write.refs.some((ref, index) => refs[ref] !== write.olds[index])) {
          doubt(model, next, d, who);
          drop(next, push.write);
          return finish(model, next, d, who, true);
        }
        if (model.nested && write.news.some((value, index) => value !== 0 && clashes(refs, write.refs[index]!))) {
          drop(next, push.write);
          return finish(model, next, d, who, true);
        }
        write.refs.forEach((ref, index) => {
          locks[ref] = write.news[index]!;
        });
        processOf(next, d, who).push!.phase = "prepared";
      },
    },
  ];
}

/** Returns whether a ref clashes with another. If the last ref lies below the first, git can hold only one of them. */
export function clashes(refs: readonly number[], ref: number): boolean {
  const last = refs.length - 1;
  return (ref === last && refs[0] !== 0) || (ref === 0 && refs[last] !== 0);
}
