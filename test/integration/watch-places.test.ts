// Calls that never end by themselves: how many one caller may have, and what is left for others.
import { describe, expect, it, vi } from "vitest";
import { WatchPlaces } from "../../src/rpc/call/watch-places.ts";
import { watch } from "../../src/rpc/handlers/watch.ts";
import { watchCommands } from "../../src/rpc/handlers/watch-commands.ts";
import { enqueueCommand } from "../../src/store/command/commands.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { SOON, type TestDevice } from "../support/sync-device.ts";

type Watching = (name: string, signal: AbortSignal, onSent: () => void) => Promise<void>;

/** Makes calls that last until their signal aborts. */
const CALLS: Readonly<Record<string, (device: TestDevice, places: WatchPlaces) => Promise<Watching>>> = {
  Watch: async ({ context }, places) => {
    const request = { cursor: "", repositories: [], visible: "VISIBLE_LANDED" } as const;
    const run = watch(context, places);
    return (name, signal, onSent) =>
      run({ ...request, repositories: [] }, async () => onSent(), { caller: { role: "frontend", name }, signal });
  },
  WatchCommands: async ({ context, cluster }, places) => {
    const id = await cluster.create("app", [...cluster.devices.values()]);
    const wanted = { repositoryId: id, repository: "app", device: "repo001", command: "sync", author: "ada" } as const;
    const ids = [await enqueueCommand(context.db, wanted)];
    const run = watchCommands(context, places);
    return (name, signal, onSent) => run({ ids }, onSent, { caller: { role: "frontend", name }, signal });
  },
};

describe.each(Object.keys(CALLS))("calls of %s", (rpc) => {
  it("are so many of one caller; another one still gets its own, and all go on when one has ended", async () => {
    await using cluster = await TestCluster.make();
    const device = await cluster.start("repo001");
    const call = await CALLS[rpc]!(device, new WatchPlaces("calls", { all: 3, own: 1 }));
    const stops: AbortController[] = [];
    const ended: Promise<unknown>[] = [];
    const begin = async (name: string) => {
      const stop = new AbortController();
      stops.push(stop);
      await new Promise<void>((begun, refused) => {
        const running = call(name, stop.signal, begun);
        ended.push(running.catch(() => {}));
        running.catch(refused);
      });
    };
    for (let count = 0; count < 3; count += 1) await begin("greedy");
    const refused = expect.objectContaining({
      code: "QUEUE_FULL",
      message: expect.stringContaining("has 3 calls already, which is the limit, and 3 of them are of frontend greedy"),
    });
    await expect(begin("greedy")).rejects.toEqual(refused);
    await begin("modest");
    await expect(begin("modest")).rejects.toMatchObject({ code: "QUEUE_FULL" });
    for (const stop of stops.slice(0, 2)) stop.abort();
    await vi.waitFor(async () => await begin("greedy"), SOON);
    for (const stop of stops) stop.abort();
    await Promise.all(ended);
  });
});
