// The scenarios with two servers: a limit for each kind of fault, and where the absence of each rule is noticed.
import type { ServerRule } from "./rules.ts";
import type { Budget, ServerModel } from "./state.ts";

export type ServerScenario = Omit<ServerModel, "off">;

const NOTHING: Budget = {
  ticks: 0,
  writes: 0,
  reads: 0,
  renewals: 0,
  troubles: 0,
  absences: 0,
  promotions: 0,
  comparisons: 0,
};

function model(budget: Partial<Budget>, rest: Partial<Omit<ServerScenario, "budget">> = {}): ServerScenario {
  return { devices: 2, skew: 0, reader: null, promoted: false, ...rest, budget: { ...NOTHING, ...budget } };
}

const AFTER_PROMOTION = { ticks: 4, writes: 1, reads: 1, renewals: 4, promotions: 1 };
const ONE_READS = { reader: 0, promoted: true };

export const SERVER_SCENARIOS: readonly { readonly name: string; readonly model: ServerScenario }[] = [
  { name: "a promotion, a push and a read", model: model(AFTER_PROMOTION) },
  { name: "a promotion by a clock that is ahead", model: model(AFTER_PROMOTION, { skew: 10 }) },
  { name: "a promotion to a clock that is behind", model: model(AFTER_PROMOTION, { skew: -10 }) },
  {
    name: "a standby that is away, and a promotion",
    model: model({ writes: 2, troubles: 2, absences: 1, promotions: 1 }),
  },
  { name: "statements that are late", model: model({ writes: 2, troubles: 2 }) },
  {
    name: "two pushes and a promotion",
    model: model({ ticks: 3, writes: 2, reads: 1, renewals: 3, troubles: 1, promotions: 1 }),
  },
  {
    name: "disks are compared with the log",
    model: model({ ticks: 2, writes: 1, renewals: 2, promotions: 1, comparisons: 1, troubles: 1 }),
  },
];

/** All kinds of faults at once, for random walks. */
export const ALL_SERVER_TROUBLES = model(
  { ticks: 8, writes: 4, reads: 4, renewals: 20, troubles: 3, absences: 2, promotions: 1, comparisons: 2 },
  { devices: 3 },
);

const STANDBY_AWAY = model({ writes: 1, troubles: 2, absences: 1, promotions: 1 }, { devices: 1 });

/** For each rule, the scenario in which its absence is noticed first. */
export const WITHOUT_SERVER_RULE: Readonly<Record<ServerRule, ServerScenario>> = {
  proof: model({ ticks: 2, writes: 1, reads: 1, renewals: 1 }, ONE_READS),
  "same-server": model({ ticks: 2, writes: 1, reads: 1, renewals: 2 }, ONE_READS),
  "from-before": model({ ticks: 2, writes: 1, reads: 1, renewals: 1 }, ONE_READS),
  "old-leases": model({ writes: 1, reads: 1 }, ONE_READS),
  "says-it-left": model({ writes: 1, reads: 1, renewals: 3 }, ONE_READS),
  "own-clock": model({ writes: 1, reads: 1, renewals: 2 }, { ...ONE_READS, skew: 10 }),
  "answer-waits": STANDBY_AWAY,
  "ended-wait": STANDBY_AWAY,
  "log-confirmed": model({ writes: 1, troubles: 2, absences: 1, promotions: 1 }),
  "same-log": model({ writes: 1, troubles: 2, absences: 1, promotions: 1 }),
  "drop-leaves-row": model({ writes: 2, troubles: 2 }, { devices: 1 }),
  "stop-looks": model({ writes: 1, renewals: 2, promotions: 1, comparisons: 1 }, { devices: 1 }),
};
