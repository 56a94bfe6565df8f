// Models starts and ends of processes, and lost disks. Stands for src/sidecar/serve.ts, sync/lease/lease.ts and
// git/root/root-lock.ts.
import { drop, takeOver, writeOf } from "./database.ts";
import { keepDropped } from "./finish.ts";
import { type Model, NONE, type Process, type State } from "./state.ts";
import { bit, deviceOf, keeps, objectsOf, type Step } from "./step.ts";

export function deviceSteps(model: Model, state: State, d: number): Step[] {
  const { live, zombie } = deviceOf(state, d);
  const { budget } = state;
  const steps: Step[] = [];
  const step = (kind: Step["kind"], label: string, act: Step["act"]) =>
    void steps.push({ kind, label: `d${d} ${label}`, act });
  if (live === null) step("go", "starts", (next) => begin(model, next, d));
  else {
    if (live.fence !== state.fences[d]) step("go", "finds itself fenced and exits", (next) => end(next, d));
    if (budget.kills > 0) step("fault", "is killed", (next) => kill(next, d));
    if (budget.stops > 0 && zombie === null)
      step("fault", "is stopped and replaced", (next) => replace(model, next, d));
    if (budget.prunes > 0 && isAtRest(model, state, d, live))
      step("fault", "prunes objects", (next) => prune(model, next, d));
  }
  if (budget.disks > 0) step("fault", "loses its disk", (next) => loseDisk(next, d));
  return steps;
}

/** Begins a new incarnation: takes the device over and looks at the leftovers of the old one's sessions. */
function begin(model: Model, state: State, d: number): void {
  const fence = takeOver(state, d);
  deviceOf(state, d).live = { fence, applied: NONE, held: 0, exact: false, push: null, flight: null };
  state.writes.forEach((_, index) => {
    keepDropped(model, state, d, index + 1);
  });
}

function end(state: State, d: number): void {
  const device = deviceOf(state, d);
  device.live = null;
  device.query = NONE;
  // An admitted read continues, because git's own process serves it.
  if (device.read?.who === "live" && device.read.phase !== "admitted") device.read = null;
}

function kill(state: State, d: number): void {
  state.budget.kills -= 1;
  end(state, d);
}

/**
 * Stops a process (SIGSTOP) until its lease has ended. It may wake up later, but its git children have ended by then.
 */
function replace(model: Model, state: State, d: number): void {
  const device = deviceOf(state, d);
  state.budget.stops -= 1;
  device.zombie = keeps(model, "old-process-gone") ? { ...device.live!, flight: null } : device.live;
  device.query = NONE;
  if (device.read) device.read.who = "zombie";
  begin(model, state, d);
}

function isAtRest(model: Model, state: State, d: number, { applied, push, flight, fence }: Process): boolean {
  const head = state.log.at(-1)?.version ?? 0;
  const current = applied === head || !keeps(model, "landed-objects-kept");
  return current && push === null && flight === null && fence === state.fences[d];
}

/** Models git prune at the head, which removes objects that no ref and no pin reaches. */
function prune(model: Model, state: State, d: number): void {
  const device = deviceOf(state, d);
  state.budget.prunes -= 1;
  state.writes.forEach(({ status }, index) => {
    if (status === "landed" || status === "dropped") device.pins &= ~bit(index + 1);
  });
  const pinned = keeps(model, "copies-pinned") ? device.pins : 0;
  device.objects &= objectsOf([0, ...device.refs]) | device.saved | device.scratch | pinned;
}

function loseDisk(state: State, d: number): void {
  const device = deviceOf(state, d);
  state.budget.disks -= 1;
  end(state, d);
  Object.assign(device, { zombie: null, read: null, objects: 1, pins: 0, saved: 0, scratch: 0, note: null });
  device.refs.fill(0);
  device.locks.fill(NONE);
  state.owed = state.owed.filter(([owner]) => owner !== d);
}

/**
 * Offers to settle abandoned staged writes: in the background (src/sync/turn/abandon.ts), or when a session's lease
 * ends.
 */
export function abandonedSteps(state: State): Step[] {
  return state.writes.flatMap((write, index): Step[] => {
    const w = index + 1;
    const pursued = state.devices.some(({ live, zombie }) => live?.push?.write === w || zombie?.push?.write === w);
    const expired = write.session && !state.turn.includes(w);
    if (write.status !== "staged" || (pursued && !expired)) return [];
    return [
      {
        kind: "go",
        label: `w${w} is dropped: ${expired ? "its lease ran out" : "nobody pursues it"}`,
        act: (next) => drop(next, w),
      },
    ];
  });
}

export function leaseSteps(state: State): Step[] {
  if (state.budget.leases === 0) return [];
  return state.turn
    .filter((w) => writeOf(state, w).session)
    .map((w) => ({
      kind: "fault",
      label: `the lease of session w${w} runs out`,
      act: (next) => {
        next.budget.leases -= 1;
        next.turn = next.turn.filter((ticket) => ticket !== w);
      },
    }));
}
