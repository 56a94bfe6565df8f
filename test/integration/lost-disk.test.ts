// The disk of a replica, or the whole root, is gone while the sidecar runs.
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { compareNotes } from "../../src/sync/catch-up/compare-notes.ts";
import { rowOf, site } from "../support/device-pair.ts";
import { APP, check } from "../support/disk-checks.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON } from "../support/sync-device.ts";

describe("a replica whose disk was lost", () => {
  it("is no source and no leader of what was recorded of it", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, two } = await site(cluster);
    const three = await a.commit(APP, "three", { parents: [two] });
    await a.push(APP, [change("main", two, three)]);
    await vi.waitFor(async () => expect(await rowOf(a)).toMatchObject({ version: "3" }), SOON);
    await rm(a.gitDir(APP), { recursive: true });
    // Only it had the last one.
    await expect(a.read(APP)).rejects.toMatchObject({ code: "NO_SOURCE" });
    expect(await rowOf(a)).toMatchObject({ version: "0", state: "pending" });
    await expect(b.read(APP)).rejects.toMatchObject({ code: "NO_SOURCE" });
    expect(await b.refs(APP)).toMatchObject({ "refs/heads/main": two });
  });

  it("is found by a device that asks it for objects, which then gets them elsewhere", async () => {
    await using cluster = await TestCluster.make();
    const { a, two } = await site(cluster);
    // It would be made anew at once.
    a.onDoubt = () => {};
    await rm(a.gitDir(APP), { recursive: true });
    const c = await cluster.start("repo003");
    await cluster.addReplica(APP, c);
    await vi.waitFor(async () => expect(await c.read(APP)).toMatchObject({ version: 2n }), SOON);
    expect(await c.refs(APP)).toMatchObject({ "refs/heads/main": two });
    await expect(
      a.packs.open(
        "repo003",
        { repositoryId: c.replica(APP).id, wants: [two], haves: [], version: "2", visit: "last" },
        a.context.signal,
      ),
    ).rejects.toMatchObject({ code: "REPLICA_IN_DOUBT" });
    expect(a.replica(APP).applied).toBeUndefined();
  });

  it("mends its parts where there is no other device", async () => {
    await using cluster = await TestCluster.make();
    const a = await cluster.start("repo001");
    await cluster.create(APP, [a]);
    const [one, two] = await a.history(APP);
    await a.push(APP, [change("main", null, two), change("topic/x", null, one)]);
    for (const part of ["refs", "HEAD", "config", "lockstep.config"]) {
      await rm(join(a.gitDir(APP), part), { recursive: true });
      await a.read(APP);
      await a.expectInLockstep(APP);
    }
  });

  it("keeps the files that were in its way", async () => {
    await using cluster = await TestCluster.make();
    const { a } = await site(cluster);
    await rm(a.gitDir(APP), { recursive: true });
    await mkdir(a.gitDir(APP));
    await writeFile(join(a.gitDir(APP), "thesis.txt"), "precious");
    await a.read(APP);
    const misplaced = join(a.context.root, ".lockstep", "misplaced");
    const [place] = await readdir(misplaced);
    expect(await readFile(join(misplaced, place as string, "thesis.txt"), "utf8")).toBe("precious");
  });

  it("is noticed by the next incarnation too, when the first one dies before it has compared", async () => {
    await using cluster = await TestCluster.make();
    const { a, two } = await site(cluster);
    await rm(join(a.gitDir(APP), "refs", "heads", "main"));
    await a.replica(APP).mutex.look();
    const again = await a.restart();
    expect(await again.read(APP)).toMatchObject({ version: 2n });
    expect(await again.refs(APP)).toMatchObject({ "refs/heads/main": two });
    await again.expectInLockstep(APP);
  });
});

describe("a root that is not there any more", () => {
  it.each([
    ["an empty directory lies there", (root: string) => mkdir(root)],
    ["nothing lies there", async () => {}],
    [
      "another root lies there",
      (root: string) =>
        mkdir(join(root, ".lockstep"), { recursive: true }).then(() => writeFile(join(root, ".lockstep", "lock"), "")),
    ],
  ])("is not filled again, and what was recorded of it stays: %s", async (_, put) => {
    await using cluster = await TestCluster.make();
    const { a, b, two } = await site(cluster);
    await vi.waitFor(async () => expect(await rowOf(a)).toMatchObject({ version: "2" }), SOON);
    const { root } = a.context;
    const away = join(cluster.dir, "away");
    await rename(root, away);
    await put(root);
    const before = await readdir(root, { recursive: true }).catch(() => []);
    const three = await b.commit(APP, "three", { parents: [two] });
    await b.push(APP, [change("main", two, three)]);
    const gone = { code: "ROOT_GONE", message: expect.stringContaining(root) };
    await expect(a.read(APP)).rejects.toMatchObject(gone);
    await expect(check(a)).rejects.toMatchObject(gone);
    await expect(a.push(APP, [change("x", null, two)])).rejects.toMatchObject(gone);
    await expect(compareNotes(a.context)).rejects.toMatchObject(gone);
    expect(await readdir(root, { recursive: true }).catch(() => [])).toEqual(before);
    expect(await rowOf(a)).toMatchObject({ version: "2" });
    // It is put back, and goes on.
    await rm(root, { recursive: true, force: true });
    await rename(away, root);
    await vi.waitFor(async () => expect(await a.read(APP)).toMatchObject({ version: 3n }), SOON);
    await a.expectInLockstep(APP);
  });
});
