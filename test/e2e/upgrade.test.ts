// Upgrades of the schema, with programs of several levels on one cluster (docs/upgrade.md).
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { administer } from "../support/administer.ts";
import { type Device, ended, PATIENCE } from "../support/cluster-device.ts";
import { EXIT } from "../support/command-line.ts";
import { ada, cluster, one, startClusterOfFile, three, two } from "../support/file-cluster.ts";
import { newerProgram, onProgram } from "../support/newer-program.ts";
import { untilGone } from "../support/processes.ts";
import { PushHistory } from "../support/push-history.ts";
import { soon } from "../support/soon.ts";

const SOON = soon(100);
/** Neighbours may run together. */
const NEXT = {
  "0002_note.sql": "alter table lockstep.repository add column note text; update lockstep.schema_level set level = 2;",
};
/** Older programs may not. */
const SHUTS_OUT = { "0003_breaks.sql": "update lockstep.schema_level set level = 3, compatible_from = 3;" };

startClusterOfFile();

const levels = async () =>
  await administer(cluster.databaseUrl, async (client) => {
    const { rows } = await client.query("select level, compatible_from as from from lockstep.schema_level");
    return rows[0];
  });

/** Ends the sidecar in order, and starts another program on the same device. */
async function exchange(old: Device, next: Device): Promise<void> {
  process.kill(old.pid, "SIGTERM");
  await untilGone(old.pid);
  await next.start();
}

it("neighbouring versions push and read together, whichever starts first, and a device may go back", async () => {
  const program = await newerProgram(join(cluster.dir, "next"), NEXT);
  const [newOne, newTwo, newThree] = [one, two, three].map((device) => onProgram(device, program)) as [
    Device,
    Device,
    Device,
  ];
  const history = await PushHistory.begin(cluster, ada);
  const { repository } = history;
  const stop = new AbortController();
  const lines = cluster.devices.map((device) => history.keepPushing(device, device.name, stop.signal));
  const reads = cluster.devices.map(async (device) => {
    while (!stop.signal.aborted) {
      const failed = await device.call("BeforeRead", { repository }, PATIENCE).then(
        () => undefined,
        (error: { code?: string }) => error.code,
      );
      // A device that stops or starts says so. None of them meets a schema that it does not know.
      expect(["INTERNAL", "PREREQUISITE_MISSING", "SCHEMA_TOO_NEW"]).not.toContain(failed);
    }
  });
  const allServe = async (when: string) => {
    for (const device of cluster.devices) await history.untilAcknowledged(device, `${when}-${device.name}`);
  };
  try {
    await allServe("before");
    expect(await levels()).toEqual({ level: 1, from: 1 });
    await exchange(three, newThree);
    expect(await levels()).toEqual({ level: 2, from: 1 });
    await allServe("one-is-newer");
    // The older program starts against the newer schema.
    await exchange(one, one);
    await allServe("restarted");
    await exchange(one, newOne);
    await exchange(two, newTwo);
    await allServe("upgraded");
    for (const [newer, older] of [
      [newOne, one],
      [newTwo, two],
      [newThree, three],
    ] as const)
      await exchange(newer, older);
    await allServe("back");
  } finally {
    stop.abort();
    await Promise.all([...lines, ...reads]);
  }
  const { log } = await history.expectTrueAndAtRest();
  console.log(history.summary(log));
  for (const { stderr } of history.told) expect(stderr).not.toMatch(/internal error/i);
});

it("a version that older programs cannot work with ends them when it comes, and they do not start again", async () => {
  const program = await newerProgram(join(cluster.dir, "breaking"), { ...NEXT, ...SHUTS_OUT });
  const [newOne, newThree] = [one, three].map((device) => onProgram(device, program)) as [Device, Device];
  await exchange(three, newThree);
  expect(await levels()).toEqual({ level: 3, from: 3 });
  for (const { pid } of [one, two]) await untilGone(pid);
  const refused = await ended(two.command(["serve"], two.demo.env));
  expect(refused).toMatchObject({ code: EXIT.FAILED });
  expect(refused.stderr).toContain("install the newer version of Lockstep on this device");
  await newOne.start();
  const repository = await cluster.createRepository();
  await ada.land(three.url(repository), `${await ada.commit()}:refs/heads/main`);
  await vi.waitFor(() => one.sync(repository), SOON);
  for (const device of [newOne, newThree]) {
    process.kill(device.pid, "SIGTERM");
    await untilGone(device.pid);
  }
});
