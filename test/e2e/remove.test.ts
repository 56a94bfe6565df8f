// `lockstep repo remove`, `restore` and `list --removed`, with stock git reading and pushing meanwhile.
import { existsSync } from "node:fs";
import { expect, it, vi } from "vitest";
import { expectEverywhere } from "../support/at-rest.ts";
import type { Device } from "../support/cluster-device.ts";
import { PATIENCE } from "../support/cluster-device.ts";
import { ada, cluster, one, startClusterOfFile, three, two } from "../support/file-cluster.ts";
import { type Pusher, pusher } from "../support/pusher.ts";
import { soon } from "../support/soon.ts";

startClusterOfFile();

const SOON = soon(100);
const done = (device: Device) => ({
  ...{ device: device.name, state: "done", live: true, error: null },
  command: expect.any(String),
  due_at: null,
});

it("shows what would be removed, removes it everywhere, and restores it under its name or another", async () => {
  const repository = await cluster.createRepository();
  const first = await ada.commit();
  await ada.land(one.url(repository), `${first}:refs/heads/main`);
  // Nothing is asked where there is no terminal, and nothing is changed.
  expect(await one.lockstep("repo", "remove", repository)).toMatchObject({
    code: 3,
    document: { repository, removed: false, version: 1, keep_days: 14, devices: [{}, {}, {}] },
  });
  expect(await one.print("repo", "remove", repository)).toMatchObject({
    code: 2,
    stdout: expect.stringContaining(`${repository} at version 1 would be taken out of service on`),
    stderr: expect.stringContaining("nothing was changed"),
  });
  expect(await one.lockstep("repo", "remove", repository, "--keep-days", "some", "--yes")).toMatchObject({ code: 2 });
  expect(await cluster.git.git(["ls-remote", two.url(repository), "refs/heads/main"])).toContain(first);

  const removed = await two.lockstep("repo", "remove", repository, "--yes", "--keep-days", "3");
  expect(removed).toEqual({
    code: 0,
    stderr: "",
    document: {
      ...{ repository, removed: true, version: 1 },
      id: expect.any(String),
      keep_until: expect.any(String),
      devices: [done(one), done(two), done(three)],
    },
  });
  expect(Date.parse(removed.document.keep_until) - Date.now()).toBeGreaterThan(2.9 * 86_400_000);
  for (const device of cluster.devices) {
    expect(existsSync(device.gitDir(repository))).toBe(false);
    expect((await cluster.git.run(["ls-remote", device.url(repository)])).code).toBe(128);
    expect((await ada.push(device.url(repository), `${first}:refs/heads/topic`)).code).not.toBe(0);
    await expect(device.call("BeforeRead", { repository }, PATIENCE)).rejects.toMatchObject({
      code: "REPOSITORY_NOT_FOUND",
      details: { keep_until: removed.document.keep_until },
    });
  }
  const shown = await three.lockstep("repo", "show", repository);
  expect(shown).toMatchObject({
    code: 1,
    document: { error: { message: expect.stringMatching(/was removed at .*restore/) } },
  });
  const list = (await three.lockstep("repo", "list", "--removed")).document.repositories;
  expect(list).toEqual([
    {
      ...{ name: repository, id: removed.document.id, version: 1, restorable: true, waits_for: [] },
      removed_at: expect.any(String),
      keep_until: removed.document.keep_until,
    },
  ]);
  expect((await three.print("repo", "list", "--removed")).stdout).toContain(removed.document.id);
  const names = (await one.lockstep("repo", "list")).document.repositories.map(({ name }: { name: string }) => name);
  expect(names).not.toContain(repository);

  // The name is free at once.
  expect(await one.lockstep("repo", "create", repository)).toMatchObject({ code: 0 });
  expect(await cluster.git.git(["ls-remote", two.url(repository)])).toBe("");
  expect(await three.lockstep("repo", "restore", repository)).toMatchObject({
    code: 1,
    document: { error: { message: expect.stringContaining("--as NEW") } },
  });
  expect(await three.lockstep("repo", "restore", repository, "--as", "restored/app")).toEqual({
    code: 0,
    stderr: "",
    document: {
      repository: "restored/app",
      restored: true,
      id: removed.document.id,
      devices: [done(one), done(two), done(three)],
    },
  });
  for (const device of cluster.devices)
    expect(await cluster.git.git(["ls-remote", device.url("restored/app"), "refs/heads/main"])).toContain(first);
  const { log } = (await one.lockstep("repo", "show", "restored/app")).document;
  expect(log).toMatchObject([{ version: 1 }]);
  expect(await one.lockstep("status")).toMatchObject({ document: { unknown: [] } });
});

it("loses no acknowledged push and acknowledges none afterwards, while a repository is removed and restored", async () => {
  const repository = await cluster.createRepository();
  const acknowledged = new Map<string, string>();
  const stop = new AbortController();
  const pushTo = async (device: Device, pushing: Pusher) => {
    const ref = `refs/heads/${device.name}`;
    while (!stop.signal.aborted) {
      const commit = await pushing.commit(acknowledged.get(ref));
      const { code } = await pushing.push(device.url(repository), `+${commit}:${ref}`);
      if (code === 0) acknowledged.set(ref, commit);
    }
  };
  const grace = await pusher(cluster.git, "grace");
  const pushing = Promise.all([pushTo(one, ada), pushTo(two, grace)]);
  for (let round = 0; round < 4; round += 1) {
    await vi.waitFor(() => expect(acknowledged.size).toBe(2), SOON);
    expect(await three.lockstep("repo", "remove", repository, "--yes")).toMatchObject({ code: 0 });
    const before = new Map(acknowledged);
    const { code, document } = await one.lockstep("repo", "restore", repository);
    expect(code, JSON.stringify(document)).toBe(0);
    const refs = await cluster.git.git(["ls-remote", three.url(repository)]);
    for (const ref of before.keys()) expect(refs).toContain(ref);
    acknowledged.clear();
  }
  stop.abort();
  await pushing;
  await expectEverywhere(cluster, repository, acknowledged);
});

it("is done by a device that was down as soon as it is back", async () => {
  const repository = await cluster.createRepository();
  const first = await ada.commit();
  await ada.land(one.url(repository), `${first}:refs/heads/main`);
  await three.sync(repository);
  await three.kill();
  const { code, document } = await one.lockstep("repo", "remove", repository, "--yes");
  expect({ code, document }).toMatchObject({
    code: 0,
    document: { devices: [done(one), done(two), { device: three.name, state: "queued", live: false }] },
  });
  const waitsFor = async () => (await one.lockstep("repo", "list", "--removed")).document.repositories[0].waits_for;
  expect(await waitsFor()).toEqual([three.name]);
  expect(existsSync(three.gitDir(repository))).toBe(true);
  await three.start();
  await vi.waitFor(async () => {
    const { repositories } = await one.call("ListRemovedRepositories", {}, PATIENCE);
    expect(repositories[0]!.waitsFor).toEqual([]);
  }, SOON);
  expect(await waitsFor()).toEqual([]);
  await vi.waitFor(() => expect(existsSync(three.gitDir(repository))).toBe(false), SOON);
  expect(await three.lockstep("repo", "restore", repository)).toMatchObject({ code: 0 });
  expect(await cluster.git.git(["ls-remote", three.url(repository), "refs/heads/main"])).toContain(first);
});
