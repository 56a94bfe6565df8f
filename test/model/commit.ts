// Models the steps after the decision: refs, note, report. They are never undone. Stands for the second half of
// src/sync/write/attempt.ts, and for apply.ts.
import { writeOf } from "./database.ts";
import { owe, reaches, supersede } from "./fail-over.ts";
import { mayTouchDisk, tear } from "./finish.ts";
import { headOf } from "./log.ts";
import { type Model, NONE, type Push, type State, type Who } from "./state.ts";
import { bit, deviceOf, keeps, named, processOf, type Step } from "./step.ts";

/**
 * Offers the commit of update-ref, ref by ref as git renames lock files. Then the note, and last the version in memory.
 */
export function commitSteps(
  model: Model,
  state: State,
  d: number,
  who: Who,
  { write, version, digest, pos }: Push,
): Step[] {
  const { refs, session, base } = writeOf(state, write);
  if (version !== base + 1 && keeps(model, "next-version-only")) return [leaveDisk(model, d, who, write)];
  const ref = refs[pos];
  const live = session && !keeps(model, "scratch");
  if (ref !== undefined && mayTouchDisk(model, who) && !live)
    return [
      {
        kind: "go",
        label: `${named(d, who)} commits ref${ref} of w${write}`,
        act: (next) => {
          const device = deviceOf(next, d);
          const process = processOf(next, d, who);
          process.applied = NONE;
          tear(model, device);
          if (device.locks[ref] === NONE) {
            process.push = null;
            return;
          }
          reaches(next, d, ref, device.locks[ref]!);
          supersede(next, d, ref);
          device.refs[ref] = device.locks[ref]!;
          device.locks[ref] = NONE;
          process.push!.pos += 1;
        },
      },
    ];
  return [
    {
      kind: "go",
      label: `${named(d, who)} has committed w${write} as v${version}`,
      act: (next) => {
        const process = processOf(next, d, who);
        const device = deviceOf(next, d);
        process.push!.phase = "committed";
        device.scratch &= ~bit(write);
        if (!mayTouchDisk(model, who)) return;
        process.applied = version;
        process.held = digest;
        process.exact = true;
        device.note = { version, digest, sound: true };
        owe(next, d);
      },
    },
  ];
}

/**
 * Ends a write that landed over versions which this disk does not have. The refs stay those of the base. A catch-up
 * brings the versions between, and the write with them.
 */
function leaveDisk(model: Model, d: number, who: Who, write: number): Step {
  return {
    kind: "go",
    label: `${named(d, who)} has landed w${write} over versions that its disk does not have`,
    act: (next) => {
      const { locks } = deviceOf(next, d);
      if (mayTouchDisk(model, who)) for (const ref of writeOf(next, write).refs) locks[ref] = NONE;
      processOf(next, d, who).push!.phase = "committed";
    },
  };
}

/**
 * Offers the report. A write that landed over versions which the disk did not have is reported once the disk has all of
 * them. If an operator has given it up meanwhile, its pusher is told nothing.
 */
export function reportSteps(model: Model, state: State, d: number, who: Who, push: Push): Step[] {
  const { write, version } = push;
  const { base } = writeOf(state, write);
  if (version === base + 1 || !keeps(model, "next-version-only") || !keeps(model, "reported-when-here"))
    return [report(d, who, push)];
  const hangUp: Step = {
    kind: "go",
    label: `${named(d, who)} hangs up on the pusher of w${write}`,
    act: (next) => {
      processOf(next, d, who).push = null;
    },
  };
  if (who === "zombie" || state.log.some((entry) => entry.write === 0 && entry.version > version)) return [hangUp];
  const isHere = processOf(state, d, who).applied >= version && state.recorded[d]! >= version;
  // It does not wait for ever.
  return [isHere ? report(d, who, push) : hangUp];
}

function report(d: number, who: Who, { write, version }: Push): Step {
  return {
    kind: "go",
    label: `${named(d, who)} reports ok for w${write}`,
    act: (next) => {
      const row = writeOf(next, write);
      row.ack = "ok";
      for (const ref of row.refs) next.seen[ref] = Math.max(next.seen[ref]!, Math.min(version, headOf(next)));
      processOf(next, d, who).push = null;
    },
  };
}
