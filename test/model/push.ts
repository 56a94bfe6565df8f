// Models a push, from git's hook to the report. Stands for src/sync/push/push.ts. A push holds the replica's mutex from
// "staged" to "committed".
import { commitSteps, reportSteps } from "./commit.ts";
import { writeOf } from "./database.ts";
import { askSteps, noAnswer, send } from "./decide.ts";
import { waiting } from "./finish.ts";
import { mayJoin } from "./group.ts";
import { prepareSteps, stageSteps } from "./prepare.ts";
import { sessionSteps } from "./session.ts";
import { type Model, NONE, type Process, type Shape, type State, type Update, type Who } from "./state.ts";
import { bit, deviceOf, processOf, type Step } from "./step.ts";

export function pushSteps(model: Model, state: State, d: number, who: Who): Step[] {
  const process = processOf(state, d, who);
  const { push } = process;
  if (push === null) return who === "live" ? arrivals(model, state, d, process) : [];
  switch (push.phase) {
    case "hook":
      return writeOf(state, push.write).session
        ? sessionSteps(model, state, d, who)
        : [...stageSteps(model, state, d, who, push), ...joins(model, state, d, who)];
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
  const { budget } = state;
  if (process.applied < 0 || budget.writes === 0) return [];
  return shapesOf(model, state, d).flatMap((shape) =>
    (budget.sessions > 0 ? [false, true] : [false]).map((session): Step => {
      const w = state.writes.length + 1;
      return {
        kind: "new",
        label: `d${d} ${session ? "session" : "push"} w${w}: ${described(shape)}`,
        act: (next) => {
          if (session) next.budget.sessions -= 1;
          make(next, d, shape, session);
          processOf(next, d, "live").push = waiting(w);
        },
      };
    }),
  );
}

/** Offers further pushes, which wait for the mutex with the one that is there, and may be decided with it. */
function joins(model: Model, state: State, d: number, who: Who): Step[] {
  const { applied, push } = processOf(state, d, who);
  const { budget } = state;
  if (who === "zombie" || applied < 0 || budget.writes === 0 || budget.groups === 0) return [];
  return shapesOf(model, state, d)
    .filter((shape) => mayJoin(model, state, push!, shape))
    .map((shape): Step => {
      const w = state.writes.length + 1;
      return {
        kind: "new",
        label: `d${d} push w${w} waits with w${push!.write}: ${described(shape)}`,
        act: (next) => {
          next.budget.groups -= 1;
          make(next, d, shape, false);
          const mine = processOf(next, d, "live").push!;
          mine.others = [...mine.others, w];
        },
      };
    });
}

/** Returns the shapes of the next write, without deletions of refs that the disk does not have. */
function shapesOf(model: Model, state: State, d: number): readonly Shape[] {
  const disk = deviceOf(state, d).refs;
  const shapes = model.shapes[Math.min(state.writes.length, model.shapes.length - 1)]!;
  return shapes.filter((shape) => shape.every(([ref, act]) => act !== "delete" || disk[ref] !== 0));
}

function described(shape: Shape): string {
  return shape.map(([ref, act]) => `${act} ref${ref}`).join(", ");
}

/** Makes the next write, which has not begun. Its author has seen the refs of the disk. */
function make(next: State, d: number, shape: Shape, session: boolean): void {
  const w = next.writes.length + 1;
  const disk = deviceOf(next, d).refs;
  const changed = shape.filter(([, act]) => act !== "see");
  const refs = changed.map(([ref]) => ref);
  next.budget.writes -= 1;
  if (!session) deviceOf(next, d).objects |= bit(w);
  next.writes.push({
    device: d,
    session,
    atOnce: false,
    refs,
    news: changed.map(([, act]) => (act === "write" ? w : 0)),
    olds: refs.map((ref) => disk[ref]!),
    sees: shape.filter(([, act]) => act === "see").map(([ref]): Update => [ref, disk[ref]!]),
    base: 0,
    baseDigest: NONE,
    status: "new",
    ack: "none",
    lost: false,
    group: [],
  });
}
