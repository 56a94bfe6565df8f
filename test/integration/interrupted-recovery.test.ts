// A recovery that is interrupted begins again, at whatever step it was.
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { honest } from "../support/device-parts.ts";
import { latch } from "../support/latch.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change } from "../support/sync-device.ts";
import { APP, file } from "../support/undecided-write.ts";

describe("recovery that is itself interrupted", () => {
  it("a recovery that is interrupted while it fetches begins again", async () => {
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

  it("a recovery that is interrupted between two steps of applying the refs begins again", async () => {
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
    // Where git may note authors, each transaction has a git of its own.
    await mkdir(join(b.gitDir(APP), "logs"));
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

  it("recovery that is itself interrupted in the middle of the objects begins again", async () => {
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
