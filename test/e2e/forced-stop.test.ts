// What a caller is told whose call is cut off because the sidecar ends.
import { expect, it, vi } from "vitest";
import { type Device, PATIENCE } from "../support/cluster-device.ts";
import { ada, cluster, one, startClusterOfFile, two } from "../support/file-cluster.ts";
import { untilGone } from "../support/processes.ts";
import { SOON } from "../support/soon.ts";

startClusterOfFile({ revive: true });

/** Returns how often a device has asked the database for heads. */
async function headQueries(device: Device): Promise<number> {
  const page = await (await fetch(`${device.demo.http}/metrics`)).text();
  return Number(/^lockstep_head_queries_total (\d+)$/m.exec(page)?.[1]);
}

it.each([true, false])(
  "a read that a forced stop cuts off is told that no sidecar answered (2 signals: %s)",
  async (twice) => {
    const repository = await cluster.createRepository();
    const first = await ada.commit();
    await ada.land(one.url(repository), `${first}:refs/heads/main`);
    process.kill(one.pid, "SIGSTOP");
    try {
      const before = await headQueries(two);
      const read = two.call("BeforeRead", { repository }, PATIENCE);
      const refused = expect(read).rejects.toMatchObject({ code: "SIDECAR_UNAVAILABLE", retryAfterMs: undefined });
      await vi.waitFor(async () => expect(await headQueries(two)).toBeGreaterThan(before), SOON);
      process.kill(two.pid, "SIGTERM");
      await vi.waitFor(async () => expect(await two.isReady()).toBe(false), SOON);
      if (twice) process.kill(two.pid, "SIGTERM");
      await refused;
      await untilGone(two.pid);
    } finally {
      process.kill(one.pid, "SIGCONT");
    }
  },
  120_000,
);
