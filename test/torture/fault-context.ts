import type { Client } from "./client.ts";
import type { Member, TortureCluster } from "./cluster.ts";
import type { Commits } from "./commits.ts";
import type { PlannedFault } from "./fault-schedule.ts";

import type { Recorder } from "./recorder.ts";

export interface FaultContext {
  readonly cluster: TortureCluster;
  readonly clients: readonly Client[];
  /** Of every repository, but where a fault has just raised it. */
  readonly minCopies: number;
  /** A ref that pushes are about now, in that repository. */
  readonly activeRef: (repository: string, choice: number) => string;
  /** Lock files that were put down, to be looked at in the end. */
  readonly commits: Commits;
  readonly recorder: Recorder;
  /** The one whose refs are used now. */
  readonly generation: () => number;
  /** Refs that stand for others and always will, as `repository name`. */
  readonly aliases: Set<string>;
  readonly locks: { readonly device: string; readonly repository: string; readonly ref: string }[];
}

/** Makes a fault and takes it back; resolves with a few words on what became of it. The run is over when `stop` aborts. */
export type Make = (context: FaultContext, fault: PlannedFault, member: Member, stop: AbortSignal) => Promise<string>;
