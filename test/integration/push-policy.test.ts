// What a device does with a ref that git or the repository's settings refuse; how the settings are read is in policy.test.ts.
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { update } from "../support/refs.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, type TestDevice } from "../support/sync-device.ts";
import { log, writes } from "../support/write-rows.ts";

const APP = "team/app";

describe("a ref that git would refuse", () => {
  it("is refused with git's reason, and the others land", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one, two] = await a.history(APP);
    await a.push(APP, [change("main", null, one), change("deep/er", null, one)]);
    const blob = await a.git(APP, ["hash-object", "-w", "--stdin"], "no commit");
    const nowhere = "1234567890123456789012345678901234567890";
    const report = await a.push(APP, [
      change("main", one, two),
      change("main/below", null, one),
      change("deep", null, one),
      change("blob", null, blob),
      change("nowhere", null, nowhere),
      change("refs/tags/blob", null, blob),
      change("last", null, one),
    ]);
    expect(report).toEqual({
      "refs/heads/main": null,
      "refs/heads/main/below": "conflicts with an existing ref",
      "refs/heads/deep": "conflicts with an existing ref",
      "refs/heads/blob": "not a commit",
      "refs/heads/nowhere": "missing object",
      "refs/tags/blob": null,
      "refs/heads/last": null,
    });
    expect((await log(cluster)).at(-1)?.names).toEqual(["refs/heads/last", "refs/heads/main", "refs/tags/blob"]);
    await a.expectInLockstep(APP);
  });

  it("is refused by its name before anybody is asked", async () => {
    await using cluster = await TestCluster.make();
    const a = await cluster.start("repo001");
    await cluster.create(APP, [a]);
    const [one] = await a.history(APP);
    const funny = [
      "with space",
      "..",
      "a..b",
      "a.lock",
      "a.lock/b",
      ".a",
      "a/",
      "a.",
      "a@{1}",
      "a\\b",
      "a:b",
      "a\tb",
      "a\x7f",
    ];
    const names = [
      "HEAD",
      "refs/stash",
      "refs/heads",
      "refs/../../config",
      ...funny.map((name) => `refs/heads/${name}`),
    ];
    for (const name of names) {
      expect(await a.push(APP, [update(name, null, one)])).toEqual({
        [name]: "funny refname",
      });
    }
    expect(await a.push(APP, [change("refs/lockstep/lost/main", null, one)])).toEqual({
      "refs/lockstep/lost/main": "refs/lockstep/ belongs to Lockstep",
    });
    expect(await writes(cluster)).toEqual([]);
    await a.expectInLockstep(APP);
  });
});

describe("the repository's policy", () => {
  async function configured(cluster: TestCluster, key: string, value: string): Promise<[TestDevice, string, string]> {
    const [a] = await cluster.pair(APP);
    const [one, two] = await a.history(APP);
    await a.push(APP, [change("main", null, two), change("topic", null, two), change("refs/tags/t", null, one)]);
    await a.git(APP, ["config", key, value]);
    return [a, one, two];
  }

  it("receive.denyDeletes refuses to delete branches, not tags", async () => {
    await using cluster = await TestCluster.make();
    const [a, one, two] = await configured(cluster, "receive.denyDeletes", "true");
    expect(await a.push(APP, [change("topic", two, null), change("refs/tags/t", one, null)])).toEqual({
      "refs/heads/topic": "deletion prohibited",
      "refs/tags/t": null,
    });
    await a.expectInLockstep(APP);
  });

  it("receive.denyNonFastForwards refuses to rewind branches, not tags", async () => {
    await using cluster = await TestCluster.make();
    const [a, one, two] = await configured(cluster, "receive.denyNonFastForwards", "true");
    const three = await a.commit(APP, "three", { parents: [two] });
    const other = await a.commit(APP, "other history");
    expect(
      await a.push(APP, [change("main", two, one), change("topic", two, three), change("refs/tags/t", one, other)]),
    ).toEqual({ "refs/heads/main": "non-fast-forward", "refs/heads/topic": null, "refs/tags/t": null });
    await a.expectInLockstep(APP);
  });

  it("keeps the branch of HEAD from being deleted unless it says otherwise", async () => {
    await using cluster = await TestCluster.make();
    const [a, , two] = await configured(cluster, "user.name", "nobody");
    expect(await a.push(APP, [change("main", two, null)])).toEqual({
      "refs/heads/main": "deletion of the current branch prohibited",
    });
    await a.git(APP, ["config", "receive.denyDeleteCurrent", "warn"]);
    const said: string[] = [];
    const pusher = { sayAsGit: (text: string) => void said.push(text) };
    expect(await a.push(APP, [change("main", two, null)], { pusher })).toEqual({ "refs/heads/main": null });
    expect(said).toEqual(["warning: deleting the current branch"]);
    await a.expectInLockstep(APP);
  });

  it("keeps a branch as it is that a work tree has checked out", async () => {
    await using cluster = await TestCluster.make();
    const [a, one, two] = await configured(cluster, "user.name", "nobody");
    await a.git(APP, ["worktree", "add", "--quiet", join(cluster.dir, "tree"), "topic"]);
    expect(await a.push(APP, [change("topic", two, one), change("main", two, one)])).toEqual({
      "refs/heads/topic": "branch is currently checked out",
      "refs/heads/main": null,
    });
    await a.git(APP, ["config", "receive.denyCurrentBranch", "ignore"]);
    expect(await a.push(APP, [change("topic", two, one)])).toEqual({ "refs/heads/topic": null });
    expect(await a.push(APP, [change("topic", one, null)])).toEqual({
      "refs/heads/topic": "deletion of the current branch prohibited",
    });
    await a.expectInLockstep(APP);
  });

  it("asks no further hook about an atomic push that one has refused", async () => {
    await using cluster = await TestCluster.make();
    const [a, one, two] = await configured(cluster, "user.name", "nobody");
    const hook = join(a.gitDir(APP), "hooks", "update");
    await mkdir(dirname(hook), { recursive: true });
    await writeFile(hook, "#!/bin/sh\n", { mode: 0o755 });
    const asked: string[] = [];
    const runHook = async (_: string, [name]: readonly (string | Buffer)[]) => asked.push(String(name)) - 1;
    const updates = [change("new", null, one), change("main", two, one), change("topic", two, one)];
    expect(await a.push(APP, updates, { atomic: true, pusher: { runHook } })).toEqual({
      "refs/heads/new": "atomic push failure",
      "refs/heads/main": "hook declined",
      "refs/heads/topic": "atomic push failure",
    });
    expect(asked).toEqual(["refs/heads/new", "refs/heads/main"]);
    await a.expectInLockstep(APP);
  });

  it("is asked of the update hook, once for each ref that is left", async () => {
    await using cluster = await TestCluster.make();
    const [a, one, two] = await configured(cluster, "receive.denyDeletes", "true");
    const hook = join(a.gitDir(APP), "hooks", "update");
    await mkdir(dirname(hook), { recursive: true });
    await writeFile(hook, "#!/bin/sh\nexit 1\n");
    const calls: (readonly string[])[] = [];
    const pusher = {
      runHook: async (path: string, args: readonly (string | Buffer)[]) => {
        expect(path).toBe(hook);
        calls.push(args.map(String));
        return String(args[0]) === "refs/heads/main" ? 7 : 0;
      },
    };
    // A file that cannot be run is no hook.
    expect(await a.push(APP, [change("main", two, one)], { pusher })).toEqual({ "refs/heads/main": null });
    expect(calls).toEqual([]);
    await chmod(hook, 0o755);
    const updates = [change("main", one, two), change("topic", two, null), change("new", null, one)];
    expect(await a.push(APP, updates, { pusher })).toEqual({
      "refs/heads/main": "hook declined",
      "refs/heads/topic": "deletion prohibited",
      "refs/heads/new": null,
    });
    const zero = "0".repeat(40);
    expect(calls).toEqual([
      ["refs/heads/main", one, two],
      ["refs/heads/new", zero, one],
    ]);
    await a.expectInLockstep(APP);
  });
});
