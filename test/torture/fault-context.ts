import type { Client } from "./client.ts";
import type { Member, TortureCluster } from "./cluster.ts";
import type { Commits } from "./commits.ts";
import type { PlannedFault } from "./fault-schedule.ts";
import type { MovedIn } from "./moved-in.ts";
import type { Placed } from "./placed.ts";
import type { Recorder } from "./recorder.ts";

export interface FaultContext {
  readonly cluster: TortureCluster;
  readonly clients: readonly Client[];
  /** The rule of copies of every repository, except while a fault has raised it. */
  readonly minCopies: number;
  /** Returns a ref of that repository that clients push now. */
  readonly activeRef: (repository: string, choice: number) => string;
  /** Lock files that were put down, to be looked at in the end. */
  readonly commits: Commits;
  readonly recorder: Recorder;
  /** Returns the current generation of refs. */
  readonly generation: () => number;
  /** Symbolic refs that stay symbolic, as `repository name`. */
  readonly aliases: Set<string>;
  readonly placed: Placed;
  /** The ids of acknowledged commands of operators. */
  readonly ordered: Set<string>;
  /** Repositories of plain git that were put below the roots. */
  readonly movedIn: MovedIn[];
  /** Returns another number each time. */
  readonly numberOfMoved: () => number;
  readonly locks: { readonly device: string; readonly repository: string; readonly ref: string }[];
}

/** Makes a fault and takes it back. Resolves with a few words about the outcome. The run is over when `stop` aborts. */
export type Make = (context: FaultContext, fault: PlannedFault, member: Member, stop: AbortSignal) => Promise<string>;
