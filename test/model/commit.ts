// Models the steps after the decision: refs, note, report. They are never undone. Stands for the second half of
// src/sync/write/attempt.ts, and for apply.ts.
import { writeOf } from "./database.ts";
import { owe, reaches, supersede } from "./fail-over.ts";
import { mayTouchDisk, nextOf, tear } from "./finish.ts";
import { writesOf } from "./group.ts";
import { headOf } from "./log.ts";
import { type Model, NONE, type Push, type State, type Who } from "./state.ts";
import { bit, deviceOf, keeps, named, processOf, type Step } from "./step.ts";

/**
 * Offers the commit of update-ref, ref by ref as git renames lock files. Then the note, and last the version in memory.
 */
export function commitSteps(model: Model, state: State, d: number, who: Who, push: Push): Step[] {
  const { write, version, digest, pos, others } = push;
  const { session, base } = writeOf(state, write);
  if (version !== base + 1 && keeps(model, "next-version-only")) return [leaveDisk(model, d, who, push)];
  const ref = writesOf(push).flatMap((w) => writeOf(state, w).refs)[pos];
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
            process.push = nextOf(push.waiting);
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
        process.applied = keeps(model, "last-of-group") ? version + others.length : version;
        process.held = digest;
        process.exact = true;
        device.note = { version: process.applied, digest, sound: true };
        owe(next, d);
      },
    },
  ];
}

/**
 * Ends a write that landed over versions which this disk does not have. The refs stay those of the base. A catch-up
 * brings the versions between, and the write with them.
 */
function leaveDisk(model: Model, d: number, who: Who, push: Push): Step {
  return {
    kind: "go",
    label: `${named(d, who)} has landed w${push.write} over versions that its disk does not have`,
    act: (next) => {
      const { locks } = deviceOf(next, d);
      for (const w of mayTouchDisk(model, who) ? writesOf(push) : [])
        for (const ref of writeOf(next, w).refs) locks[ref] = NONE;
      processOf(next, d, who).push!.phase = "committed";
    },
  };
}

/**
 * Offers the report. A write that landed over versions which the disk did not have is reported once the disk has all of
 * them. If an operator has given it up meanwhile, its pusher is told nothing.
 */
export function reportSteps(model: Model, state: State, d: number, who: Who, push: Push): Step[] {
  const { write, others } = push;
  const { base } = writeOf(state, write);
  const version = push.version + others.length;
  if (push.version === base + 1 || !keeps(model, "next-version-only") || !keeps(model, "reported-when-here"))
    return [report(d, who, push)];
  const hangUp: Step = {
    kind: "go",
    label: `${named(d, who)} hangs up on the pusher of w${write}`,
    act: (next) => {
      processOf(next, d, who).push = nextOf(push.waiting);
    },
  };
  if (who === "zombie" || state.log.some((entry) => entry.write === 0 && entry.version > version)) return [hangUp];
  const isHere = processOf(state, d, who).applied >= version && state.recorded[d]! >= version;
  // It does not wait for ever.
  return [isHere ? report(d, who, push) : hangUp];
}

function report(d: number, who: Who, push: Push): Step {
  return {
    kind: "go",
    label: `${named(d, who)} reports ok for w${writesOf(push).join(", w")}`,
    act: (next) => {
      for (const [index, w] of writesOf(push).entries()) {
        const row = writeOf(next, w);
        row.ack = "ok";
        const seen = Math.min(push.version + index, headOf(next));
        for (const ref of row.refs) next.seen[ref] = Math.max(next.seen[ref]!, seen);
      }
      processOf(next, d, who).push = nextOf(push.waiting);
    },
  };
}
