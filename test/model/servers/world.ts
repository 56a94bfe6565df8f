// The world with two servers: all steps that may happen, and the invariants.
import type { Step, World } from "../explorer.ts";
import { Violation } from "../state.ts";
import { deviceSteps } from "./device-steps.ts";
import { messageSteps, pushSteps } from "./push-steps.ts";
import { copy, type ServerModel, type State, start } from "./state.ts";

export function twoServers(model: ServerModel): World<State> {
  return {
    start: () => start(model),
    copy,
    steps: (state) => [
      ...serverSteps(state),
      ...state.messages.flatMap((message) => messageSteps(model, state, message)),
      ...state.devices.flatMap((_, d) => [...deviceSteps(model, state, d), ...pushSteps(model, state, d)]),
    ],
    check,
    withoutFaults: (state) => {
      state.budget = {
        ...state.budget,
        writes: 0,
        reads: 0,
        renewals: 0,
        troubles: 0,
        absences: 0,
        promotions: 0,
        comparisons: 0,
      };
      // The standby comes back, unless it has been promoted.
      if (state.promoted) return;
      state.away = false;
      state.servers[1] = { ...state.servers[0] };
    },
    checkSettled,
  };
}

function serverSteps(state: State): Step<State>[] {
  const steps: Step<State>[] = [];
  const step = (kind: Step<State>["kind"], label: string, act: (next: State) => void) =>
    void steps.push({ kind, label, act });
  const { budget, away, promoted } = state;
  if (budget.ticks > 0)
    step("go", "time passes", (next) => {
      next.budget.ticks -= 1;
      next.now += 1;
    });
  if (promoted) return steps;
  if (!away && budget.absences > 0)
    step("fault", "the standby goes away", (next) => {
      next.budget.absences -= 1;
      next.away = true;
    });
  if (away)
    step("fault", "the standby is back and has everything", (next) => {
      next.away = false;
      next.servers[1] = { ...next.servers[0] };
    });
  if (budget.promotions > 0)
    step("fault", "the standby is promoted, and the old primary lives on", (next) => {
      next.budget.promotions -= 1;
      next.promoted = true;
    });
  return steps;
}

function check(state: State): void {
  const [, { log, stopped }] = state.servers;
  for (const write of state.acknowledged)
    if (!log.includes(write)) throw new Violation(`I2 w${write} was acknowledged and is not on the standby`);
  for (const write of state.refused)
    if (log.includes(write)) throw new Violation(`I2 w${write} was refused and has landed`);
  for (const [d, { disk }] of state.devices.entries())
    if (disk.some((write, index) => log[index] !== write))
      throw new Violation(`I3 d${d} holds what would be lost with the primary`);
  if (stopped) throw new Violation("I9 a repository is stopped of which nothing is lost");
}

function checkSettled(state: State): void {
  const data = state.servers[state.promoted ? 1 : 0];
  const staged = data.rows.find(([, status]) => status === "staged");
  if (staged) throw new Violation(`I4 w${staged[0]} stays staged, and nobody pursues it`);
  for (const [d, { push }] of state.devices.entries())
    if (push) throw new Violation(`I4 the push w${push.write} at d${d} does not end`);
}
