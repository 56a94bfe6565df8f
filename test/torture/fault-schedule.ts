// Which fault comes when, to whom, and for how long: drawn before anything happens, so that the same seed gives the same schedule.
import type { Random } from "./random.ts";

export const FAULTS = {
  "kill sidecar": 18,
  "kill device": 6,
  "kill process of a push": 18,
  "kill client": 8,
  "terminate backends": 14,
  "crash database": 3,
  "stop sidecar": 8,
  "stop sidecar past its lease": 2,
  "replace a stopped sidecar": 1,
  "cut from database": 9,
  "stall to database": 5,
  "cut from a device": 7,
  "stall to a device": 4,
  "old lock file": 12,
  "gc on a replica": 10,
  "full disk": 7,
  "power loss of a device": 6,
  "lose disk": 5,
  "clock of a device jumps": 5,
  "clock of the database jumps": 5,
  "writes stopped": 3,
} as const;

export type FaultKind = keyof typeof FAULTS;

export interface PlannedFault {
  readonly kind: FaultKind;
  /** Comes when so many operations have been begun: slow machines get as many faults for their operations as fast ones. */
  readonly at: number;
  readonly device: string;
  /** Another device, for what lies between two. */
  readonly other: string;
  readonly repository: string;
  /** Milliseconds until it is taken back. */
  readonly lasts: number;
  /** From 0 to 1, for what is left to choose when it happens. */
  readonly choice: number;
}

/** The lease is 15 s by the database's clock. */
const PAST_LEASE_MS = 16_500;
/** Operations between two faults. */
const GAP = { low: 8, high: 34 };

/** The duration of each kind; of the others, from nothing up to two seconds. */
const LASTS: Partial<Record<FaultKind, { low: number; high: number }>> = {
  "stop sidecar": { low: 200, high: 4_000 },
  "stop sidecar past its lease": { low: PAST_LEASE_MS, high: PAST_LEASE_MS + 2_000 },
  "replace a stopped sidecar": { low: 0, high: 1_000 },
  "cut from database": { low: 100, high: 5_000 },
  "stall to database": { low: 100, high: 8_000 },
  "cut from a device": { low: 500, high: 8_000 },
  "stall to a device": { low: 500, high: 12_000 },
  "full disk": { low: 300, high: 4_000 },
  // Long enough to be noticed.
  "clock of a device jumps": { low: 1_500, high: 8_000 },
  "clock of the database jumps": { low: 1_500, high: 6_000 },
};

export interface Targets {
  readonly devices: readonly string[];
  readonly repositories: readonly string[];
  /** Not where each write may be on one disk only. */
  readonly losesDisks: boolean;
}

/** An endless schedule. */
export function* faultSchedule(
  random: Random,
  { devices, repositories, losesDisks }: Targets,
): Generator<PlannedFault> {
  const weights = { ...FAULTS, "lose disk": losesDisks ? FAULTS["lose disk"] : 0 };
  let at = 0;
  for (;;) {
    at += random.between(GAP.low, GAP.high);
    const kind = random.weighted(weights);
    const device = random.pick(devices);
    const other = random.pick(devices.filter((each) => each !== device));
    const { low, high } = LASTS[kind] ?? { low: 0, high: 2_000 };
    yield {
      kind,
      at,
      device,
      other,
      repository: random.pick(repositories),
      lasts: random.between(low, high),
      choice: random.next(),
    };
  }
}
