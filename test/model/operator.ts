// Models the actions of operators: stop writes, demote, promote, trim. Stands for lockstep.thaw, write_stop and their
// commands.
import { append, dropAllStaged, writeOf } from "./database.ts";
import { mutexIsFree } from "./flight.ts";
import { digestAt, fold, foldAtHead, headOf } from "./log.ts";
import { type Model, NONE, type State, type Update, Violation } from "./state.ts";
import { deviceOf, keeps, objectsOf, processOf, type Step } from "./step.ts";

export function operatorSteps(model: Model, state: State): Step[] {
  const { budget } = state;
  const steps = [...writeStopSteps(model, state), ...aheadSteps(state)];
  if (state.shown) steps.push(...confirmSteps(model, state, state.shown));
  else
    state.devices.forEach((_, device) => {
      const gone = objectsAreGone(state) && state.devices[device]!.live?.applied !== headOf(state);
      if (budget.demotes === 0 && !gone) return;
      const show = (next: State) => {
        if (budget.demotes > 0) next.budget.demotes -= 1;
        next.shown = { device, head: headOf(next) };
      };
      const worthIt = bestSurvivor(state, device) !== undefined;
      if (worthIt)
        steps.push({ kind: gone ? "go" : "fault", label: `an operator looks at demoting d${device}`, act: show });
    });
  if (budget.trims > 0 && state.trimmed < headOf(state)) steps.push(trim());
  return steps;
}

function trim(): Step {
  return {
    kind: "fault",
    label: "the log is trimmed",
    act: (next) => {
      next.budget.trims -= 1;
      next.trimmed = headOf(next);
    },
  };
}

function writeStopSteps(model: Model, state: State): Step[] {
  const quiet = !state.writes.some(({ status }) => status === "staged");
  const step = (kind: Step["kind"], label: string, writeStop: State["writeStop"]): Step[] => [
    {
      kind,
      label,
      act: (next) => {
        if (writeStop === "refusing") next.budget.writeStops -= 1;
        next.writeStop = writeStop;
      },
    },
  ];
  switch (state.writeStop) {
    case "off":
      // The lock of stop_new_writes.
      if (keeps(model, "stop-waits") && state.messages.some(([, , stage]) => stage === 3)) return [];
      return state.budget.writeStops > 0 ? step("fault", "a stop of writes begins", "refusing") : [];
    case "refusing":
      if (!quiet) return [];
      return keeps(model, "write-stop-refuses-staged")
        ? step("go", "the stop refuses staged writes too", "refusing staged")
        : step("go", "the stop of writes returns", "returned");
    case "refusing staged":
      return quiet ? step("go", "the stop of writes returns", "returned") : [];
    case "returned":
      return step("go", "the stop of writes ends", "off");
  }
}

/** Returns whether some object of the head is on no disk any more. */
export function objectsAreGone(state: State): boolean {
  const had = state.devices.reduce((sum, { objects }) => sum | objects, 0);
  return (objectsOf(foldAtHead(state)) & ~had) !== 0;
}

/**
 * Returns the live device with the newest version, without `device`. Returns undefined unless that version is older
 * than the head.
 */
function bestSurvivor(state: State, device: number): number | undefined {
  const others = state.devices.map((_, e) => e).filter((e) => e !== device);
  const newest = Math.max(...others.map((e) => Math.max(state.recorded[e]!, state.devices[e]!.live?.applied ?? NONE)));
  if (newest >= headOf(state) || state.ahead.includes(true) || othersHaveMore(state, device, newest)) return undefined;
  return others.find((e) => {
    const { live } = state.devices[e]!;
    return (
      live !== null &&
      live.fence === state.fences[e] &&
      live.applied === newest &&
      live.held === digestAt(state, newest)
    );
  });
}

/**
 * Returns whether other devices wrote versions above `newest`. If the next one is gone with the device, it counts only
 * who wrote on the version before: the others do not have it.
 */
function othersHaveMore(state: State, device: number, newest: number): boolean {
  const above = state.log.filter(({ version, write }) => version > newest && write !== 0);
  const nextIsGone = above[0] !== undefined && writeOf(state, above[0].write).device === device;
  return above.some(({ version, write }) => {
    const { device: writer, base } = writeOf(state, write);
    return writer !== device && (!nextIsGone || base === version - 1);
  });
}

/** Models thaw --demote: appends the refs of the best survivor, if the head is still the shown one. */
function confirmSteps(model: Model, state: State, shown: NonNullable<State["shown"]>): Step[] {
  const survivor = bestSurvivor(state, shown.device);
  const moved = headOf(state) !== shown.head;
  if (survivor === undefined || (moved && keeps(model, "head-as-shown")))
    return [
      {
        kind: "go",
        label: "the operator lets it be",
        act: (next) => {
          next.shown = null;
        },
      },
    ];
  return [
    {
      kind: "go",
      label: `d${shown.device} is demoted to what d${survivor} holds`,
      act: (next) => demote(next, shown, survivor),
    },
  ];
}

function demote(state: State, { device, head }: NonNullable<State["shown"]>, survivor: number): void {
  const keep = processOf(state, survivor, "live").applied;
  const unseen = state.log.find(({ version }) => version > Math.max(head, keep));
  if (unseen) throw new Violation(`I9 v${unseen.version} is given up, which no operator was shown`);
  for (const { version, write } of state.log) {
    const row = state.writes[write - 1];
    if (version > keep && row?.ack === "ok" && row.device !== device)
      throw new Violation(`I8 v${version} is given up, which was acknowledged by d${row.device}, with d${device}`);
  }
  const now = foldAtHead(state);
  const wanted = fold(state.log, state.seen.length, keep);
  giveUp(state, device, wanted);
  dropAllStaged(state);
  append(state, 0, headOf(state) + 1, changesBetween(now, wanted));
  state.shown = null;
}

/** Gives the device a new fence. When it returns, the values that only its refs hold must be kept. */
function giveUp(state: State, device: number, wanted: readonly number[]): void {
  const { refs, note } = deviceOf(state, device);
  state.fences[device] = state.fences[device]! + 1;
  if (note === null) return;
  state.demoted[device] = true;
  const owed = refs
    .filter((value, ref) => value !== 0 && value !== wanted[ref])
    .map((value) => [device, value] as const);
  state.owed = [...state.owed, ...owed];
}

function changesBetween(now: readonly number[], wanted: readonly number[]): Update[] {
  return wanted.map((value, ref): Update => [ref, value]).filter(([ref, value]) => now[ref] !== value);
}

/**
 * Offers the ends of a disk that is ahead of the database: thaw --promote makes it the next version, or it is given up.
 */
function aheadSteps(state: State): Step[] {
  return state.ahead.flatMap((ahead, d): Step[] => {
    const { live } = deviceOf(state, d);
    if (!ahead) return [];
    const steps: Step[] = [
      { kind: "go", label: `d${d}, which is ahead, is given up`, act: (next) => settleAhead(next, d, null) },
    ];
    if (live && live.fence === state.fences[d] && live.flight === null && mutexIsFree(live))
      steps.push({
        kind: "go",
        label: `d${d}, which is ahead, is promoted`,
        act: (next) => settleAhead(next, d, deviceOf(next, d).refs),
      });
    return steps;
  });
}

function settleAhead(state: State, d: number, promoted: readonly number[] | null): void {
  state.ahead[d] = false;
  dropAllStaged(state);
  if (promoted === null) giveUp(state, d, foldAtHead(state));
  else promote(state, d, promoted);
}

function promote(state: State, d: number, refs: readonly number[]): void {
  const live = processOf(state, d, "live");
  const device = deviceOf(state, d);
  const held = Math.max(live.applied, device.note?.version ?? 0);
  // A number above every version that a disk may hold.
  const version = Math.max(headOf(state), held) + 1;
  append(state, 0, version, changesBetween(foldAtHead(state), refs));
  // The versions below this disk's version are in its history.
  const history = state.lost.filter((entry) => entry.version <= held).flatMap(({ updates }) => updates);
  state.lost = state.lost.filter((entry) => entry.version > held);
  state.owed = state.owed.filter(([, owed]) => history.every(([, value]) => value !== owed));
  device.locks.fill(NONE);
  live.applied = version;
  live.held = digestAt(state, version)!;
  live.exact = true;
  device.note = { version, digest: live.held, sound: true };
}
