// What a caller is told whose call is cut off because the sidecar ends.
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { PATIENCE } from "../support/cluster-device.ts";
import { ada, cluster, one, startClusterOfFile, two } from "../support/file-cluster.ts";
import { untilGone } from "../support/processes.ts";

startClusterOfFile({ revive: true });

it.each([true, false])(
  "a read that a forced stop cuts off is told that no sidecar answered (2 signals: %s)",
  async (twice) => {
    const repository = await cluster.createRepository();
    const first = await ada.commit();
    await ada.land(one.url(repository), `${first}:refs/heads/main`);
    process.kill(one.pid, "SIGSTOP");
    try {
      const read = two.call("BeforeRead", { repository }, PATIENCE);
      const refused = expect(read).rejects.toMatchObject({ code: "SIDECAR_UNAVAILABLE", retryAfterMs: undefined });
      await delay(700);
      process.kill(two.pid, "SIGTERM");
      await delay(300);
      if (twice) process.kill(two.pid, "SIGTERM");
      await refused;
      await untilGone(two.pid);
    } finally {
      process.kill(one.pid, "SIGCONT");
    }
  },
  120_000,
);
