// The state in the row of a replica: "active" says to other devices that they may use it.
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { catchUpToHead } from "../../src/sync/catch-up/catch-up.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { SOON, type TestDevice } from "../support/sync-device.ts";

const APP = "team/app";

async function stateOf({ cluster, name }: TestDevice): Promise<string> {
  const [row] = await cluster.sql<{ state: string }>("select state from lockstep.replica where device = $1", [name]);
  return row?.state ?? "absent";
}

it.each(["pending", "broken"])(
  "a whole replica whose row says %s is active after a restart and a read",
  async (state) => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    for (const device of [a, b]) expect(await stateOf(device)).toBe("active");
    // As if the sidecar had died after its note on the disk, and before the record.
    await b.crash();
    await cluster.sql("update lockstep.replica set state = $2 where device = $1", [b.name, state]);
    const again = await b.restart();
    await again.read(APP);
    await vi.waitFor(async () => expect(await stateOf(again)).toBe("active"), SOON);
  },
);

it("a replica of an empty repository is active once the thing at its place is gone", async () => {
  await using cluster = await TestCluster.make();
  const [a, b] = [await cluster.start("repo001"), await cluster.start("repo002")];
  await mkdir(b.gitDir(APP), { recursive: true });
  await writeFile(join(b.gitDir(APP), "a-file"), "");
  await cluster.create(APP, [a]);
  await cluster.addReplica(APP, b);
  await expect(b.read(APP)).rejects.toMatchObject({ code: "NOT_A_REPOSITORY" });
  expect(await stateOf(b)).toBe("broken");
  await rm(b.gitDir(APP), { recursive: true });
  await vi.waitFor(() => b.read(APP), SOON);
  await vi.waitFor(async () => expect(await stateOf(b)).toBe("active"), SOON);
});

it("a failed catch-up leaves nothing in the row once the next one succeeds, also at the same version", async () => {
  await using cluster = await TestCluster.make();
  const [, b] = await cluster.pair(APP);
  const { signal } = new AbortController();
  const row = async () =>
    (await cluster.sql("select last_error, attempts from lockstep.replica where device = $1", [b.name]))[0];
  b.onStatement = async (text, statement) => {
    if (text.includes("update lockstep.replica")) return await statement();
    throw new Error("the connection broke");
  };
  await expect(catchUpToHead(b.context, b.replica(APP), { signal })).rejects.toThrow();
  expect(await row()).toMatchObject({ last_error: expect.stringContaining("connection broke"), attempts: 1 });
  b.onStatement = (_, statement) => statement();
  await vi.waitFor(() => catchUpToHead(b.context, b.replica(APP), { signal }), SOON);
  await vi.waitFor(async () => expect(await row()).toEqual({ last_error: null, attempts: 0 }), SOON);
});
