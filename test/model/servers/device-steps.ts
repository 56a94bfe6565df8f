// Models the lease, the reads and the catch-ups of a device. Stands for src/sync/lease/ and
// src/sync/catch-up/confirm.ts.
import type { Step } from "../explorer.ts";
import { Violation } from "../state.ts";
import { commit, confirms, isAhead, isPrimary, keeps, renew, timelineOf } from "./server.ts";
import { type Device, PURPOSES, type ServerModel, type State, TTL } from "./state.ts";

type Steps = Step<State>[];

export function deviceSteps(model: ServerModel, state: State, d: number): Steps {
  const device = state.devices[d]!;
  return [
    ...wayByWay(model, state, d, device),
    ...renewal(model, state, d, device),
    ...reading(model, state, d, device),
    ...catchingUp(model, state, d, device),
    ...comparing(model, state, d, device),
  ];
}

/**
 * Offers changes of connections. After a promotion, new ones lead to the new primary some time. Open ones stay or
 * break.
 */
function wayByWay(model: ServerModel, state: State, d: number, { route, connections }: Device): Steps {
  // If a device only reads or only writes, it uses only these connections.
  const used =
    model.reader === null
      ? PURPOSES
      : PURPOSES.filter((each) => each !== "log" && (each === "lease" || (each === "reads") === (d === model.reader)));
  const steps: Steps = [];
  if (state.promoted && route === 0)
    steps.push({
      kind: "go",
      label: `d${d} finds the way to the new primary`,
      act: (next) => (next.devices[d]!.route = 1),
    });
  for (const purpose of used)
    if (connections[purpose] !== route)
      steps.push({
        kind: "go",
        label: `d${d} has a new connection for ${purpose}`,
        act: (next) => {
          next.devices[d]!.connections[purpose] = route;
        },
      });
  return steps;
}

function renewal(model: ServerModel, state: State, d: number, { renewal, proof, connections }: Device): Steps {
  const server = connections.lease;
  if (renewal === null && state.budget.renewals === 0) return [];
  if (renewal === null)
    return [
      {
        kind: "new",
        label: `d${d} begins to renew its lease`,
        act: (next) => {
          next.budget.renewals -= 1;
          next.devices[d]!.renewal = { askedAt: next.now, says: proof.timeline, answer: null };
        },
      },
    ];
  if (renewal.answer === null) {
    const lost: Step<State> = {
      kind: "go",
      label: `d${d} gives its renewal up`,
      act: (next) => {
        next.devices[d]!.renewal = null;
      },
    };
    if (!confirms(state, server)) return [lost];
    return [
      {
        kind: "go",
        label: `the renewal of d${d} is confirmed by server ${server}`,
        act: (next) => {
          commit(next, server, (data) => renew(model, next, server, data, { device: d, says: renewal.says }));
          next.devices[d]!.renewal = { ...renewal, answer: timelineOf(server) };
        },
      },
    ];
  }
  const { askedAt, answer } = renewal;
  return [
    {
      kind: "go",
      label: `d${d} hears that its lease is renewed`,
      act: (next) => {
        next.devices[d]!.renewal = null;
        next.devices[d]!.proof = { askedAt: keeps(model, "from-before") ? askedAt : next.now, timeline: answer };
      },
    },
  ];
}

function isProven({ now }: State, { askedAt }: Device["proof"]): boolean {
  return now - askedAt < TTL;
}

function reading(model: ServerModel, state: State, d: number, { read, proof, connections, disk }: Device): Steps {
  if (read === null)
    return state.budget.reads === 0 || (model.reader !== null && model.reader !== d)
      ? []
      : [
          {
            kind: "new",
            label: `a read arrives at d${d}`,
            act: (next) => {
              next.budget.reads -= 1;
              next.devices[d]!.read = { need: next.acknowledged, heard: null };
            },
          },
        ];
  const server = connections.reads;
  if (read.heard === null)
    return isPrimary(state, server)
      ? [
          {
            kind: "go",
            label: `server ${server} tells d${d} the head`,
            act: (next) => {
              const heard = { head: next.servers[server].log.length, timeline: timelineOf(server) };
              next.devices[d]!.read = { ...read, heard };
            },
          },
        ]
      : [];
  const { head, timeline } = read.heard;
  const again: Step<State> = {
    kind: "go",
    label: `the read at d${d} has no proof and fails`,
    act: (next) => {
      next.devices[d]!.read = null;
    },
  };
  if (keeps(model, "proof")) {
    if (!isProven(state, proof)) return [again];
    if (keeps(model, "same-server") && timeline !== proof.timeline) return [again];
  }
  if (disk.length < head) return [again];
  return [
    {
      kind: "go",
      label: `the read at d${d} is admitted`,
      act: (next) => {
        const missed = read.need.find((write) => !disk.includes(write));
        if (missed !== undefined)
          throw new Violation(`I1 a read at d${d} misses w${missed}, which was acknowledged before`);
        next.devices[d]!.read = null;
      },
    },
  ];
}

function catchingUp(model: ServerModel, state: State, d: number, device: Device): Steps {
  const { fetched, connections, disk, push } = device;
  if (fetched === null) {
    const server = connections.log;
    const { log } = state.servers[server];
    if (model.reader !== null) return [];
    if (!isPrimary(state, server) || log.length <= disk.length) return [];
    return [
      {
        kind: "go",
        label: `d${d} reads the log of server ${server}`,
        act: (next) => {
          const confirmed = !keeps(model, "log-confirmed");
          next.devices[d]!.fetched = { log, timeline: timelineOf(server), confirmed };
        },
      },
    ];
  }
  const server = connections.work;
  const end: Step<State> = {
    kind: "go",
    label: `d${d} gives its catch-up up`,
    act: (next) => {
      next.devices[d]!.fetched = null;
    },
  };
  if (!fetched.confirmed) {
    const elsewhere = keeps(model, "same-log") && fetched.timeline !== timelineOf(server);
    if (elsewhere || !confirms(state, server)) return [end];
    return [
      {
        kind: "go",
        label: `server ${server} confirms what d${d} has read`,
        act: (next) => {
          next.devices[d]!.fetched = { ...fetched, confirmed: true };
        },
      },
    ];
  }
  // The refs of the push are locked.
  if (push !== null && push.phase !== "new") return [];
  return [
    {
      kind: "go",
      label: `d${d} applies what it has read`,
      act: (next) => {
        if (fetched.log.length > disk.length) next.devices[d]!.disk = fetched.log;
        next.devices[d]!.fetched = null;
      },
    },
  ];
}

/** Offers a comparison of the disk with the log over one connection, which stops the repository over another. */
function comparing(model: ServerModel, state: State, d: number, { connections, disk }: Device): Steps {
  const [asked, stops] = [connections.reads, connections.work];
  const isDue = state.budget.comparisons > 0 && isPrimary(state, asked) && isPrimary(state, stops);
  if (!isDue || !isAhead(state.servers[asked], disk)) return [];
  return [
    {
      kind: "fault",
      label: `server ${asked} makes d${d} believe that it is ahead, and server ${stops} is told to stop`,
      act: (next) => {
        next.budget.comparisons -= 1;
        commit(next, stops, (data) => {
          if (!keeps(model, "stop-looks") || isAhead(data, disk)) data.stopped = true;
        });
      },
    },
  ];
}
