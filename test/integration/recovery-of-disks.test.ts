// A start on a disk that is not the one that was: a restored one, one after power loss, one with something else.
import { execFile } from "node:child_process";
import { cp, mkdir, readFile, readlink, rename, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, vi } from "vitest";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

const APP = "team/app";
const file = async (path: string, content: string | Buffer = "") => {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
};

describe("a disk that is not the one that was", () => {
  it("restored from an older copy is brought to the head again", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const [one, two, three] = await a.history(APP);
    await a.push(APP, [change("main", null, one), change("gone", null, one)]);
    const copy = join(cluster.dir, "copy");
    await cp(a.context.root, copy, { recursive: true, verbatimSymlinks: true });
    await rm(join(copy, `${APP}.git`, "objects", three.slice(0, 2)), { recursive: true });
    await a.push(APP, [change("main", one, three), change("gone", one, null), change("new", null, two)]);
    await b.read(APP);
    await a.crash();
    await rm(a.context.root, { recursive: true });
    await rename(copy, a.context.root);
    const again = await a.restart();
    expect(await again.has(APP, three)).toBe(false);
    expect(await again.read(APP)).toMatchObject({ version: 2n });
    expect(again.packRequests).toMatchObject([{ from: "repo002", wants: expect.arrayContaining([three]) }]);
    await again.expectInLockstep(APP);
  });

  it("empty is filled from the other devices", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const [one] = await a.history(APP);
    await a.push(APP, [change("main", null, one)]);
    await b.read(APP);
    await a.stop();
    await rm(a.context.root, { recursive: true });
    const again = await a.restart();
    expect(await again.read(APP)).toMatchObject({ version: 1n });
    await again.expectInLockstep(APP);
  });

  it("without a replica's directory gets it anew", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const [one] = await a.history(APP);
    await a.push(APP, [change("main", null, one)]);
    await b.read(APP);
    await a.crash();
    await rm(a.gitDir(APP), { recursive: true });
    // And half of one that a crash left in the making.
    await file(join(a.context.root, ".lockstep", `new-${a.replica(APP).id}`, "HEAD"), "ref: refs/heads/half\n");
    const again = await a.restart();
    expect(await again.read(APP)).toMatchObject({ version: 1n });
    await again.expectInLockstep(APP);
    expect(await readlink(join(again.gitDir(APP), "hooks", "proc-receive"))).toBe(again.context.shim);
  });

  it("an exchanged disk whose objects nobody else has cannot be filled, and says so", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const [one] = await a.history(APP);
    await a.push(APP, [change("main", null, one)]);
    await a.crash();
    await rm(a.gitDir(APP), { recursive: true });
    const again = await a.restart();
    const failed = { code: "NO_SOURCE", details: { repository: APP, version: "1" } };
    await expect(again.read(APP)).rejects.toMatchObject(failed);
    await expect(b.read(APP)).rejects.toMatchObject(failed);
    expect(Object.keys(await again.refs(APP))).toEqual(["HEAD"]);
  });

  it("a replica whose hook or settings were changed gets them back", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    await a.crash();
    const hook = join(a.gitDir(APP), "hooks", "proc-receive");
    await rm(hook);
    await symlink("/bin/true", hook);
    const settings = join(a.gitDir(APP), "lockstep.config");
    const wanted = await readFile(settings, "utf8");
    await writeFile(settings, wanted.replace("fsync = all", "fsync = none"));
    const again = await a.restart();
    await again.read(APP);
    expect(await readlink(hook)).toBe(again.context.shim);
    expect(await readFile(settings, "utf8")).toBe(wanted);
    expect(await again.git(APP, ["config", "core.fsync"])).toBe("all");
    expect(await again.git(APP, ["config", "receive.procReceiveRefs"])).toBe("refs/");
    expect(await again.git(APP, ["config", "lockstep.socketDir"])).toBe(again.context.socketDir);
  });
});

describe("a replica whose HEAD power loss has left", () => {
  it.each<[string, (path: string) => Promise<void>]>([
    ["without content", async (path) => await truncate(path)],
    ["with zeros", async (path) => await writeFile(path, Buffer.alloc(24))],
    ["nowhere", async (path) => await rm(path)],
  ])("%s has it back", async (_, damage) => {
    await using cluster = await TestCluster.make();
    const a = await cluster.start("repo001");
    await cluster.create(APP, [a], { defaultBranch: "topic" });
    const [one] = await a.history(APP);
    await a.push(APP, [change("main", null, one)]);
    await a.crash();
    await damage(join(a.gitDir(APP), "HEAD"));
    const again = await a.restart();
    expect(await again.read(APP)).toMatchObject({ version: 1n });
    await again.expectInLockstep(APP);
    expect(await again.refs(APP)).toEqual({ HEAD: "ref: refs/heads/topic", "refs/heads/main": one });
  });
});

describe("something else where a replica should be", () => {
  it.each<[string, (path: string, a: TestDevice) => Promise<void>]>([
    ["a directory of files", async (path) => file(join(path, "thesis.txt"), "chapter one")],
    ["an empty directory", async (path) => void (await mkdir(path, { recursive: true }))],
    ["a file", async (path) => file(path, "chapter one")],
    [
      "a repository that Lockstep did not make",
      async (path, a) => {
        await cp(a.gitDir(APP), path, { recursive: true, verbatimSymlinks: true });
        await rm(join(path, "lockstep.config"));
        await writeFile(join(path, "config"), "[core]\n\trepositoryformatversion = 0\n\tbare = true\n");
      },
    ],
  ])("%s is not touched, and the reader is told", async (_, put) => {
    await using cluster = await TestCluster.make();
    const a = await cluster.start("repo001");
    await cluster.create(APP, [a]);
    const path = a.gitDir("team/other");
    await put(path, a);
    const before = await content(path);
    const reading = cluster.create("team/other", [a]);
    await expect(reading).rejects.toMatchObject({ code: "NOT_A_REPOSITORY", details: { path } });
    expect(await content(path)).toEqual(before);
    expect(await cluster.sql("select state from lockstep.replica order by state")).toEqual([
      { state: "active" },
      { state: "broken" },
    ]);
    await rename(path, `${path}.away`);
    await vi.waitFor(async () => expect(await a.read("team/other")).toMatchObject({ version: 0n }), SOON);
    await a.expectInLockstep("team/other");
  });

  it("under a new name after a renaming is not taken for the old one", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one] = await a.history(APP);
    await a.push(APP, [change("main", null, one)]);
    await cluster.sql("update lockstep.repository set name = 'team/old'");
    await cluster.create(APP, [a]);
    await a.expectInLockstep(APP);
    expect(await a.refs(APP)).toEqual({ HEAD: "ref: refs/heads/main" });
    // Nor is the old one lost: it had the only copy.
    expect(await a.read("team/old")).toMatchObject({ version: 1n });
    await a.expectInLockstep("team/old");
    expect(await a.refs("team/old")).toMatchObject({ "refs/heads/main": one });
  });

  async function content(path: string): Promise<string> {
    const list = 'find "$1" -type f -exec sha256sum {} + | sort';
    return (await promisify(execFile)("sh", ["-c", list, "sh", path])).stdout;
  }
});

describe("stored refs that are not what their digest says", () => {
  it("are not put onto the disk", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one, two] = await a.history(APP);
    await a.push(APP, [change("main", null, one)]);
    await cluster.sql("update lockstep.repository_ref set value = $1 where name = 'refs/heads/main'", [
      Buffer.from(two),
    ]);
    await a.crash();
    await rm(join(a.gitDir(APP), "lockstep.version"));
    const again = await a.restart();
    await expect(again.read(APP)).rejects.toMatchObject({
      code: "INTERNAL",
      message: expect.stringContaining("do not have the digest of version 1"),
    });
    expect(await again.refs(APP)).toMatchObject({ "refs/heads/main": one });
  });
});
