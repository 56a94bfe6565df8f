// Models the decision of a write, also with a lost answer. Stands for src/sync/write/decide.ts.
import { bump, type Outcome, refusesAtOnce, settle, versionOf, writeOf } from "./database.ts";
import { doubt, finish } from "./finish.ts";
import { fallApart, writesOf } from "./group.ts";
import { type Model, type Push, type State, Violation, type Who } from "./state.ts";
import { deviceOf, keeps, named, processOf, type Step } from "./step.ts";

export function send(model: Model, d: number, who: Who, push: Push): Step {
  const { write, others } = push;
  return {
    kind: "go",
    label: `${named(d, who)} sends the bump of w${writesOf(push).join(", w")}`,
    act: (next) => {
      if (!keeps(model, "report-after-bump")) writeOf(next, write).ack = "ok";
      if (!keeps(model, "group-after-bump")) for (const w of others) writeOf(next, w).ack = "ok";
      const process = processOf(next, d, who);
      post(next, write, process.fence, 0);
      process.push!.phase = "sent";
    },
  };
}

function post(state: State, write: number, fence: number, again: number): void {
  if (!state.messages.some(([w, f, a]) => w === write && f === fence && a === again))
    state.messages = [...state.messages, [write, fence, again] as const].sort(
      ([a, b, c], [x, y, z]) => a - x || b - y || c - z,
    );
}

export function noAnswer(d: number, who: Who, { write }: Push): Step {
  return {
    kind: "fault",
    label: `${named(d, who)} gets no answer for w${write}`,
    act: (next) => {
      next.budget.net -= 1;
      processOf(next, d, who).push!.phase = "unknown";
    },
  };
}

/** Offers to call lockstep.settle_write until it answers. After 15 minutes the pusher is cut off without a report. */
export function askSteps(model: Model, d: number, who: Who, push: Push): Step[] {
  const { write, phase, asked } = push;
  const name = named(d, who);
  const asks = writesOf(push)
    .filter((w) => !asked.includes(w))
    .map(
      (w): Step => ({
        kind: "go",
        label: `${name} asks what became of w${w}`,
        act: (next) => ask(model, next, d, who, w),
      }),
    );
  if (phase === "ask") return asks;
  const refuse: Step = {
    kind: "go",
    label: `${name} takes no answer for a no to w${write}`,
    act: (next) => finish(model, next, d, who, true),
  };
  const isAsking = asked.length > 0;
  const repeat = (next: State) => {
    const process = processOf(next, d, who);
    post(next, write, process.fence, 1);
    process.push!.phase = "resent";
  };
  const giveUp = (next: State) => {
    finish(model, next, d, who, false);
    doubt(model, next, d, who);
  };
  return [
    ...asks,
    ...(keeps(model, "row-asked") ? [] : [refuse]),
    ...(isAsking ? [] : [{ kind: "fault", label: `${name} repeats the bump of w${write}`, act: repeat } as const]),
    { kind: "fault", label: `${name} gives w${write} up, hangs up`, act: giveUp },
  ];
}

/** Asks for a row. When those of all writes were asked for, they have landed together, or none has. */
function ask(model: Model, state: State, d: number, who: Who, w: number): void {
  const push = processOf(state, d, who).push!;
  settle(model, state, w);
  push.asked = [...push.asked, w].sort((one, other) => one - other);
  const writes = writesOf(push);
  if (push.asked.length < writes.length) return;
  const dropped = writes.filter((each) => writeOf(state, each).status !== "landed");
  if (dropped.length === 0) landed(state, d, who, push.write);
  else if (writes.length === 1) finish(model, state, d, who, true);
  else if (dropped.length === writes.length) fallApart(model, state, d, who);
  else throw new Violation(`I2 of w${writes.join(", w")} only some have landed`);
}

function landed(state: State, d: number, who: Who, write: number): void {
  const process = processOf(state, d, who);
  const push = process.push!;
  push.phase = "landed";
  push.version = versionOf(state, write);
  push.asked = [];
  push.pos = 0;
}

/** Offers the arrival of a bump at the database, now or much later. If its push still waits, it gets the answer. */
export function bumpSteps(model: Model, state: State, message: State["messages"][number]): Step[] {
  const [w, fence, stage] = message;
  const without = (next: State) => next.messages.filter((each) => each !== message);
  const arrive: Step = {
    kind: "go",
    label: `the bump of w${w} with fence ${fence} is done`,
    act: (next) => {
      next.messages = without(next);
      answer(model, next, message, bump(model, next, w, fence, stage));
    },
  };
  const { atOnce, status } = writeOf(state, w);
  if (stage === 0 && atOnce && status === "new" && model.budget.writeStops > 0 && !refusesAtOnce(model, state)) {
    const look: Step = {
      kind: "go",
      label: `the bump of w${w} finds no stop of writes`,
      act: (next) => {
        next.messages = [...without(next), [w, fence, 3]];
      },
    };
    return [arrive, look];
  }
  // A bump has several statements. Between them the other bump may land, and the device may be taken over.
  if (stage !== 1 || writeOf(state, w).status === "landed") return [arrive];
  const look: Step = {
    kind: "go",
    label: `the repeated bump of w${w} finds nothing landed`,
    act: (next) => {
      next.messages = [...without(next), [w, fence, 2]];
    },
  };
  return [arrive, look];
}

/** Returns the phase of a push that waits for the answer to this message. */
export function waitingFor([, , stage]: State["messages"][number]): "sent" | "resent" {
  return stage === 0 || stage === 3 ? "sent" : "resent";
}

function answer(model: Model, state: State, message: State["messages"][number], outcome: Outcome): void {
  const [w, fence] = message;
  const d = writeOf(state, w).device;
  for (const who of ["live", "zombie"] as const) {
    const process = deviceOf(state, d)[who];
    if (process?.fence !== fence || process.push?.write !== w || process.push.phase !== waitingFor(message)) continue;
    if (outcome === "landed") landed(state, d, who, w);
    else if (outcome === "fenced" && !keeps(model, "row-asked")) finish(model, state, d, who, true);
    else process.push.phase = "ask";
  }
}
