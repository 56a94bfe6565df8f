// Models a push, from git's hook to the report. Stands for src/sync/push/push.ts. A push holds the replica's mutex from
// "staged" to "committed".

import { commitSteps, reportSteps } from "./commit.ts";
import { writeOf } from "./database.ts";
import { askSteps, noAnswer, send } from "./decide.ts";
import { prepareSteps, stageSteps } from "./prepare.ts";
import { sessionSteps } from "./session.ts";
import { type Model, NONE, type Process, type State, type Update, type Who } from "./state.ts";
import { bit, deviceOf, processOf, type Step } from "./step.ts";

export function pushSteps(model: Model, state: State, d: number, who: Who): Step[] {
  const process = processOf(state, d, who);
  const { push } = process;
  if (push === null) return who === "live" ? arrivals(model, state, d, process) : [];
  switch (push.phase) {
    case "hook":
    case "checked":
      return writeOf(state, push.write).session
        ? sessionSteps(model, state, d, who)
        : stageSteps(model, state, d, who, push);
    case "queued":
    case "begun":
    case "written":
      return sessionSteps(model, state, d, who);
    case "staged":
      return prepareSteps(model, state, d, who, push);
    case "prepared":
      return [send(model, d, who, push)];
    case "sent":
    case "resent":
      return state.budget.net > 0 ? [noAnswer(d, who, push)] : [];
    case "unknown":
    case "ask":
      return askSteps(model, d, who, push);
    case "landed":
      return commitSteps(model, state, d, who, push);
    case "committed":
      return reportSteps(model, state, d, who, push);
  }
}

function arrivals(model: Model, state: State, d: number, process: Process): Step[] {
  const { budget, devices } = state;
  if (process.applied < 0 || budget.writes === 0) return [];
  const shapes = model.shapes[Math.min(state.writes.length, model.shapes.length - 1)]!;
  const disk = devices[d]!.refs;
  const w = state.writes.length + 1;
  return shapes
    .filter((shape) => shape.every(([ref, act]) => act !== "delete" || disk[ref] !== 0))
    .flatMap((shape) =>
      (budget.sessions > 0 ? [false, true] : [false]).map((session): Step => {
        const changed = shape.filter(([, act]) => act !== "see");
        const refs = changed.map(([ref]) => ref);
        const what = shape.map(([ref, act]) => `${act} ref${ref}`).join(", ");
        return {
          kind: "new",
          label: `d${d} ${session ? "session" : "push"} w${w}: ${what}`,
          act: (next) => {
            next.budget.writes -= 1;
            if (session) next.budget.sessions -= 1;
            else deviceOf(next, d).objects |= bit(w);
            const news = changed.map(([, act]) => (act === "write" ? w : 0));
            const olds = refs.map((ref) => disk[ref]!);
            next.writes.push({
              device: d,
              session,
              atOnce: false,
              refs,
              news,
              olds,
              sees: shape.filter(([, act]) => act === "see").map(([ref]): Update => [ref, disk[ref]!]),
              base: 0,
              baseDigest: NONE,
              status: "new",
              ack: "none",
              lost: false,
            });
            processOf(next, d, "live").push = {
              write: w,
              phase: "hook",
              version: NONE,
              digest: NONE,
              pos: 0,
              copied: false,
            };
          },
        };
      }),
    );
}
