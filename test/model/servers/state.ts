// The state of a small world with two database servers: a primary, and a synchronous standby that is promoted while the
// old primary lives on. Time is a number of ticks. A log is a list of writes, and a disk holds a beginning of it.
import type { ServerRule } from "./rules.ts";

export const TTL = 2;

/** 0: the first primary. 1: its synchronous standby, and the primary once it is promoted. */
export type ServerId = 0 | 1;

export interface Row {
  readonly status: "staged" | "landed" | "dropped";
}

/** The data of a database. */
export interface Data {
  /** The server's timeline as it is noted, and since when; since -1: always. */
  timeline: number;
  since: number;
  log: readonly number[];
  /** Write → its row. */
  rows: readonly (readonly [number, Row["status"]])[];
  /** Per device: the end of its lease by the clock of the server that gave it, and whose word counts for the device. */
  leases: readonly { readonly expires: number; readonly timeline: number }[];
  stopped: boolean;
}

export interface Push {
  readonly write: number;
  /** The head on which the write was staged. */
  base: number;
  /** True if nobody staged it: its bump makes the row. */
  atOnce: boolean;
  phase: "new" | "staging" | "staged" | "deciding" | "unknown";
}

/** Connections: reads of heads, the lease, the log, and all that changes something. */
export type Purpose = "reads" | "lease" | "log" | "work";
export const PURPOSES: readonly Purpose[] = ["reads", "lease", "log", "work"];

export interface Device {
  /** The server that new connections lead to. */
  route: ServerId;
  readonly connections: Record<Purpose, ServerId>;
  proof: { readonly askedAt: number; readonly timeline: number };
  /** A renewal under way. `answer` is the server's answer, which has not arrived yet. */
  renewal: { readonly askedAt: number; readonly says: number; answer: number | null } | null;
  disk: readonly number[];
  read: { readonly need: readonly number[]; heard: { readonly head: number; readonly timeline: number } | null } | null;
  /** The log that a catch-up has read, and the timeline of its server. */
  fetched: { readonly log: readonly number[]; readonly timeline: number; confirmed: boolean } | null;
  push: Push | null;
}

/** A statement of a push on its way to the server. It may arrive late. */
export interface Message {
  readonly device: number;
  readonly server: ServerId;
  readonly what: "stage" | "bump";
  readonly write: number;
  readonly base: number;
  readonly atOnce: boolean;
}

export interface Budget {
  ticks: number;
  writes: number;
  reads: number;
  renewals: number;
  /** How often a wait for the standby is ended, or an answer is lost. */
  troubles: number;
  /** How often the standby goes away, and comes back by itself. */
  absences: number;
  promotions: number;
  /** How often a device compares its disk with the log, in case the database has lost writes. */
  comparisons: number;
}

export interface State {
  now: number;
  readonly servers: [Data, Data];
  /** True while the standby gets no data. */
  away: boolean;
  promoted: boolean;
  devices: Device[];
  messages: readonly Message[];
  acknowledged: readonly number[];
  refused: readonly number[];
  writes: number;
  budget: Budget;
}

export interface ServerModel {
  readonly devices: number;
  /** How many ticks the clock of the old primary is behind. */
  readonly skew: number;
  /**
   * If set, this device only reads and does not catch up, and only the others write. With null, all devices do
   * everything.
   */
  readonly reader: number | null;
  /**
   * True if the scenario begins just after the promotion. Then all devices but the first have found the new primary.
   * The answer to the first device's renewal is on its way.
   */
  readonly promoted: boolean;
  readonly budget: Budget;
  readonly off: ReadonlySet<ServerRule>;
}

export function start({ devices, skew, budget, promoted }: ServerModel): State {
  const lease = { expires: TTL - skew, timeline: 1 };
  const data = (): Data => ({
    timeline: 1,
    since: -1,
    log: [],
    rows: [],
    leases: Array.from({ length: devices }, () => lease),
    stopped: false,
  });
  return {
    now: 0,
    servers: [data(), data()],
    away: false,
    promoted,
    devices: Array.from({ length: devices }, (_, d) => ({
      route: promoted && d > 0 ? 1 : 0,
      connections: promoted && d > 0 ? allTo(1) : allTo(0),
      proof: { askedAt: 0, timeline: 1 },
      renewal: promoted && d === 0 ? { askedAt: 0, says: 1, answer: 1 } : null,
      disk: [],
      read: null,
      fetched: null,
      push: null,
    })),
    messages: [],
    acknowledged: [],
    refused: [],
    writes: 0,
    budget: { ...budget },
  };
}

function allTo(server: ServerId): Device["connections"] {
  return { reads: server, lease: server, log: server, work: server };
}

export function copy(state: State): State {
  const [zero, one] = state.servers;
  return {
    ...state,
    servers: [{ ...zero }, { ...one }],
    devices: state.devices.map((device) => ({
      ...device,
      connections: { ...device.connections },
      renewal: device.renewal && { ...device.renewal },
      read: device.read && { ...device.read },
      fetched: device.fetched && { ...device.fetched },
      push: device.push && { ...device.push },
    })),
    budget: { ...state.budget },
  };
}
