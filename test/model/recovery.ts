// Models the first access of a new incarnation to a replica, and the access to a replica in doubt. Stands for
// src/sync/catch-up/recover.ts.
import { isAhead } from "./database.ts";
import { mutexIsFree, startSteps, wholeFold } from "./flight.ts";
import { digestAt } from "./log.ts";
import { type Model, NONE, type Note, type State, type Who } from "./state.ts";
import { deviceOf, keeps, named, objectsOf, processOf, type Step } from "./step.ts";

export function recoverySteps(model: Model, state: State, d: number, who: Who): Step[] {
  const process = processOf(state, d, who);
  const { note } = deviceOf(state, d);
  if (!mutexIsFree(process)) return [];
  const name = named(d, who);
  if (state.demoted[d]) {
    if (state.fences[d] !== process.fence) return [];
    return [{ kind: "go", label: `${name} saves what its refs held`, act: (next) => saveLost(model, next, d) }];
  }
  if (note && isAhead(model, state, note.version, note.digest, keeps(model, "digest-in-recovery"))) {
    const find = (next: State) => {
      next.ahead[d] = true;
    };
    return state.ahead[d] ? [] : [{ kind: "go", label: `${name} finds its disk ahead`, act: find }];
  }
  if (note && isBelieved(state, d, note)) {
    const believe = (next: State) => {
      sweep(model, next, d);
      const mine = processOf(next, d, who);
      mine.applied = note.version;
      mine.held = note.digest;
      mine.exact = false;
    };
    return [{ kind: "go", label: `${name} believes its note of v${note.version}`, act: believe }];
  }
  return startSteps(model, state, d, who, wholeFold(state)).map((step) => ({
    ...step,
    act: (next) => {
      sweep(model, next, d);
      step.act(next);
    },
  }));
}

/** Returns whether a note may be believed after a restart: note, row and log agree. */
function isBelieved(state: State, d: number, { version, digest, sound }: Note): boolean {
  return sound && state.recorded[d] === version && digestAt(state, version) === digest;
}

function sweep(model: Model, state: State, d: number): void {
  if (keeps(model, "sweep")) deviceOf(state, d).locks.fill(NONE);
}

/** Saves the refs below refs/lockstep/lost/, before the device follows the log. */
function saveLost(model: Model, state: State, d: number): void {
  const device = deviceOf(state, d);
  if (keeps(model, "lost-refs-kept")) device.saved |= objectsOf(device.refs);
  device.note = null;
  state.demoted[d] = false;
}
