// A session of `lockstep lock` whose command, program, sidecar or device ends before the session does.
import { describe, expect, it } from "vitest";
import { expectAtRest } from "../support/at-rest.ts";
import { type Device, PATIENCE } from "../support/cluster-device.ts";
import { ada, cluster, one, setLeaseEnd, startClusterOfFile, two } from "../support/file-cluster.ts";
import { holdPush } from "../support/held-push.ts";
import { EXIT, expectKept, held, signalGroup, withMain } from "../support/locked.ts";

startClusterOfFile({ revive: true });

describe("a session ends by itself when", () => {
  /** Pushes to the device, which must succeed: the milliseconds that it took. */
  async function nextPush(device: Device, repository: string, since: number): Promise<number> {
    await ada.land(device.url(repository), `+${await ada.commit()}:refs/heads/next`);
    return Math.round(performance.now() - since);
  }

  it("a session ends when its user presses Ctrl-C", async () => {
    const { repository, first } = await withMain();
    await using holder = await held(one, repository);
    signalGroup(holder.process, "SIGINT");
    const { code, stdout } = await holder.ended;
    expect(code).toBe(130);
    expect(stdout).toContain("The command ended with 130, so nothing was written to ");
    await expectKept(one, repository, { "heads/made": first });
    await nextPush(two, repository, 0);
    await expectAtRest(cluster, repository);
  });

  it("lockstep alone is told to stop: the command is too", async () => {
    const { repository, first } = await withMain();
    await using holder = await held(one, repository);
    holder.process.kill("SIGTERM");
    expect((await holder.ended).code).toBe(143);
    await expectKept(one, repository, { "heads/made": first });
  });

  it("kill -9 hits lockstep: the turn is free within the lease, and what was changed is kept", async () => {
    const { repository, first } = await withMain();
    await using holder = await held(one, repository);
    const killedAt = performance.now();
    holder.process.kill("SIGKILL");
    const took = await nextPush(two, repository, killedAt);
    await expectKept(one, repository, { "heads/made": first });
    await expectAtRest(cluster, repository);
    console.log(`ms from kill -9 of \`lockstep lock\` to a push on another device: ${took}`);
  });

  it("kill -9 hits the sidecar: it is dropped at the next start, at once, and its user is told what is kept", async () => {
    const { repository, first } = await withMain();
    await two.call("BeforeRead", { repository }, PATIENCE);
    await using holder = await held(one, repository);
    const killedAt = performance.now();
    await one.kill();
    await one.start();
    const started = Math.round(performance.now() - killedAt);
    const took = await nextPush(two, repository, killedAt);
    const { code, stderr } = await holder.ended;
    expect(code).toBe(EXIT.NOT_NOW);
    expect(stderr).toMatch(
      /^lockstep: The write was dropped .*; what it changed is kept in refs\/lockstep\/dropped\/\S+\/heads\/made\.$/m,
    );
    await expectKept(one, repository, { "heads/made": first });
    await expectAtRest(cluster, repository);
    console.log(
      `ms from kill -9 of the sidecar, started at once, to a push on another device: ${took}, ${started} of it the start`,
    );
  });

  it("kill -9 hits a sidecar with a staged push and no session: pushes on other devices do not wait for the lease", async () => {
    const { repository } = await withMain();
    await two.call("BeforeRead", { repository }, PATIENCE);
    await using push = await holdPush(one, repository, "prepared");
    const held = ada.push(one.url(repository), `${await ada.commit()}:refs/heads/held/x`);
    await push.reached();
    const killedAt = performance.now();
    await one.kill();
    await setLeaseEnd("clock_timestamp() + interval '1 hour'");
    const took = await nextPush(two, repository, killedAt);
    const again = await nextPush(two, repository, performance.now());
    await setLeaseEnd("clock_timestamp()");
    await push.release();
    await held;
    await one.start();
    await expectAtRest(cluster, repository);
    console.log(
      `ms from kill -9 of a device with a staged push to a push on another: ${took}; the one after it: ${again}`,
    );
  });

  it("kill -9 hits the sidecar for good: others wait for the lease, no longer", async () => {
    const { repository, first } = await withMain();
    await two.call("BeforeRead", { repository }, PATIENCE);
    await using _ = await held(one, repository);
    const killedAt = performance.now();
    await one.kill();
    const took = await nextPush(two, repository, killedAt);
    await one.start();
    await expectKept(one, repository, { "heads/made": first });
    await expectAtRest(cluster, repository);
    console.log(`ms from kill -9 of a device with an open session to a push on another: ${took}`);
  });

  it("the sidecar is stopped past the lease: others go on, and what it lands when it wakes up is nothing", async () => {
    const { repository, first } = await withMain();
    await two.call("BeforeRead", { repository }, PATIENCE);
    const { token, path } = await one.call("BeginWrite", { repository, author: "grace", reason: "sleep" }, PATIENCE);
    await cluster.git.git([`--git-dir=${path}`, "update-ref", "refs/heads/made", first]);
    process.kill(one.pid, "SIGSTOP");
    const bumped = one.call("BumpVersion", { repository, token }, { timeoutMs: 60_000 }).catch((error) => error);
    try {
      await nextPush(two, repository, 0);
    } finally {
      process.kill(one.pid, "SIGCONT");
    }
    expect(await bumped).toMatchObject({ code: "WRITE_DROPPED" });
    await expectKept(one, repository, { "heads/made": first });
    const { log } = await expectAtRest(cluster, repository);
    expect(log).toHaveLength(2);
  });
});
