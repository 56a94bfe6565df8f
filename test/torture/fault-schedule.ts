// Draws the schedule of faults: kind, time, target and duration. It depends only on the seed, so the same seed gives
// the same schedule.
import type { Random } from "./random.ts";

export const FAULTS = {
  "kill sidecar": 18,
  "kill device": 6,
  "kill process of a push": 18,
  "kill client": 8,
  "terminate backends": 14,
  "crash database": 3,
  "standby away": 7,
  "fail-over": 6,
  "held-up statement": 14,
  "held row": 4,
  "stop sidecar": 8,
  "stop sidecar past its lease": 2,
  "replace a stopped sidecar": 1,
  "cut from database": 9,
  "stall to database": 5,
  "cut from a device": 7,
  "stall to a device": 4,
  "stalled answers of a device": 5,
  "hung git": 12,
  "old lock file": 12,
  "gc on a replica": 10,
  "full disk": 7,
  "power loss of a device": 6,
  "lose disk": 5,
  "clock of a device jumps": 5,
  "clock of the database jumps": 5,
  "writes stopped": 3,
  "min copies changes": 5,
  "lost part of a replica": 8,
  "symbolic refs": 14,
  "replacement refs": 6,
  "repository is renamed": 8,
  "repository is removed": 4,
  "placement changes": 12,
  "device drains": 6,
  "device leaves and joins": 3,
  "device takes no writes": 3,
  "command of an operator": 14,
  "directories are adopted": 6,
} as const;

export type FaultKind = keyof typeof FAULTS;

export interface PlannedFault {
  readonly kind: FaultKind;
  /** The fault comes after this number of operations, so that slow and fast machines get equally many faults. */
  readonly at: number;
  readonly device: string;
  /** Another device, for a fault between two devices. */
  readonly other: string;
  readonly repository: string;
  /** Milliseconds until the fault is taken back. */
  readonly lasts: number;
  /** A number from 0 to 1, for choices that are left to the moment of the fault. */
  readonly choice: number;
}

/** The lease is 15 s by the database's clock. */
const PAST_LEASE_MS = 16_500;
/** Operations between two faults, in the mean. */
export const EVERY = 14;

/** The duration of a kind in milliseconds. Other kinds last up to two seconds. */
const LASTS: Partial<Record<FaultKind, { low: number; high: number }>> = {
  "stop sidecar": { low: 200, high: 4_000 },
  "stop sidecar past its lease": { low: PAST_LEASE_MS, high: PAST_LEASE_MS + 2_000 },
  "replace a stopped sidecar": { low: 0, high: 1_000 },
  "cut from database": { low: 100, high: 5_000 },
  "stall to database": { low: 100, high: 8_000 },
  "cut from a device": { low: 500, high: 8_000 },
  "stall to a device": { low: 500, high: 12_000 },
  "stalled answers of a device": { low: 500, high: 12_000 },
  "hung git": { low: 500, high: 20_000 },
  "standby away": { low: 500, high: 6_000 },
  // Most last beyond the lease that the old primary granted. Then other devices may decide writes.
  "fail-over": { low: 8_000, high: 30_000 },
  "held-up statement": { low: 50, high: 9_000 },
  "held row": { low: 100, high: 6_000 },
  "lost part of a replica": { low: 0, high: 6_000 },
  "min copies changes": { low: 500, high: 8_000 },
  "full disk": { low: 300, high: 4_000 },
  // Long enough for processes to notice.
  "clock of a device jumps": { low: 1_500, high: 8_000 },
  "clock of the database jumps": { low: 1_500, high: 6_000 },
  "device drains": { low: 500, high: 10_000 },
};

export interface Targets {
  readonly devices: readonly string[];
  readonly repositories: readonly string[];
  /** Whether disks may be lost. False if a write may be on one disk only. */
  readonly losesDisks: boolean;
  /** Matches the kinds of faults to make. */
  readonly only?: RegExp;
  /** Operations between two faults, in the mean. */
  readonly every?: number;
}

/** Yields an endless schedule of faults. */
export function* faultSchedule(
  random: Random,
  { devices, repositories, losesDisks, only = /^/, every = EVERY }: Targets,
): Generator<PlannedFault> {
  const wanted = ([kind]: [string, number]) => only.test(kind) && (losesDisks || kind !== "lose disk");
  const weights = Object.fromEntries(Object.entries(FAULTS).filter(wanted)) as Readonly<Record<FaultKind, number>>;
  let at = 0;
  for (;;) {
    at += random.between(Math.ceil(every / 3), Math.floor((every * 5) / 3));
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
