// Models a write session up to its BumpVersion: ticket, turn, row, and the caller's work in a scratch repository. After
// that it continues as a push. Stands for src/sync/session/renew-write.ts and lockstep.begin_session.
import { refusesStaged, writeOf } from "./database.ts";
import { finish } from "./finish.ts";
import { foldAtHead, headOf } from "./log.ts";
import { copySteps, isApplying, needsCopies, prepareSteps } from "./prepare.ts";
import { differenceOf, digestOf, type Model, NONE, type Process, type Push, type State, type Who } from "./state.ts";
import { bit, deviceOf, keeps, named, processOf, type Step } from "./step.ts";

export function sessionSteps(model: Model, state: State, d: number, who: Who): Step[] {
  const process = processOf(state, d, who);
  const push = process.push!;
  const w = push.write;
  const go = (label: string, act: (next: State) => void): Step[] => [
    { kind: "go", label: `${named(d, who)} ${label} w${w}`, act },
  ];
  const end = (next: State) => finish(model, next, d, who, true);
  if (push.phase !== "hook" && writeOf(state, w).status === "dropped") return go("ends the dropped session", end);
  switch (push.phase) {
    case "hook":
      if (state.fences[d] !== process.fence) return go("refuses", end);
      return go("takes a ticket for", (next) => {
        next.turn = [...next.turn, w];
        processOf(next, d, who).push!.phase = "queued";
      });
    case "queued":
      if (!state.turn.includes(w) || state.writeStop !== "off" || refusesStaged(model, state))
        return go("refuses", end);
      if (state.turn[0] !== w || process.applied !== headOf(state) || state.fences[d] !== process.fence) return [];
      return go("begins the session", (next) => begin(next, d, who, w));
    case "begun":
      return keeps(model, "scratch")
        ? go("has what the caller writes in the scratch of", (next) => {
            deviceOf(next, d).scratch |= bit(w);
            deviceOf(next, d).objects |= bit(w);
            processOf(next, d, who).push!.phase = "written";
          })
        : writeLive(state, d, who, push);
    default:
      return bumpVersion(model, state, d, who, process, push);
  }
}

function begin(next: State, d: number, who: Who, w: number): void {
  const write = writeOf(next, w);
  const held = foldAtHead(next);
  write.status = "staged";
  write.base = headOf(next);
  write.baseDigest = digestOf(held);
  write.olds = write.refs.map((ref) => held[ref]!);
  const push = processOf(next, d, who).push!;
  push.phase = "begun";
  push.digest = write.baseDigest + differenceOf(held.length, write);
}

/** Offers the changes of a caller who works in the live repository. */
function writeLive(state: State, d: number, who: Who, push: Push): Step[] {
  const { refs, news } = writeOf(state, push.write);
  const ref = refs[push.pos]!;
  return [
    {
      kind: "go",
      label: `the caller of w${push.write} writes ref${ref} of d${d}`,
      act: (next) => {
        const device = deviceOf(next, d);
        device.refs[ref] = news[push.pos]!;
        device.objects |= bit(push.write);
        const mine = processOf(next, d, who).push!;
        mine.pos += 1;
        if (mine.pos === refs.length) mine.phase = "prepared";
      },
    },
  ];
}

function bumpVersion(model: Model, state: State, d: number, who: Who, process: Process, push: Push): Step[] {
  if (needsCopies(model, push)) return copySteps(state, d, who, push);
  const locked = writeOf(state, push.write).refs.some((ref) => deviceOf(state, d).locks[ref] !== NONE);
  if (isApplying(process) || process.applied !== writeOf(state, push.write).base || locked) return [];
  return prepareSteps(model, state, d, who, push);
}
