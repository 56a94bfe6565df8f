// Makes the first state of a world, and copies of states.
import type { World } from "./explorer.ts";
import { check, checkSettled } from "./invariants.ts";
import {
  type Budget,
  digestOf,
  type Entry,
  type Model,
  NONE,
  type Process,
  type Shape,
  type State,
  type Update,
  type Write,
} from "./state.ts";
import { stepsFrom } from "./steps.ts";

export function cluster(model: Model): World<State> {
  return {
    start: () => start(model),
    copy: copyState,
    steps: (state) => stepsFrom(model, state),
    check: (state) => check(model, state),
    withoutFaults: ({ budget }) => {
      for (const fault of Object.keys(budget) as (keyof Budget)[]) budget[fault] = 0;
    },
    checkSettled: (state) => checkSettled(model, state),
  };
}

function start(model: Model): State {
  const { before } = model;
  const zeros = Array<number>(model.refs).fill(0);
  const refs = [...zeros];
  const log = before.map((shape, index): Entry => {
    const updates = shape.map(([ref, act]): Update => [ref, act === "write" ? index + 1 : 0]);
    for (const [ref, value] of updates) refs[ref] = value;
    return { version: index + 1, write: index + 1, updates, digest: digestOf(refs) };
  });
  const version = before.length;
  const digest = digestOf(refs);
  const each = <T>(make: () => T): T[] => Array.from({ length: model.devices }, make);
  return {
    log,
    lost: [],
    trimmed: 0,
    writes: before.map((shape) => landedBefore(shape)),
    fences: each(() => 1),
    turn: [],
    recorded: each(() => version),
    ahead: each(() => false),
    demoted: each(() => false),
    messages: [],
    writeStop: "off",
    shown: null,
    devices: each(() => ({
      refs: [...refs],
      locks: zeros.map(() => NONE),
      objects: 2 ** (version + 1) - 1,
      pins: 0,
      saved: 0,
      scratch: 0,
      note: { version, digest, sound: true },
      live: { fence: 1, applied: version, held: digest, exact: true, push: null, flight: null },
      zombie: null,
      read: null,
      query: NONE,
    })),
    seen: zeros.map((_, ref) => log.findLast(({ updates }) => updates.some(([r]) => r === ref))?.version ?? 0),
    owed: [],
    budget: { ...model.budget },
  };
}

function landedBefore(shape: Shape): Write {
  const refs = shape.map(([ref]) => ref);
  const made = {
    device: 0,
    session: false,
    atOnce: false,
    refs,
    news: [],
    olds: [],
    sees: [],
    base: 0,
    baseDigest: 0,
    group: [],
  };
  return { ...made, status: "landed", ack: "ok", lost: false };
}

function copyState(state: State): State {
  return {
    ...state,
    writes: state.writes.map((write) => ({ ...write })),
    fences: [...state.fences],
    recorded: [...state.recorded],
    ahead: [...state.ahead],
    demoted: [...state.demoted],
    devices: state.devices.map((device) => ({
      ...device,
      refs: [...device.refs],
      locks: [...device.locks],
      live: copyProcess(device.live),
      zombie: copyProcess(device.zombie),
      read: device.read && { ...device.read },
    })),
    seen: [...state.seen],
    budget: { ...state.budget },
  };
}

function copyProcess(process: Process | null): Process | null {
  return (
    process && {
      ...process,
      push: process.push && { ...process.push },
      flight: process.flight && { ...process.flight },
    }
  );
}
