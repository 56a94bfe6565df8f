// Models a push from the hook to the locked refs. Stands for the first half of src/sync/write/attempt.ts, and for
// lockstep.stage_write.
import { drop, refusesStaged, writeOf } from "./database.ts";
import { doubt, finish, mayTouchDisk } from "./finish.ts";
import { fallApart, writesOf } from "./group.ts";
import { digestAt, foldAtHead, headOf } from "./log.ts";
import {
  type Device,
  differenceOf,
  type Model,
  NONE,
  type Process,
  type Push,
  type State,
  type Who,
  type Write,
} from "./state.ts";
import { bit, clashes, deviceOf, keeps, named, processOf, type Step } from "./step.ts";

/**
 * Offers the copy to a peer, if the repository needs copies. Then the mutex, and lockstep.stage_write or no statement.
 */
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
  const { applied } = process;
  if (isApplying(process) || applied === NONE) return [];
  const atOnce = go("does not stage", (next) => begin(next, d, who, true));
  return push.others.length > 0 ? atOnce : [...atOnce, ...stage(model, state, d, who, push)];
}

/** Offers lockstep.stage_write. */
function stage(model: Model, state: State, d: number, who: Who, push: Push): Step[] {
  const process = processOf(state, d, who);
  const { applied } = process;
  if (applied > headOf(state)) return [];
  if (state.fences[d] !== process.fence) return [];
  if (keeps(model, "turn-refuses-others") && state.turn.length > 0) return [];
  if (keeps(model, "digest-at-stage") && digestAt(state, applied) !== process.held) return [];
  const act = (next: State) => {
    const write = writeOf(next, push.write);
    const held = foldAtHead(next);
    const moved = write.refs.some((ref, index) => held[ref] !== write.olds[index]);
    if (moved || write.sees.some(([ref, value]) => held[ref] !== value)) return finish(model, next, d, who, true);
    begin(next, d, who, false);
  };
  return [{ kind: "go", label: `${named(d, who)} stages w${push.write}`, act }];
}

/** Begins an attempt on the version that the process holds. `atOnce`: without a row in the database. */
function begin(next: State, d: number, who: Who, atOnce: boolean): void {
  const { applied, held, push } = processOf(next, d, who);
  const group = push!.others.length > 0 ? writesOf(push!) : [];
  push!.phase = "staged";
  push!.digest = held;
  for (const w of writesOf(push!)) {
    const write = writeOf(next, w);
    if (!atOnce) write.status = "staged";
    Object.assign(write, { atOnce, base: applied, baseDigest: held, group });
    push!.digest += differenceOf(next.seen.length, write);
  }
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
  const rows = writesOf(push).map((w) => writeOf(state, w));
  const refs = rows.flatMap((row) => row.refs);
  if (!mayTouchDisk(model, who) || refs.some((ref) => device.locks[ref] !== NONE)) return [];
  if (push.others.length > 0 && rows.some((row) => refuses(model, device, row)))
    return [
      {
        kind: "go",
        label: `${named(d, who)} cannot prepare w${writesOf(push).join(", w")} together`,
        act: (next) => fallApart(model, next, d, who),
      },
    ];
  return [
    {
      kind: "go",
      label: `${named(d, who)} prepares w${writesOf(push).join(", w")}`,
      act: (next) => {
        const { locks, refs } = deviceOf(next, d);
        if (write.refs.some((ref, index) => refs[ref] !== write.olds[index])) {
          // The log has another value than the disk: only on the head is that a sign of a wrong disk.
          if (write.base === headOf(next) && !write.atOnce) doubt(model, next, d, who);
          drop(next, push.write);
          return finish(model, next, d, who, true);
        }
        if (model.nested && write.news.some((value, index) => value !== 0 && clashes(refs, write.refs[index]!))) {
          drop(next, push.write);
          return finish(model, next, d, who, true);
        }
        for (const row of rows)
          row.refs.forEach((ref, index) => {
            locks[ref] = row.news[index]!;
          });
        processOf(next, d, who).push!.phase = "prepared";
      },
    },
  ];
}

/** Returns whether git refuses a write: a ref has another value on the disk, or makes one of the write impossible. */
function refuses(model: Model, { refs }: Device, { refs: mine, olds, news }: Write): boolean {
  if (mine.some((ref, index) => refs[ref] !== olds[index])) return true;
  return model.nested && news.some((value, index) => value !== 0 && clashes(refs, mine[index]!));
}
