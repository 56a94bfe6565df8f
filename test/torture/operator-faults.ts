// Acts as an operator who changes settings during a run.
import { setTimeout as delay } from "node:timers/promises";
import type { FaultContext, Make } from "./fault-context.ts";
import { byAnyDevice } from "./life-faults.ts";

const CALL_MS = 5_000;

/** Raises the rule of copies, sometimes to more devices than are up, and lowers it again. */
export const changeMinCopies: Make = async (context, { repository, lasts, choice }) => {
  const { cluster, minCopies } = context;
  const most = cluster.members.length;
  const raised = Math.min(most, minCopies + 1 + Math.floor(choice * 2));
  const set = await setMinCopies(context, repository, raised);
  await delay(lasts);
  if (!(await setMinCopies(context, repository, minCopies))) return "failed: it was not set back";
  return `${repository} to ${raised}${set ? "" : ", perhaps"}`;
};

/** Sets the rule of copies. False if it is refused: too few devices hold the repository now. */
async function setMinCopies(context: FaultContext, repository: string, minCopies: number): Promise<boolean> {
  const set = await byAnyDevice(context, (device) =>
    device.call("SetRepository", { repository: context.placed.nameOf(repository), minCopies }, { timeoutMs: CALL_MS }),
  );
  return typeof set !== "string";
}
