// gc makes way for reads and pushes.
import { access, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { MakeWay } from "../../src/git/hung/make-way.ts";
import { collectGarbage } from "../../src/sync/upkeep/collect-garbage.ts";
import { processesAt } from "../support/git.ts";
import { soon } from "../support/soon.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

const APP = "team/app";

async function one(options: Parameters<TestCluster["start"]>[1] = {}): Promise<TestDevice> {
  const cluster = await TestCluster.make();
  onTestFinished(() => cluster[Symbol.asyncDispose]());
  const device = await cluster.start("repo001", options);
  await cluster.create(APP, [device]);
  await device.push(APP, [change("main", null, await device.commit(APP, "one"))]);
  return device;
}

/** Makes the git of gc work until the file that it returns is gone. */
async function hold(device: TestDevice, how: string): Promise<string> {
  const flag = join(device.cluster.dir, "held");
  await device.beforeGit(`case "$*" in *pack-objects*--revs*) touch '${flag}'; ${how.replace("FLAG", flag)};; esac`);
  return flag;
}

const gc = (device: TestDevice) => collectGarbage(device.context, APP, { signal: device.context.signal, all: true });

it("the git of gc stops while somebody reads, and gc goes on afterwards", async () => {
  const device = await one();
  const sent: string[] = [];
  const makeWay = new MakeWay((pid, signal) => {
    sent.push(signal);
    process.kill(pid, signal);
  });
  Object.assign(device.context.git, { makeWay });
  const flag = await hold(device, "while [ -e 'FLAG' ]; do :; done");
  const collected = gc(device);
  await vi.waitFor(() => access(flag), SOON);
  await vi.waitFor(() => expect(sent.at(-1)).not.toBe("SIGSTOP"), SOON);
  sent.length = 0;
  await vi.waitFor(async () => {
    await device.read(APP);
    expect(sent).toContain("SIGSTOP");
  }, SOON);
  await vi.waitFor(() => expect(sent.at(-1)).toBe("SIGCONT"), SOON);
  await rm(flag);
  expect(await collected).toMatchObject({ packed: "all" });
  await device.expectInLockstep(APP);
});

it("a git that makes way is not taken for one that hangs", async () => {
  const patience = { stoppedMs: 2_000, silentMs: 60_000, diskMs: 60_000, killedMs: 3_000 };
  const device = await one({ patience });
  const makeWay = Object.assign(new MakeWay(() => {}), { isStopped: vi.fn(() => true) });
  Object.assign(device.context.git, { makeWay });
  const flag = await hold(device, "kill -STOP $$");
  const collected = gc(device);
  await vi.waitFor(() => access(flag), SOON);
  // Each look finds the git stopped for two seconds more.
  await vi.waitFor(() => expect(makeWay.isStopped.mock.calls.length).toBeGreaterThanOrEqual(4), soon());
  for (const line of await processesAt(device.gitDir(APP))) {
    const pid = Number.parseInt(line, 10);
    if (/pack-objects/.test(line)) process.kill(pid, "SIGCONT");
  }
  expect(await collected).toMatchObject({ packed: "all" });
});
