// The disk changes behind running sidecars: what people with stock git, and operators, see of it.
import { copyFile, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { expectVerified } from "../support/at-rest.ts";
import type { Device } from "../support/cluster-device.ts";
import { ada, cluster, one, startClusterOfFile, two } from "../support/file-cluster.ts";
import { SOON } from "../support/soon.ts";

let repository: string;
let first: string;
startClusterOfFile();
beforeEach(async () => {
  repository = await cluster.createRepository();
  first = await ada.commit();
  await ada.land(one.url(repository), `${first}:refs/heads/main`);
  await ada.land(one.url(repository), `${first}:refs/heads/team/topic`);
});

async function clone(device: Device): Promise<unknown> {
  const to = join(cluster.git.dir, `clone-${repository.replace("/", "-")}-${Math.random()}`);
  return await cluster.git.run(["clone", "--quiet", "--bare", device.url(repository), to]);
}

/** Nothing went wrong in a way that nobody expected. */
async function expectNothingInternal(device: Device): Promise<void> {
  const log = await device.log();
  expect(log.filter(({ msg }) => msg === "an error that nobody expected" || msg === "call failed")).toEqual([]);
  expect(JSON.stringify(log)).not.toContain("suppressed during disposal");
}

describe("a replica whose directory is deleted under a running sidecar", () => {
  it("is made anew by the first access after a push elsewhere", async () => {
    for (const touch of ["clone", "sync", "verify", "push"]) {
      await rm(one.gitDir(repository), { recursive: true });
      const next = await ada.commit();
      await ada.land(two.url(repository), `${next}:refs/heads/main-${touch}`);
      if (touch === "clone") expect(await clone(one)).toMatchObject({ code: 0 });
      if (touch === "sync") expect(await one.lockstep("sync", repository)).toMatchObject({ code: 0 });
      // Someone else may have been faster in making it anew: the follower is told of the push.
      if (touch === "verify")
        expect((await one.lockstep("verify", repository)).document).toMatchObject({ failure: null });
      if (touch === "push") await ada.land(one.url(repository), `${next}:refs/heads/pushed`);
      expect(await cluster.git.git(["ls-remote", one.url(repository), `refs/heads/main-${touch}`])).toContain(next);
      await expectVerified(one, repository, true);
    }
    await expectNothingInternal(one);
  });
});

describe("files that are no refs", () => {
  it.each(["main 2", "main~", ".DS_Store", "team/topic (copy)"])(
    "such as %s keep nobody from cloning and pushing",
    async (name) => {
      const heads = join(one.gitDir(repository), "refs", "heads");
      await copyFile(join(heads, "main"), join(heads, name));
      if (name.includes("/")) await vi.waitFor(async () => expect(await clone(one)).toMatchObject({ code: 0 }), SOON);
      else expect(await clone(one)).toMatchObject({ code: 0 });
      const next = await ada.commit();
      await ada.land(one.url(repository), `${next}:refs/heads/next`);
      expect(await readdir(join(one.demo.root, ".lockstep", "foreign"))).not.toEqual([]);
      await expectVerified(one, repository);
      await expectNothingInternal(one);
    },
  );

  it("files that are no refs are named by verify", async () => {
    // The sidecar may find it by itself first.
    const stdout = await vi.waitFor(async () => {
      await writeFile(join(one.gitDir(repository), "refs", "heads", "team", "notes (1)"), "junk");
      const verified = await one.print("verify", repository);
      expect(verified.code).toBe(1);
      return verified.stdout;
    }, SOON);
    expect(stdout).toContain("refs/heads/team/notes (1) (not the name of a ref)");
    expect(stdout).toContain(".lockstep/foreign");
  });
});

it("a root that is moved away, or unmounted, is not filled again: the sidecar says so, is not ready, and goes on later", async () => {
  const { root } = one.demo;
  await rename(root, `${root}.away`);
  await mkdir(root);
  try {
    const read = await cluster.git.run(["ls-remote", one.url(repository)]);
    expect(read).toMatchObject({ code: 128 });
    const next = await ada.commit();
    await ada.land(two.url(repository), `${next}:refs/heads/next`);
    for (const args of [["sync"], ["verify"]])
      expect(await one.lockstep(...args, repository)).toMatchObject({
        code: 3,
        document: { error: { code: "ROOT_GONE", message: expect.stringContaining(root) } },
      });
    expect(await one.isReady()).toBe(false);
    expect(await readdir(root)).toEqual([]);
  } finally {
    await rm(root, { recursive: true });
    await rename(`${root}.away`, root);
  }
  await vi.waitFor(() => one.sync(repository), SOON);
  expect(await one.isReady()).toBe(true);
  await expectVerified(one, repository, true);
  await expectNothingInternal(one);
});
