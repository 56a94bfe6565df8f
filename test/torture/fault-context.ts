import type { Client } from "./client.ts";
import type { Member, TortureCluster } from "./cluster.ts";
import type { PlannedFault } from "./fault-schedule.ts";

export interface FaultContext {
  readonly cluster: TortureCluster;
  readonly clients: readonly Client[];
  /** A ref that pushes are about now, in that repository. */
  readonly activeRef: (repository: string, choice: number) => string;
  /** Lock files that were put down, to be looked at in the end. */
  readonly locks: { readonly device: string; readonly repository: string; readonly ref: string }[];
}

/** Makes a fault and takes it back; resolves with a few words on what became of it. */
export type Make = (context: FaultContext, fault: PlannedFault, member: Member) => Promise<string>;
