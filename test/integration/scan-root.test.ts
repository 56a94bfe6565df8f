// The scan of a root: bare repositories that are no replicas are listed, and everything else is not.
import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findRepositories } from "../../src/git/root/find-repositories.ts";
import { listUnknown, listUnknownOf } from "../../src/store/adopt/unknown-directories.ts";
import { scanRoot } from "../../src/sync/adopt/scan-root.ts";
import { plainRepository } from "../support/plain-repository.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, type TestDevice } from "../support/sync-device.ts";

let cluster: TestCluster;
let device: TestDevice;
beforeAll(async () => {
  cluster = await TestCluster.make();
  device = await cluster.start("repo001");
  await cluster.create("team/known", [device]);
});
afterAll(async () => await cluster?.[Symbol.asyncDispose]());

const listed = async () => (await listUnknown(device.context.db, 100)).map(({ repository }) => repository);

describe("a scan of the root", () => {
  it("lists bare repositories by their names, nested ones too, and never those inside others or behind links", async () => {
    const { root } = device.context;
    for (const name of ["moved", "team/app", "team", "deep/er/still", "a b"])
      await plainRepository(device.gitDir(name));
    await plainRepository(join(root, "moved.git", "inner.git"));
    await plainRepository(join(root, ".hidden", "x.git"));
    await plainRepository(join(root, ".lockstep", "x.git"));
    await plainRepository(join(root, "work", "vendored.git"));
    await mkdir(join(root, "work", ".git"));
    await mkdir(join(root, "empty.git"));
    await writeFile(join(root, "file.git"), "");
    await plainRepository(join(cluster.dir, "outside.git"));
    await symlink(join(cluster.dir, "outside.git"), join(root, "link.git"));
    await symlink(root, join(root, "loop"));
    await scanRoot(device.context);
    expect(await listUnknown(device.context.db, 100)).toEqual(
      ["a b", "deep/er/still", "moved", "team", "team/app"].map((repository) => ({
        device: "repo001",
        path: device.gitDir(repository),
        repository,
        repositoryId: null,
        version: null,
      })),
    );
  });

  it("finds directories in the order of their paths", async () => {
    const root = join(cluster.dir, "order");
    for (const name of ["b", "a/b", "a", "a-b", "a.b", "a0/x", "a/b/c"])
      await plainRepository(join(root, `${name}.git`), []);
    const paths: string[] = [];
    for await (const { path } of findRepositories(root)) paths.push(path);
    expect(paths).toHaveLength(7);
    expect(paths).toEqual([...paths].sort());
  });

  it("forgets a directory that is gone, and one that has become a replica", async () => {
    await plainRepository(device.gitDir("gone"));
    await scanRoot(device.context);
    expect(await listed()).toContain("gone");
    await rm(device.gitDir("gone"), { recursive: true });
    await scanRoot(device.context);
    expect(await listed()).not.toContain("gone");
    expect(await listed()).toContain("moved");
  });

  it("lists a replica of which the database has no repository, with its version", async () => {
    await cluster.create("team/forgotten", [device]);
    const commit = await device.commit("team/forgotten", "one");
    await device.push("team/forgotten", [change("main", null, commit)]);
    await scanRoot(device.context);
    expect(await listed()).not.toContain("team/forgotten");
    await cluster.sql("delete from lockstep.repository where name = 'team/forgotten'");
    await scanRoot(device.context);
    const found = (await listUnknown(device.context.db, 100)).find(({ repository }) => repository === "team/forgotten");
    expect(found).toMatchObject({ version: 1n, repositoryId: expect.stringMatching(/^[0-9a-f-]{36}$/) });
  });

  it("lists a directory that lies at the place of a replica that was never made", async () => {
    await plainRepository(device.gitDir("team/later"));
    await cluster.sql(
      `insert into lockstep.repository (id, name, object_format, digest_key, head_digest)
       values (gen_random_uuid(), 'team/later', 'sha1', 'k', 'd')`,
    );
    await cluster.addReplica("team/later", device);
    await scanRoot(device.context);
    expect(await listed()).toContain("team/later");
  });

  it("records more directories than one statement takes, and pages through them", async () => {
    const template = join(cluster.dir, "template.git");
    await plainRepository(template, []);
    const names = Array.from({ length: 1_100 }, (_, index) => `many/${index}`);
    for (const name of names) {
      await mkdir(join(device.gitDir(name), "objects"), { recursive: true });
      await mkdir(join(device.gitDir(name), "refs"));
      await writeFile(join(device.gitDir(name), "HEAD"), "ref: refs/heads/main\n");
    }
    await scanRoot(device.context);
    const found: string[] = [];
    for (let after = ""; ; ) {
      const page = await listUnknownOf(device.context.db, "repo001", after, 300);
      found.push(...page.map(({ repository }) => repository));
      const last = page.at(-1);
      if (last === undefined) break;
      after = last.path;
    }
    expect(found.filter((name) => name.startsWith("many/")).sort()).toEqual(names.sort());
    await rename(join(device.context.root, "many"), join(cluster.dir, "many"));
    await scanRoot(device.context);
    expect((await listed()).filter((name) => name.startsWith("many/"))).toEqual([]);
  });

  it("changes nothing on record when the root is another directory", async () => {
    const before = await listed();
    expect(before.length).toBeGreaterThan(0);
    const { root } = device.context;
    await rename(root, `${root}.away`);
    await mkdir(root);
    try {
      await expect(scanRoot(device.context)).rejects.toMatchObject({ code: "ROOT_GONE" });
    } finally {
      await rm(root, { recursive: true });
      await rename(`${root}.away`, root);
    }
    expect(await listed()).toEqual(before);
  });
});
