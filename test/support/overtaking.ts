// Two devices of which one pushes while the other one decides a push (../integration/*-over*.test.ts).
import type { Version } from "../../src/domain.ts";
import { APP, pushedOnce } from "./pushed-once.ts";
import type { TestCluster } from "./sync-cluster.ts";
import type { TestDevice } from "./sync-device.ts";
import { isBump, log } from "./write-rows.ts";

export const MAIN = "refs/heads/main";

/** Two devices at version 1, with main at the first of three commits. */
export async function pair(cluster: TestCluster) {
  const { a, b, ids: history } = await pushedOnce(cluster);
  return { a, b, history };
}

/** Runs `meanwhile` before the first decision of the device. */
export function beforeDecision(device: TestDevice, meanwhile: () => Promise<unknown>): { decisions: number } {
  const seen = { decisions: 0 };
  device.onStatement = async (text, run) => {
    if (isBump(text) && ++seen.decisions === 1) await meanwhile();
    return await run();
  };
  return seen;
}

export const versionsOf = async (cluster: TestCluster) =>
  (await log(cluster)).map(({ version, device }) => `${version} ${device}`);
export const appliedBy = (device: TestDevice): Version | undefined => device.context.replicas.findByName(APP)?.applied;

/** Both devices hold the head, with the same refs. */
export async function expectWell(...devices: readonly TestDevice[]): Promise<void> {
  for (const device of devices) {
    await device.read(APP);
    await device.expectInLockstep(APP);
  }
}
