// Acts as an operator who changes settings during a run.
import { setTimeout as delay } from "node:timers/promises";
import type { FaultContext, Make } from "./fault-context.ts";

const CALL_MS = 5_000;
const RETRY_MS = 200;
const SET_MS = 120_000;

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

/** Sets the rule of copies through the first device that answers. */
async function setMinCopies({ cluster }: FaultContext, repository: string, minCopies: number): Promise<boolean> {
  const deadline = Date.now() + SET_MS;
  while (Date.now() < deadline) {
    for (const { host } of cluster.members) {
      const set = host.device.call("SetRepository", { repository, minCopies }, { timeoutMs: CALL_MS });
      if (await set.then(Boolean, () => false)) return true;
    }
    await delay(RETRY_MS);
  }
  return false;
}
