// Models a fail-over of the database to a standby that lacks the last commits. If a disk holds a lost write, its value
// is owed to the pusher: it must be kept.
import { headOf, newestWith } from "./log.ts";
import type { State } from "./state.ts";
import type { Step } from "./step.ts";

/**
 * Lets a write that the fail-over lost reach the disk afterwards. A read that was admitted before the fail-over may
 * find it. The value that it replaces is part of its history.
 */
export function reaches(state: State, d: number, ref: number, value: number): void {
  const device = state.devices[d]!;
  if (newestWith(state, ref, value) >= 0) return;
  if (device.read?.phase === "admitted") device.read = null;
  supersede(state, d, ref);
}

/** Marks the value that a landed write replaces as part of its history, so it is no longer owed. */
export function supersede(state: State, d: number, ref: number): void {
  const replaced = state.devices[d]!.refs[ref];
  state.owed = state.owed.filter(([owner, owed]) => owner !== d || owed !== replaced);
}

/** Marks lost writes as owed when the disk and the note have them completely. */
export function owe(state: State, d: number): void {
  const noted = state.devices[d]!.note?.version ?? 0;
  const lost = state.lost
    .filter(({ version }) => version <= noted)
    .flatMap(({ updates }) => updates.map(([, value]) => value));
  for (const [ref, value] of state.devices[d]!.refs.entries()) {
    const owed = state.owed.some(([owner, known]) => owner === d && known === value);
    if (lost.includes(value) && !owed && newestWith(state, ref, value) < 0) state.owed = [...state.owed, [d, value]];
  }
}

export function failOverSteps(state: State): Step[] {
  if (state.budget.failOvers === 0) return [];
  return state.log.flatMap(({ write }, index): Step[] => {
    // The versions of a group are in one transaction.
    if (state.writes[write - 1]?.group.includes(state.log[index - 1]?.write ?? 0)) return [];
    return [
      {
        kind: "fault",
        label: `the database fails over and loses the last ${state.log.length - index} versions`,
        act: (next) => failOver(next, index),
      },
    ];
  });
}

function failOver(state: State, kept: number): void {
  const lost = state.log.slice(kept);
  state.budget.failOvers -= 1;
  state.lost = lost;
  state.log = state.log.slice(0, kept);
  const head = headOf(state);
  for (const { write } of lost) {
    const row = state.writes[write - 1];
    if (row) Object.assign(row, { status: row.atOnce ? "new" : "staged", lost: true });
  }
  state.recorded = state.recorded.map((version) => Math.min(version, head));
  state.seen = state.seen.map((version) => Math.min(version, head));
  state.devices.forEach((device, d) => {
    const { note } = device;
    if (note !== null && note.version > head) owe(state, d);
    // The old primary answered this read, so it came before the fail-over.
    if (device.read?.phase !== "arrived") device.read = null;
    else device.read = { ...device.read, need: device.read.need.map((version) => Math.min(version, head)) };
    device.query = -1;
  });
}
