// What a server says of the heads counts only while a renewal of the lease, which is a commit, proves that it is the primary.
import pg from "pg";
import { expect, it, vi } from "vitest";
import { WAITS } from "../../src/waits.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON } from "../support/sync-device.ts";

/** How far the machine's clock is ahead of what it is. */
const clock = vi.hoisted(() => ({ aheadMs: 0 }));
vi.mock("node:os", async (original) => {
  const os = await original<typeof import("node:os")>();
  return { ...os, uptime: () => os.uptime() + clock.aheadMs / 1_000 };
});

const APP = "team/app";

/** Renewals wait, as on a primary whose standby is away, until the returned value is disposed of. */
async function holdRenewals(url: string): Promise<AsyncDisposable> {
  const client = new pg.Client(url);
  await client.connect();
  await client.query("begin");
  await client.query("select from lockstep.device for update");
  return { [Symbol.asyncDispose]: () => client.end() };
}

it("a current replica is read without a renewal as long as the last one proves that the server is the primary", async () => {
  await using cluster = await TestCluster.make();
  const [a] = await cluster.pair(APP);
  await a.push(APP, [change("main", null, await a.commit(APP, "one"))]);
  await using _ = await holdRenewals(cluster.url);
  expect(await a.read(APP)).toMatchObject({ version: 1n, fetched: false });
});

it("a current replica is not read once the last renewal is older than the lease, and is read again after the next one", async () => {
  await using cluster = await TestCluster.make();
  const [a] = await cluster.pair(APP);
  await a.push(APP, [change("main", null, await a.commit(APP, "one"))]);
  {
    await using _ = await holdRenewals(cluster.url);
    clock.aheadMs += WAITS.leaseMs;
    await expect(a.read(APP)).rejects.toMatchObject({
      code: "DATABASE_UNAVAILABLE",
      message: expect.stringContaining("has not confirmed this device's lease for 15 s"),
    });
    expect(a.replica(APP).applied).toBe(1n);
  }
  await vi.waitFor(async () => expect(await a.read(APP)).toMatchObject({ version: 1n, fetched: false }), SOON);
});
