// Models the beginning of every catch-up: it reads the log, fetches the objects and takes the mutex. Stands for
// src/sync/objects/fetch-objects.ts.
import { digestAt, foldAtHead, headOf } from "./log.ts";
import { isApplying } from "./prepare.ts";
import { type Flight, type Model, NONE, type Process, type State, type Who } from "./state.ts";
import { deviceOf, keeps, named, objectsOf, processOf, type Step } from "./step.ts";

export function wholeFold(state: State): Flight {
  const to = headOf(state);
  const changes = foldAtHead(state).map((value, ref) => [ref, value, to] as const);
  return {
    from: NONE,
    to,
    digest: digestAt(state, to)!,
    whole: true,
    changes,
    stalePlan: null,
    copyOf: NONE,
    plan: null,
    pos: 0,
  };
}

/** Offers the start if every object is on the own disk or on a live device. */
export function startSteps(model: Model, state: State, d: number, who: Who, flight: Flight): Step[] {
  const wants = objectsOf(flight.changes.map(([, value]) => value));
  const had = state.devices.reduce((sum, { live, objects }, e) => (live || e === d ? sum | objects : sum), 0);
  if ((wants & ~had) !== 0) return [];
  return [
    {
      kind: "go",
      label: `${named(d, who)} has what it needs for v${flight.to}${flight.whole ? ", all of it" : ""}`,
      act: (next) => {
        if (keeps(model, "objects-before-refs")) deviceOf(next, d).objects |= wants;
        processOf(next, d, who).flight = { ...flight };
      },
    },
  ];
}

/** Returns whether neither a push nor a catch-up holds the mutex. */
export function mutexIsFree(process: Process): boolean {
  const outside = ["hook", "checked", "queued", "begun", "written", "committed"];
  return !isApplying(process) && (process.push === null || outside.includes(process.push.phase));
}
