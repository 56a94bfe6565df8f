// `lockstep repo rename`, with stock git reading and pushing meanwhile.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { expectEverywhere } from "../support/at-rest.ts";
import type { Device } from "../support/cluster-device.ts";
import { PATIENCE } from "../support/cluster-device.ts";
import { ada, cluster, one, startClusterOfFile, three, two } from "../support/file-cluster.ts";
import { type Pusher, pusher } from "../support/pusher.ts";
import { soon } from "../support/soon.ts";

startClusterOfFile();

const SOON = soon(100);
const rename = (on: Device, from: string, to: string) => on.lockstep("repo", "rename", from, to);
const done = (device: Device) => ({
  ...{ device: device.name, state: "done", live: true, error: null },
  command: expect.any(String),
  due_at: null,
});

it("moves the repository on every device, and tells those who use the old name the new one", async () => {
  const repository = await cluster.createRepository();
  const first = await ada.commit();
  await ada.land(one.url(repository), `${first}:refs/heads/main`);
  expect(await rename(two, repository, "renamed/app")).toEqual({
    code: 0,
    stderr: "",
    document: { repository: "renamed/app", renamed_from: repository, devices: [done(one), done(two), done(three)] },
  });
  for (const device of cluster.devices) {
    expect(existsSync(device.gitDir(repository))).toBe(false);
    expect(await cluster.git.git(["ls-remote", device.url("renamed/app"), "refs/heads/main"])).toContain(first);
    const old = await cluster.git.run(["ls-remote", device.url(repository)]);
    expect(old.code).toBe(128);
    await expect(device.call("BeforeRead", { repository }, PATIENCE)).rejects.toMatchObject({
      code: "REPOSITORY_NOT_FOUND",
      details: { renamed_to: "renamed/app" },
    });
  }
  const refused = await three.lockstep("repo", "show", repository);
  expect(refused).toMatchObject({ code: 1, document: { error: { details: { renamed_to: "renamed/app" } } } });
  // The old name is free at once.
  expect(await one.lockstep("repo", "create", repository)).toMatchObject({ code: 0 });
  expect(await cluster.git.git(["ls-remote", two.url(repository)])).toBe("");
  expect(await cluster.git.git(["ls-remote", two.url("renamed/app"), "refs/heads/main"])).toContain(first);
  const text = await one.print("repo", "rename", "renamed/app", repository);
  expect(text).toMatchObject({ code: 1, stderr: expect.stringMatching(/exists already/) });
});

it("loses no acknowledged push and serves no older read while a repository is renamed back and forth", async () => {
  const repository = await cluster.createRepository();
  const names = [repository, "back/and/forth"] as const;
  const stop = new AbortController();
  const acknowledged = new Map<string, string>();
  const either = async (act: (name: string) => Promise<{ code: number | null; stderr: string; stdout: string }>) => {
    for (const name of names) {
      const result = await act(name);
      if (result.code === 0) return result;
    }
    return undefined;
  };
  const pushTo = async (device: Device, pushing: Pusher) => {
    const ref = `refs/heads/${device.name}`;
    let last: string | undefined;
    while (!stop.signal.aborted) {
      const commit = await pushing.commit(last);
      const pushed = await either((name) => pushing.push(device.url(name), `${commit}:${ref}`));
      // A push that was told neither may have landed.
      if (pushed === undefined) {
        const seen = await either((name) => cluster.git.run(["ls-remote", device.url(name), ref]));
        if (!seen?.stdout.startsWith(commit)) continue;
      }
      last = commit;
      acknowledged.set(ref, commit);
      const read = await either((name) => cluster.git.run(["ls-remote", three.url(name), ref]));
      if (read !== undefined) expect(read.stdout).toContain(commit);
    }
  };
  const grace = await pusher(cluster.git, "grace");
  const pushing = Promise.all([pushTo(one, ada), pushTo(two, grace)]);
  for (let round = 0; round < 6; round += 1) {
    const [from, to] = round % 2 === 0 ? names : [names[1], names[0]];
    await vi.waitFor(() => expect(acknowledged.size).toBe(2), SOON);
    acknowledged.clear();
    const renamed = await rename(cluster.devices[round % 3] as Device, from, to);
    expect(renamed.document).toMatchObject({ repository: to });
    expect(renamed.code).toBe(0);
  }
  await vi.waitFor(() => expect(acknowledged.size).toBe(2), SOON);
  stop.abort();
  await pushing;
  await expectEverywhere(cluster, repository, acknowledged);
  for (const device of cluster.devices) expect(existsSync(join(device.demo.root, "back"))).toBe(false);
});

it("is done by a device that was down as soon as it is back", async () => {
  const repository = await cluster.createRepository();
  const first = await ada.commit();
  await ada.land(one.url(repository), `${first}:refs/heads/main`);
  await three.sync(repository);
  await three.kill();
  const { code, document } = await rename(one, repository, "while/away");
  expect({ code, document }).toMatchObject({
    code: 0,
    document: { devices: [done(one), done(two), { device: three.name, state: "queued", live: false }] },
  });
  expect(existsSync(three.gitDir(repository))).toBe(true);
  await three.start();
  expect(await cluster.git.git(["ls-remote", three.url("while/away"), "refs/heads/main"])).toContain(first);
  expect(existsSync(three.gitDir(repository))).toBe(false);
  await vi.waitFor(async () => {
    const { commands } = await three.call("ListCommands", { device: three.name }, PATIENCE);
    expect(commands).toContainEqual(expect.objectContaining({ command: "rename", state: "COMMAND_STATE_DONE" }));
  }, SOON);
});
