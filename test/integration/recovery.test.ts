import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import {
  cp,
  mkdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, vi } from "vitest";
import { digestAfter } from "../../src/digest.ts";
import type { RefUpdate } from "../../src/domain.ts";
import { landWrite, stageWrite } from "../../src/store/write/writes.ts";
import { latch } from "../support/latch.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, honest, SOON, type TestDevice } from "../support/sync-device.ts";

const APP = "team/app";
const DAY_MS = 24 * 60 * 60 * 1000;

/** What a push has done in the database when its sidecar is killed: staged it, and perhaps decided it. */
async function writeRows(device: TestDevice, updates: readonly RefUpdate[], decided: boolean): Promise<string> {
  const { context } = device;
  const { id, applied } = device.replica(APP);
  const row = { writeId: randomUUID(), repositoryId: id, base: applied! };
  const staged = await stageWrite(context.db, context.me, {
    ...row,
    author: "ada",
    names: updates.map(({ name }) => name),
  });
  if (staged.outcome !== "staged") throw new Error(staged.outcome);
  const digest = digestAfter(staged.digestKey, staged.digest, updates);
  if (decided)
    expect(await landWrite(context.db, context.me, { ...row, digest, updates })).toMatchObject({ outcome: "landed" });
  return row.writeId;
}

const file = async (path: string, content: string | Buffer = "") => {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
};

describe("after a sidecar was killed in a push", () => {
  interface Point {
    readonly decided: boolean;
    /** Makes what git had made by then. */
    readonly disk: (a: TestDevice, one: string, two: string) => Promise<void>;
  }
  const lock = async (a: TestDevice, name: string, id: string) => file(join(a.gitDir(APP), `${name}.lock`), `${id}\n`);
  const prepared = async (a: TestDevice, one: string, two: string) => {
    await lock(a, "refs/heads/main", two);
    await lock(a, "refs/heads/topic", two);
    await lock(a, "refs/heads/deep/new", one);
    await lock(a, "HEAD", one);
    await file(join(a.gitDir(APP), "packed-refs.lock"), "# pack-refs with: peeled\n");
    await file(join(a.gitDir(APP), "packed-refs.new"), "");
  };
  const points: Record<string, Point> = {
    staged: { decided: false, disk: async () => {} },
    prepared: { decided: false, disk: prepared },
    decided: { decided: true, disk: prepared },
    "in the middle of the refs": {
      decided: true,
      disk: async (a, one, two) => {
        await a.git(APP, ["update-ref", "refs/heads/main", two]);
        await lock(a, "refs/heads/topic", two);
        await lock(a, "refs/heads/deep/new", one);
      },
    },
    "written but not noted": {
      decided: true,
      disk: async (a, one, two) => {
        const refs = ["refs/heads/main", "refs/heads/topic"].map((name) => `update ${name} ${two}\n`).join("");
        await a.git(
          APP,
          ["update-ref", "--stdin"],
          `${refs}create refs/heads/deep/new ${one}\ndelete refs/heads/gone\n`,
        );
      },
    },
  };

  it.each(Object.entries(points))(
    "%s: the first touch makes the refs what the log says",
    async (_, { decided, disk }) => {
      await using cluster = await TestCluster.make();
      const [a] = await cluster.pair(APP);
      const [one, two, three] = await a.history(APP);
      await a.push(APP, [change("main", null, one), change("topic", null, one), change("gone", null, one)]);
      await a.git(APP, ["pack-refs", "--all"]);
      const updates = [
        change("main", one, two),
        change("topic", one, two),
        change("gone", one, null),
        change("deep/new", null, one),
      ];
      const write = await writeRows(a, updates, decided);
      await disk(a, one, two);
      const again = await a.restart();
      expect(await again.read(APP)).toMatchObject({ version: decided ? 2n : 1n, fetched: true });
      await again.expectInLockstep(APP);
      expect(await again.refs(APP)).toMatchObject({ "refs/heads/main": decided ? two : one });
      expect(again.packRequests).toEqual([]);
      expect(await cluster.sql("select status from lockstep.write where id = $1", [write])).toEqual([
        { status: decided ? "landed" : "dropped" },
      ]);
      expect(await again.push(APP, [change("main", decided ? two : one, three)])).toEqual({ "refs/heads/main": null });
      await again.expectInLockstep(APP);
      const b = cluster.devices.get("repo002")!;
      await b.read(APP);
      await b.expectInLockstep(APP);
    },
  );

  it("a write of the old incarnation cannot land any more, however late its statement comes", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one] = await a.history(APP);
    const writeId = await writeRows(a, [change("main", null, one)], false);
    const zombie = a.context.me;
    const again = await a.restart();
    const request = {
      writeId,
      repositoryId: (await again.read(APP)).replica.id,
      base: 0n,
      digest: Buffer.alloc(32),
      updates: [change("main", null, one)],
    };
    expect(await landWrite(again.context.db, zombie, request)).toEqual({ outcome: "fenced" });
    expect(await landWrite(again.context.db, again.context.me, request)).toEqual({ outcome: "dropped" });
    await again.expectInLockstep(APP);
  });

  it("removes quarantines and locks of every name, and nothing that may be somebody else's", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one] = await a.history(APP);
    await a.push(APP, [change("main", null, one)]);
    const dir = a.gitDir(APP);
    const objects = join(dir, "objects");
    await file(join(objects, "tmp_objdir-lockstep-abc123", "pack", "tmp_pack_1"), "PACK");
    await file(join(objects, "tmp_objdir-incoming-young", "pack", "tmp_pack_1"), "PACK");
    await file(join(objects, "tmp_objdir-incoming-old", "ab", "object"), "x");
    await file(join(objects, "tmp_objdir-incoming-slow", "ab", "object"), "x");
    const long = new Date(Date.now() - DAY_MS - 60_000);
    for (const path of ["tmp_objdir-incoming-old/ab/object", "tmp_objdir-incoming-old/ab", "tmp_objdir-incoming-old"])
      await utimes(join(objects, path), long, long);
    // An upload that goes on: only what it writes to is young.
    for (const path of ["tmp_objdir-incoming-slow/ab", "tmp_objdir-incoming-slow"])
      await utimes(join(objects, path), long, long);
    await file(join(dir, "config.lock"));
    await file(join(dir, "gc.pid"));
    await file(join(dir, "refs/tags/deep/er/v1.lock"));
    // As git calls a half-written table of refs, which a branch may be called too.
    await a.push(APP, [change("0x1-0x1-1.ref.temp.aB3dE6", null, one)]);
    const latin1 = Buffer.concat([Buffer.from(join(dir, "refs/heads/")), Buffer.from("caf\xe9.lock", "latin1")]);
    await writeFile(latin1, "");
    const again = await a.restart();
    await again.read(APP);
    expect(await again.leftovers(APP)).toEqual([
      "config.lock",
      "objects/tmp_objdir-incoming-slow",
      "objects/tmp_objdir-incoming-slow/ab",
      "objects/tmp_objdir-incoming-slow/ab/object",
      "objects/tmp_objdir-incoming-young",
      "objects/tmp_objdir-incoming-young/pack",
      "objects/tmp_objdir-incoming-young/pack/tmp_pack_1",
    ]);
    expect((await stat(join(dir, "gc.pid"))).isFile()).toBe(true);
    expect(await again.refs(APP)).toHaveProperty(["refs/heads/0x1-0x1-1.ref.temp.aB3dE6"], one);
    expect(await again.push(APP, [change("refs/heads/caf\xe9", null, one)])).toEqual({ "refs/heads/caf\xe9": null });
  });
});

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

  it("whose objects nobody else has cannot be filled, and says so", async () => {
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

  it("whose hook or settings were changed gets them back", async () => {
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

describe("recovery that is itself interrupted", () => {
  it("while it fetches begins again", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const [one] = await a.history(APP);
    await a.push(APP, [change("main", null, one)]);
    await b.crash();
    await rm(join(b.gitDir(APP), "lockstep.version"));
    await file(join(b.gitDir(APP), "refs/heads/main.lock"));
    const second = await b.restart();
    const { opened: asking, open: asked } = latch();
    second.openPack = async (_peer, _request, signal) => {
      asked();
      return await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    };
    const read = second.read(APP).catch((error: unknown) => error);
    await asking;
    const third = await second.restart();
    expect(await read).toMatchObject({ code: "SHUTTING_DOWN" });
    third.openPack = honest(cluster);
    expect(await third.read(APP)).toMatchObject({ version: 1n });
    await third.expectInLockstep(APP);
  });

  it("between two steps of applying the refs begins again", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const [one, two] = await a.history(APP);
    await a.push(APP, [change("x", null, one), change("other", null, one)]);
    await b.read(APP);
    await a.push(APP, [change("x", one, null), change("other", one, two)]);
    await a.push(APP, [change("x/y", null, two)]);
    await b.crash();
    await rm(join(b.gitDir(APP), "lockstep.version"));
    const second = await b.restart();
    // The deletion that makes room is done, the rest is not.
    const mark = join(cluster.dir, "mark");
    await second.beforeGit(`case "$*" in update-ref*) if [ -e ${mark} ]; then exit 1; fi; : > ${mark};; esac`);
    await expect(second.read(APP)).rejects.toMatchObject({ code: "GIT_FAILED" });
    expect(await second.refs(APP)).toEqual({ HEAD: "ref: refs/heads/main", "refs/heads/other": one });
    const third = await second.restart();
    expect(await third.read(APP)).toMatchObject({ version: 3n });
    await third.expectInLockstep(APP);
    const fourth = await third.restart();
    await fourth.read(APP);
    await fourth.expectInLockstep(APP);
  });

  it("in the middle of the objects begins again", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const [one] = await a.history(APP);
    await a.push(APP, [change("main", null, one)]);
    await b.beforeGit('case "$*" in index-pack*) kill -9 $$;; esac');
    await expect(b.read(APP)).rejects.toMatchObject({ code: "NO_SOURCE" });
    expect(await b.leftovers(APP)).toEqual([]);
    const again = await b.restart();
    expect(await again.read(APP)).toMatchObject({ version: 1n });
    await again.expectInLockstep(APP);
  });
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
