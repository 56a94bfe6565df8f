// git fails before or after the decision of a push.
import { readdir, readFile, rm, utimes } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { processesAt } from "../support/git.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON } from "../support/sync-device.ts";
import { isBump } from "../support/write-rows.ts";

const APP = "team/app";

describe("git failing around the decision", () => {
  it("a git that fails before the decision drops the write, and the next push lands", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one] = await a.history(APP);
    await a.beforeGit('case "$*" in *update-ref*) echo "fatal: the disk is full" >&2; exit 128;; esac');
    const failed = await a.push(APP, [change("main", null, one)]).catch((error: unknown) => error);
    expect(JSON.stringify([failed, String(failed)])).toContain("the disk is full");
    await vi.waitFor(async () => expect(await a.staged()).toEqual([]), SOON);
    await a.beforeGit("");
    expect(await a.push(APP, [change("main", null, one)])).toEqual({ "refs/heads/main": null });
    await a.expectInLockstep(APP);
  });

  it("a git that a signal kills before the decision drops the write too", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one] = await a.history(APP);
    await a.beforeGit('case "$*" in *update-ref*) kill -9 $$;; esac');
    await expect(a.push(APP, [change("main", null, one)])).rejects.toMatchObject({ code: "GIT_FAILED" });
    await vi.waitFor(async () => expect(await a.staged()).toEqual([]), SOON);
    await a.beforeGit("");
    expect(await a.push(APP, [change("main", null, one)])).toEqual({ "refs/heads/main": null });
    await a.expectInLockstep(APP);
  });

  it("a push whose git fails after the decision is reported as landed, and the next read puts its refs right", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const [one, two] = await a.history(APP);
    await a.push(APP, [change("main", null, one), change("topic", null, one)]);
    const refs = join(a.gitDir(APP), "refs/heads");
    a.onStatement = async (text, run) => {
      const result = await run();
      // The file to be renamed is gone.
      if (isBump(text)) await rm(join(refs, "topic.lock"));
      return result;
    };
    expect(await a.push(APP, [change("main", one, two), change("topic", one, two)])).toEqual({
      "refs/heads/main": null,
      "refs/heads/topic": null,
    });
    expect(JSON.stringify(a.logged)).toContain("landed, but not yet on this disk");
    expect(a.replica(APP).applied).toBeUndefined();
    expect(await b.read(APP)).toMatchObject({ version: 2n });
    expect(await a.read(APP)).toMatchObject({ version: 2n, fetched: true });
    await a.expectInLockstep(APP);
    await b.expectInLockstep(APP);
  });

  it("a push whose git is killed after the decision is reported as landed, and its refs are put right once its locks are old", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one, two] = await a.history(APP);
    await a.push(APP, [change("main", null, one)]);
    a.onStatement = async (text, run) => {
      const result = await run();
      if (!isBump(text)) return result;
      const holder = (await processesAt(a.gitDir(APP))).find((line) => line.includes("update-ref"))!;
      process.kill(Number(holder.split(" ")[0]), "SIGKILL");
      await vi.waitFor(async () => expect(await processesAt(a.gitDir(APP))).toEqual([]), SOON);
      return result;
    };
    expect(await a.push(APP, [change("main", one, two)])).toEqual({ "refs/heads/main": null });
    const locks = await a.leftovers(APP);
    expect(locks).toContain("refs/heads/main.lock");
    const old = new Date(Date.now() - 120_000);
    for (const lock of locks) await utimes(join(a.gitDir(APP), lock), old, old);
    await vi.waitFor(async () => expect(await a.read(APP)).toMatchObject({ version: 2n }), SOON);
    await a.expectInLockstep(APP);
  });

  it("never leaves the record beside the replica ahead of its refs", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one] = await a.history(APP);
    const record = () => readFile(join(a.gitDir(APP), "lockstep.version"), "utf8");
    let atDecision = "";
    a.onStatement = async (text, run) => {
      const result = await run();
      if (isBump(text)) atDecision = await record();
      return result;
    };
    await a.push(APP, [change("main", null, one)]);
    expect(atDecision).toContain(" 0 ");
    expect(await record()).toContain(" 1 ");
    expect(await readdir(join(a.gitDir(APP), "refs/heads"))).toEqual(["main"]);
  });
});
