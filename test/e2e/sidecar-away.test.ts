import { once } from "node:events";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Device } from "../support/cluster-device.ts";
import { ada, cluster, one, setLeaseEnd, startClusterOfFile, three, two } from "../support/file-cluster.ts";
import { holdPush } from "../support/held-push.ts";
import { isAlive, untilGone } from "../support/processes.ts";
import { PushHistory } from "../support/push-history.ts";
import { soon } from "../support/soon.ts";

startClusterOfFile();
// What a test that failed left stopped or dead.
afterEach(async () => {
  if (isAlive(one.pid)) process.kill(one.pid, "SIGCONT");
  else await one.start();
});

/** Whether somebody listens for hooks on the device. */
async function takesCalls({ demo }: Device): Promise<boolean> {
  const socket = connect(join(dirname(demo.socket), "hook.sock"));
  const taken = await once(socket, "connect").then(
    () => true,
    () => false,
  );
  socket.destroy();
  return taken;
}

describe("a sidecar that is not running", () => {
  it("is named to each client that clones or pushes, and nothing has changed", async () => {
    const history = await PushHistory.begin(cluster, ada);
    await using held = await holdPush(one, history.repository, "received");
    const received = history.push(one, "held");
    await held.reached();
    await one.kill();
    // Its main thread may be gone a moment before its sockets are.
    await vi.waitFor(async () => expect(await takesCalls(one)).toBe(false), soon(5));
    await held.release();
    const { verdict, stderr } = await received;
    expect(verdict, stderr).toBe("refused");
    expect(stderr).toMatch(
      /remote: lockstep: the sidecar of this server does not answer .*, so this push was refused and nothing has changed/,
    );
    const sentence = /remote: The sidecar does not answer .*; see whether `lockstep serve` runs\./;
    expect(await history.push(one, "x")).toMatchObject({ verdict: "neither", stderr: expect.stringMatching(sentence) });
    const clone = await cluster.git.run(["clone", one.url(history.repository), "clone-of-nothing"]);
    expect(clone).toMatchObject({ code: 128, stderr: expect.stringMatching(sentence) });
    expect(clone.stderr).toContain("The requested URL returned error: 503");
    await one.start();
    expect(await history.expectTrueAndAtRest()).toMatchObject({ version: 0 });
  });

  it("is found by its gate at once when it is back, also after a long absence", async () => {
    const history = await PushHistory.begin(cluster, ada);
    await one.kill();
    const missed = async () => (await fetch(`${one.url(history.repository)}/info/refs?service=git-upload-pack`)).status;
    const until = performance.now() + 6_000;
    while (performance.now() < until) {
      expect(await missed()).toBe(503);
      await delay(20);
    }
    await one.start();
    // A gate that comes back ever later would be asked some hundred times. Questions are counted, not milliseconds: on a
    // busy machine each question takes long, and so does what the gate has to do.
    for (let misses = 0; (await missed()) !== 200; misses += 1) {
      expect(misses).toBeLessThan(150);
      await delay(10);
    }
    await history.expectTrueAndAtRest();
  });
});

describe("a sidecar that is stopped", () => {
  it("holds no other device up, and goes on when it is continued", async () => {
    const history = await PushHistory.begin(cluster, ada);
    process.kill(one.pid, "SIGSTOP");
    try {
      await history.untilAcknowledged(two, "x");
      await history.untilAcknowledged(three, "y");
      // On a slow machine the lease would end before the second sidecar looks, which would then take over.
      await setLeaseEnd("clock_timestamp() + interval '5 minutes'");
      const second = one.launch();
      expect(await once(second, "exit")).toEqual([3, null]);
      expect(await one.logEnd()).toContain(`Another sidecar (process ${one.pid}) serves this root`);
    } finally {
      process.kill(one.pid, "SIGCONT");
    }
    await history.untilAcknowledged(one, "z");
    expect(await history.expectTrueAndAtRest()).toMatchObject({ version: 3 });
  });

  it("is ended by its successor once its lease has run out", async () => {
    const history = await PushHistory.begin(cluster, ada);
    const stopped = one.pid;
    process.kill(stopped, "SIGSTOP");
    await setLeaseEnd("'-infinity'");
    await one.start();
    await untilGone(stopped);
    await history.untilAcknowledged(one, "x");
    expect(await history.expectTrueAndAtRest()).toMatchObject({ version: 1 });
  });
});
