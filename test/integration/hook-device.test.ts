// Which device delivers the events of a hook.
import { describe, expect, it, vi } from "vitest";
import { claimHooks, recordHookFailure, recordHookProgress } from "../../src/store/watch/hooks.ts";
import { addHook, delivering, onlyHook, SECRET } from "../support/hook-delivery.ts";
import { currentRepository, Landing } from "../support/landing.ts";
import { latch } from "../support/latch.ts";
import { Receiver } from "../support/receiver.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { SOON, type TestDevice } from "../support/sync-device.ts";

/** Resolves when the device has tried to record a delivery, and has looked for hooks since. */
async function untilStopped(device: TestDevice): Promise<void> {
  let recorded = false;
  await new Promise<void>((resolve) => {
    device.onStatement = async (text, run) => {
      const result = await run();
      if (/^update lockstep\.hook set cursor/.test(text)) recorded = true;
      if (recorded && /claim_hooks/.test(text)) resolve();
      return result;
    };
  });
  device.onStatement = (_, run) => run();
}

describe("the device that delivers a hook", () => {
  it("is one at a time, and another one goes on when it dies", async () => {
    await using cluster = await TestCluster.make();
    await using receiver = await Receiver.start();
    const [one, two] = [await cluster.start("repo001"), await cluster.start("repo002")];
    const app = await currentRepository("app", [one]);
    await addHook(one, receiver.url);
    await using landing = await Landing.connect(cluster);
    const first = delivering(one);
    await vi.waitFor(async () => expect(await onlyHook(one)).toMatchObject({ device: "repo001" }), SOON);
    await using _ = delivering(two);
    for (let i = 0; i < 3; i += 1) await landing.land(app);
    await vi.waitFor(async () => expect(await onlyHook(two)).toMatchObject({ delivered: 3n, device: "repo001" }), SOON);
    await first[Symbol.asyncDispose]();
    // It gives its lease back, as an orderly stop does.
    await one.stop();
    await landing.land(app);
    await vi.waitFor(async () => expect(await onlyHook(two)).toMatchObject({ delivered: 4n, device: "repo002" }), SOON);
    expect(receiver.events).toEqual(["app 1", "app 2", "app 3", "app 4"]);
  });

  it("stops when another one has taken the hook over meanwhile, and that one goes on", async () => {
    await using cluster = await TestCluster.make();
    await using receiver = await Receiver.start();
    const [one, two] = [await cluster.start("repo001"), await cluster.start("repo002")];
    const app = await currentRepository("app", [one]);
    await addHook(one, receiver.url);
    await using landing = await Landing.connect(cluster);
    for (let i = 0; i < 3; i += 1) await landing.land(app);
    const asked = latch();
    const answered = latch();
    receiver.answer = async (_, response) => {
      asked.open();
      await answered.opened;
      response.writeHead(204).end();
    };
    const first = delivering(one);
    await asked.opened;
    // As if its lease had ended.
    const { device, fence } = two.context.me;
    await cluster.sql("update lockstep.hook set device = $1, fence = $2", [device, fence]);
    answered.open();
    await untilStopped(one);
    await using _ = delivering(two);
    await vi.waitFor(async () => expect(await onlyHook(two)).toMatchObject({ delivered: 3n, device: "repo002" }), SOON);
    await first[Symbol.asyncDispose]();
    expect(receiver.events).toEqual(["app 1", "app 1", "app 2", "app 3"]);
  });

  it("takes its hooks back at once after a restart", async () => {
    await using cluster = await TestCluster.make();
    const one = await cluster.start("repo001");
    const hook = await addHook(one, "http://127.0.0.1:9/hook");
    expect(await claimHooks(one.context.db, one.context.me)).toMatchObject([{ id: hook.id }]);
    const again = await one.restart();
    expect(await claimHooks(again.context.db, one.context.me)).toEqual([]);
    expect(await claimHooks(again.context.db, again.context.me)).toMatchObject([{ id: hook.id, secret: SECRET }]);
  });

  it("records nothing once another one has the hook", async () => {
    await using cluster = await TestCluster.make();
    const [one, two] = [await cluster.start("repo001"), await cluster.start("repo002")];
    const { id, cursor } = await addHook(one, "http://127.0.0.1:9/hook");
    const { db } = two.context;
    expect(await claimHooks(db, one.context.me)).toHaveLength(1);
    expect(await claimHooks(db, two.context.me)).toEqual([]);
    await one.stop();
    expect(await claimHooks(db, two.context.me)).toHaveLength(1);
    const progress = { before: cursor, cursor: "1.7", delivered: 1n, isDelivery: true, missed: false };
    const failure = { cursor, attempts: 1, waitMs: 1_000, error: "no" };
    expect(await recordHookProgress(db, one.context.me, id, progress)).toBe(false);
    expect(await recordHookFailure(db, one.context.me, id, failure)).toBe(false);
    expect(await onlyHook(two)).toMatchObject({ cursor, delivered: 0n, attempts: 0 });
    expect(await recordHookProgress(db, two.context.me, id, progress)).toBe(true);
    // A repetition is the same, and one that comes late changes nothing.
    expect(await recordHookProgress(db, two.context.me, id, progress)).toBe(true);
    expect(
      await recordHookProgress(db, two.context.me, id, { ...progress, before: "1.7", cursor: "1.9", delivered: 2n }),
    ).toBe(true);
    expect(await recordHookProgress(db, two.context.me, id, progress)).toBe(false);
    expect(await recordHookFailure(db, two.context.me, id, failure)).toBe(false);
    expect(await onlyHook(two)).toMatchObject({ cursor: "1.9", delivered: 2n });
  });
});
