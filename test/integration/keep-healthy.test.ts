import { randomBytes } from "node:crypto";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { listCommands } from "../../src/store/command/find-commands.ts";
import { collectGarbage } from "../../src/sync/upkeep/collect-garbage.ts";
import { orderGc } from "../../src/sync/upkeep/keep-healthy.ts";
import { lookAtIdle, rememberArrivals } from "../../src/sync/upkeep/look-at-idle.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

async function one(): Promise<{ cluster: TestCluster; device: TestDevice }> {
  const cluster = await TestCluster.make();
  onTestFinished(() => cluster[Symbol.asyncDispose]());
  return { cluster, device: await cluster.start("repo001") };
}

/** Pushes so often that the sidecar looks at the packs, with many bytes in one of the packs. */
async function pushMuch(device: TestDevice, repository: string): Promise<void> {
  let tip: string | null = null;
  for (let push = 0; push < 25; push += 1) {
    const content = push === 3 ? randomBytes(300_000) : `${push}`;
    const next: string = await device.commit(repository, `${push}`, { parents: tip === null ? [] : [tip], content });
    if (push === 3) await device.git(repository, ["repack", "-q"]);
    await device.push(repository, [change("main", tip, next)]);
    tip = next;
    await device.git(repository, ["repack", "-q"]);
  }
}

/** Pushes so often that packs remain which nobody rolls up. */
async function pushSome(device: TestDevice, repository: string, pushes: number): Promise<void> {
  for (let push = 0; push < pushes; push += 1) {
    const id = await device.commit(repository, `${push}`, { content: `${push}` });
    await device.git(repository, ["repack", "-q"]);
    await device.push(repository, [change(`b${push}`, null, id)]);
  }
}

const ordered = async ({ context }: TestDevice) =>
  (await listCommands(context.db, { device: context.me.device, limit: 100 })).map(
    ({ command, repository, author }) => ({
      command,
      repository,
      author,
    }),
  );

describe("the sidecar", () => {
  it("orders a gc for a replica to which much has come", async () => {
    const { cluster, device } = await one();
    await cluster.create("app", [device]);
    await orderGc(device.context);
    expect(await ordered(device)).toEqual([]);
    await pushMuch(device, "app");
    await vi.waitFor(() => expect(device.context.replicas.awaitGc.size).toBe(1), SOON);
    await orderGc(device.context);
    expect(await ordered(device)).toEqual([{ command: "gc", repository: "app", author: "repo001" }]);
    // It is not ordered again at once, whatever became of the first one.
    device.context.replicas.awaitGc.add(device.replica("app"));
    await orderGc(device.context);
    expect(await ordered(device)).toHaveLength(1);
  });

  it("orders a few at a time, the one that waits longest first", async () => {
    const { cluster, device } = await one();
    const names = ["a", "b", "c", "d"];
    for (const name of names) {
      await cluster.create(name, [device]);
      device.context.replicas.awaitGc.add(device.replica(name));
    }
    for (const _ of names) await orderGc(device.context);
    expect((await ordered(device)).map(({ repository }) => repository)).toEqual(["b", "a"]);
    await cluster.sql("update lockstep.command set state = 'done', ended_at = now() where repository = 'a'");
    await orderGc(device.context);
    expect((await ordered(device)).map(({ repository }) => repository)).toEqual(["c", "b", "a"]);
  });

  it("has a replica collected once when nothing comes to it any more", async () => {
    const { cluster, device } = await one();
    const { context } = device;
    await cluster.create("app", [device]);
    await pushSome(device, "app", 12);
    await lookAtIdle(context);
    expect(context.replicas.awaitGc.size, "it does not rest yet").toBe(0);
    await lookAtIdle(context, 0);
    expect([...context.replicas.awaitGc].map(({ name }) => name)).toEqual(["app"]);
    await collectGarbage(context, "app", { signal: context.signal });
    context.replicas.awaitGc.clear();
    await lookAtIdle(context, 0);
    expect(context.replicas.awaitGc.size, "nothing has come since").toBe(0);
    await device.push("app", [change("last", null, await device.commit("app", "last"))]);
    await lookAtIdle(context, 0);
    expect(context.replicas.awaitGc.size, "one pack more is no reason").toBe(0);
  });

  it("looks after a restart at the replicas to which the last pushes came", async () => {
    const { cluster, device } = await one();
    for (const name of ["app", "other"]) await cluster.create(name, [device]);
    await pushSome(device, "app", 12);
    device.context.replicas.arrived.clear();
    await rememberArrivals(device.context);
    expect([...device.context.replicas.arrived.keys()].map(({ name }) => name)).toEqual(["app"]);
    await lookAtIdle(device.context, 0);
    expect(device.context.replicas.awaitGc.size).toBe(1);
  });
});
