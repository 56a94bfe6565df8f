// Models a push from its staging to its report. Stands for src/sync/push/.
import type { Step } from "../explorer.ts";
import { bump, commit, confirms, isPrimary, keeps, rowOf, settle, stage } from "./server.ts";
import type { Message, Push, ServerModel, State } from "./state.ts";

type Steps = Step<State>[];

export function pushSteps(model: ServerModel, state: State, d: number): Steps {
  const { push, connections, fetched } = state.devices[d]!;
  const server = connections.work;
  if (push === null)
    return state.budget.writes === 0 || model.reader === d
      ? []
      : [
          {
            kind: "new",
            label: `a push arrives at d${d}`,
            act: (next) => {
              next.budget.writes -= 1;
              next.writes += 1;
              next.devices[d]!.push = { write: next.writes, base: 0, atOnce: false, phase: "new" };
            },
          },
        ];
  const { write, base, atOnce, phase } = push;
  const send = (what: Message["what"], then: Push["phase"], at: number, unstaged: boolean) => (next: State) => {
    next.messages = [...next.messages, { device: d, server, what, write, base: at, atOnce: unstaged }];
    next.devices[d]!.push = { write, base: at, atOnce: unstaged, phase: then };
  };
  const act = (label: string, does: (next: State) => void): Steps => [
    { kind: "go", label: `d${d} ${label} w${write}`, act: does },
  ];
  const giveUp: Steps =
    state.budget.troubles === 0
      ? []
      : [
          {
            kind: "fault",
            label: `d${d} waits no longer for w${write}`,
            act: (next) => {
              next.budget.troubles -= 1;
              next.devices[d]!.push = { ...push, phase: "unknown" };
            },
          },
        ];
  const repeat = send("bump", "deciding", base, atOnce);
  const repeating: Steps = giveUp.map(() => ({
    kind: "fault",
    label: `d${d} sends the bump of w${write} again`,
    act: (next) => {
      next.budget.troubles -= 1;
      repeat(next);
    },
  }));
  switch (phase) {
    case "new":
      // A catch-up that applies holds the mutex.
      if (fetched?.confirmed) return [];
      return [
        ...act("stages", send("stage", "staging", state.devices[d]!.disk.length, false)),
        ...act("sends the bump, without a row, of", send("bump", "deciding", state.devices[d]!.disk.length, true)),
      ];
    case "staging":
      return giveUp;
    case "staged":
      return act("sends the bump of", send("bump", "deciding", base, atOnce));
    case "deciding":
      return giveUp;
    case "unknown":
      return [...asking(model, state, d, push), ...repeating];
  }
}

/** Offers to call lockstep.settle_write until it answers. */
function asking(model: ServerModel, state: State, d: number, { write }: Push): Steps {
  const server = state.devices[d]!.connections.work;
  const found = rowOf(state.servers[server], write) === "landed" && !keeps(model, "answer-waits");
  if (!isPrimary(state, server) || !(confirms(state, server) || found)) return [];
  return [
    {
      kind: "go",
      label: `d${d} asks server ${server} what became of w${write}`,
      act: (next) => {
        commit(next, server, (data) => settle(model, data, write));
        tell(next, d, write, rowOf(next.servers[server], write) === "landed", server);
      },
    },
  ];
}

function tell(state: State, d: number, write: number, landed: boolean, server: 0 | 1): void {
  const device = state.devices[d]!;
  device.push = null;
  if (!landed) {
    state.refused = [...state.refused, write];
    return;
  }
  const { log } = state.servers[server];
  const upTo = log.slice(0, log.indexOf(write) + 1);
  if (upTo.length > device.disk.length) device.disk = upTo;
  state.acknowledged = [...state.acknowledged, write];
}

/** Offers the arrival of a statement at its server, now or later. */
export function messageSteps(model: ServerModel, state: State, message: Message): Steps {
  const { device: d, server, what, write, base } = message;
  const without = (next: State) => {
    next.messages = next.messages.filter((each) => each !== message);
  };
  const waits = state.devices[d]!.push;
  const isWaitedFor = waits?.write === write && waits.phase === (what === "stage" ? "staging" : "deciding");
  if (!isPrimary(state, server)) return [];
  if (what === "stage")
    return [
      {
        kind: "go",
        label: `server ${server} stages w${write}`,
        act: (next) => {
          without(next);
          let staged = false;
          // The commit of this statement does not wait for the standby.
          commit(next, server, (data) => {
            staged = stage(model, next, server, data, write, base);
          });
          if (isWaitedFor) next.devices[d]!.push = { ...waits, phase: staged ? "staged" : "unknown" };
        },
      },
    ];
  const decide = (next: State) => {
    without(next);
    commit(next, server, (data) => bump(model, next, server, data, message));
  };
  const steps: Steps = [];
  const found = rowOf(state.servers[server], write) === "landed" && !keeps(model, "answer-waits");
  if (confirms(state, server) || found)
    steps.push({
      kind: "go",
      label: `server ${server} decides w${write}, or finds it decided`,
      act: (next) => {
        decide(next);
        if (!isWaitedFor) return;
        if (rowOf(next.servers[server], write) === "landed") tell(next, d, write, true, server);
        else next.devices[d]!.push = { ...waits, phase: "unknown" };
      },
    });
  else if (state.budget.troubles > 0)
    steps.push({
      kind: "fault",
      label: `server ${server} decides w${write}, and its wait for the standby is ended`,
      act: (next) => {
        next.budget.troubles -= 1;
        decide(next);
        if (!isWaitedFor) return;
        const landed = rowOf(next.servers[server], write) === "landed";
        if (landed && !keeps(model, "ended-wait")) tell(next, d, write, true, server);
        else next.devices[d]!.push = { ...waits, phase: "unknown" };
      },
    });
  if (!confirms(state, server))
    steps.push({
      kind: "go",
      label: `the bump of w${write} ends with its connection`,
      act: (next) => {
        without(next);
        if (isWaitedFor) next.devices[d]!.push = { ...waits, phase: "unknown" };
      },
    });
  return steps;
}
