// The figures of the whole cluster that the metrics tell. The store reads them, and the page for Prometheus shows them.
import type { ReplicaState } from "../domain.ts";

/** One device that was not removed. */
export interface DeviceFigures {
  readonly name: string;
  /** A sidecar holds its lease. */
  readonly live: boolean;
  readonly drains: boolean;
  /** The replicas that it holds, makes or mends. A device that drains and holds none is drained. */
  readonly replicas: number;
  /** How many versions its replicas lack, all together. Only replicas that it shall hold count. */
  readonly versionsBehind: number;
  /** For how long the oldest of these versions has been there. */
  readonly secondsBehind: number;
}

/** Counts of rows, and the age of the oldest one in seconds; 0: there is none. */
export interface Waiting {
  readonly count: number;
  readonly oldestSeconds: number;
}

export interface ClusterFigures {
  readonly devices: readonly DeviceFigures[];
  readonly repositories: number;
  /** Repositories whose newest version is on fewer than two devices that stay, though no operator wanted it on one. */
  readonly headsOnOneDevice: number;
  /** Repositories that nobody may use until an operator has decided. */
  readonly stopped: number;
  /** Repositories whose writes are stopped one by one, and whether the writes to all are. */
  readonly writesStopped: number;
  readonly allWritesStopped: boolean;
  readonly replicas: Readonly<Partial<Record<ReplicaState, number>>>;
  /** Replicas in which the last scrub found something. */
  readonly damaged: number;
  /** Writes that are neither landed nor dropped yet, pushes and sessions. */
  readonly staged: Waiting;
  /** Tickets in the queues for the write turn. */
  readonly turns: Waiting;
}
