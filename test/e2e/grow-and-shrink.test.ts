// A fourth device joins a running cluster, a device is drained and removed, and one that only serves reads.
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { dirname } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { type Device, PATIENCE } from "../support/cluster-device.ts";
import { joinCluster } from "../support/joining-device.ts";
import { SOON } from "../support/soon.ts";

let cluster: Cluster;
const started: ChildProcess[] = [];
beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(async () => {
  for (const child of started) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill("SIGTERM");
    await once(child, "exit");
  }
  await cluster[Symbol.asyncDispose]();
});

async function join4(name: string): Promise<ChildProcess> {
  const { child } = await joinCluster(cluster, name);
  started.push(child);
  return child;
}

async function replica(on: Device, repository: string, device: string) {
  const { replicas } = await on.call("GetRepository", { repository }, PATIENCE);
  return replicas.find((each) => each.device === device);
}

it("a device joins, fills without a push, is drained and removed; then the cluster is at rest", async () => {
  const [one] = cluster.devices as [Device];
  const repository = await cluster.createRepository();
  expect(dirname(cluster.demo.line.ca)).toBe(cluster.demo.line.ca_dir);
  const child = await join4("repo004");
  const ended = text(child.stderr!);
  await vi.waitFor(
    async () => expect(await replica(one, repository, "repo004")).toMatchObject({ state: "REPLICA_STATE_ACTIVE" }),
    SOON,
  );
  expect((await one.lockstep("repo", "show", repository)).document).toMatchObject({ placement: "all" });
  const listed = await one.lockstep("device", "list");
  expect(listed.document.devices.map(({ name }: { name: string }) => name)).toEqual([
    "repo001",
    "repo002",
    "repo003",
    "repo004",
  ]);
  await vi.waitFor(async () => {
    const { document } = await one.lockstep("device", "show", "repo004");
    expect(document).toMatchObject({ state: "live", filling: null, replicas: { there: 2, all: 2 }, only_here: [] });
  }, SOON);
  const drained = await one.lockstep("device", "drain", "repo004", "--wait");
  expect(drained).toMatchObject({
    code: 0,
    document: { name: "repo004", state: "draining", drained: true, writes: false },
  });
  expect(await one.lockstep("device", "remove", "repo004", "--yes")).toMatchObject({
    code: 0,
    document: { state: "removed" },
  });
  await vi.waitFor(() => expect(child.exitCode).not.toBeNull(), SOON);
  await ended;
  expect((await one.lockstep("status")).document).toMatchObject({ repositories: [] });
  const again = await join4("repo004");
  const said = await text(again.stderr!);
  expect(said).toContain("An operator has removed device repo004");
  expect(await one.lockstep("device", "undrain", "repo004")).toMatchObject({ code: 0 });
  await join4("repo004");
  await vi.waitFor(
    async () => expect(await replica(one, repository, "repo004")).toMatchObject({ state: "REPLICA_STATE_ACTIVE" }),
    SOON,
  );
  expect(await one.lockstep("device", "remove", "repo004", "--yes")).toMatchObject({ code: 0 });
});

it("a device that takes no writes refuses sessions and pushes with the devices that take them", async () => {
  const [one, two] = cluster.devices as [Device, Device];
  const repository = await cluster.createRepository();
  expect(await two.lockstep("device", "set", "repo001", "--no-writes")).toMatchObject({
    code: 0,
    document: { writes: false },
  });
  const said = expect.objectContaining({
    code: "WRITES_ELSEWHERE",
    message: expect.stringContaining("use repo002 or repo003"),
  });
  await expect(one.call("BeforeRead", { repository, forPush: true }, PATIENCE)).rejects.toEqual(said);
  await expect(one.call("BeginWrite", { repository, author: "ada", reason: "test" }, PATIENCE)).rejects.toEqual(said);
  expect(await one.call("BeforeRead", { repository }, PATIENCE)).toMatchObject({ version: "0" });
  const answer = await fetch(`${one.url(repository)}/info/refs?service=git-receive-pack`);
  expect([answer.status, await answer.text()]).toEqual([503, expect.stringContaining("repo002 or repo003")]);
  expect((await fetch(`${two.url(repository)}/info/refs?service=git-receive-pack`)).status).toBe(200);
  await two.lockstep("device", "set", "repo001", "--writes");
  expect(await one.call("BeforeRead", { repository, forPush: true }, PATIENCE)).toMatchObject({ version: "0" });
});

it("what only one device has keeps it from being removed, and more copies than devices are refused", async () => {
  const [one] = cluster.devices as [Device];
  const made = await one.lockstep("repo", "create", "only/here", "--devices", "repo003");
  expect(made).toMatchObject({ code: 0, document: { placement: ["repo003"] } });
  for (const command of [
    ["drain", "repo003"],
    ["remove", "repo003", "--yes"],
  ]) {
    const refused = await one.lockstep("device", ...command);
    expect(refused).toMatchObject({ code: 1, document: { error: { code: "DEVICE_NEEDED" } } });
    expect(refused.document.error.message).toContain("only/here");
  }
  expect((await one.lockstep("repo", "set", "only/here", "--min-copies", "2")).document.error.code).toBe(
    "INVALID_REQUEST",
  );
  expect(
    await one.lockstep("repo", "set", "only/here", "--devices", "repo001,repo002", "--keep-days", "0"),
  ).toMatchObject({ code: 0 });
  await vi.waitFor(
    async () => expect(await replica(one, "only/here", "repo003")).toMatchObject({ state: "REPLICA_STATE_DESTROYED" }),
    SOON,
  );
  expect(await one.lockstep("thaw", "--demote", "repo003", "--all")).toMatchObject({
    code: 1,
    document: { error: { code: "THAW_REFUSED" } },
  });
  expect(await one.lockstep("device", "remove", "nobody", "--yes")).toMatchObject({
    code: 1,
    document: { error: { code: "DEVICE_NOT_FOUND" } },
  });
});
