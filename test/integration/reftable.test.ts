// Replicas whose refs git stores as reftable: one stack of tables and one lock for all refs, instead of a file and a lock each.
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inspect } from "../../src/git/replica/repository.ts";
import { gitIsOlderThan } from "../support/programs.ts";
import { APP, differences, LOCK, mixed, tooOld } from "../support/reftables.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change } from "../support/sync-device.ts";

const CAFE = "refs/heads/caf\xe9";

if (tooOld) console.warn(`The tests of reftable are skipped: ${tooOld}.`);

const noMigrate = gitIsOlderThan(2, 46);

describe.skipIf(tooOld)("a replica stored as reftable", () => {
  it.each(["sha1", "sha256"] as const)(
    "a replica stored as reftable and one stored as files follow each other (%s)",
    async (objectFormat) => {
      await using cluster = await TestCluster.make();
      const [a, b] = await mixed(cluster, objectFormat);
      expect(await a.git(APP, ["rev-parse", "--show-ref-format"])).toBe("reftable");
      expect(await b.git(APP, ["rev-parse", "--show-ref-format"])).toBe("files");
      const [one, two, three] = await a.history(APP);
      await a.push(APP, [change("main", null, one), change(CAFE, null, one), change("x", null, one)]);
      await b.read(APP);
      await b.expectInLockstep(APP);
      expect(await b.push(APP, [change("side", null, one), change(CAFE, one, null)])).toEqual({
        "refs/heads/side": null,
        [CAFE]: null,
      });
      // One catch-up of several writes, in which a name makes room for one below it.
      await a.push(APP, [change(CAFE, null, two), change("x", one, null)]);
      await a.push(APP, [change("x/y", null, three), change("refs/tags/v1", null, one)]);
      for (const device of [a, b]) {
        await device.read(APP);
        await device.expectInLockstep(APP);
        expect(await differences(device)).toEqual([]);
      }
      expect(await a.refs(APP)).toMatchObject({ "refs/heads/side": one, [CAFE]: two, "refs/heads/x/y": three });
      // The other way round: the tables follow.
      await b.push(APP, [change("x/y", three, null)]);
      await b.push(APP, [change("x", null, three)]);
      await a.read(APP);
      await a.expectInLockstep(APP);
    },
  );

  it("refuses a ref as one stored as files does, by its name", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await mixed(cluster);
    const [one, two] = await a.history(APP);
    const blob = await a.git(APP, ["hash-object", "-w", "--stdin"], "no commit");
    await a.push(APP, [change("main", null, one), change("deep/er", null, one), change(CAFE, null, one)]);
    const updates = [
      change("main", one, two),
      change("main/below", null, one),
      change("deep", null, one),
      change(`${CAFE}/below`, null, one),
      change("blob", null, blob),
      change("nowhere", null, "12".repeat(20)),
      change("stale", two, one),
      change("last", null, one),
    ];
    expect(await a.push(APP, updates)).toEqual({
      "refs/heads/main": null,
      "refs/heads/main/below": "conflicts with an existing ref",
      "refs/heads/deep": "conflicts with an existing ref",
      [`${CAFE}/below`]: "conflicts with an existing ref",
      "refs/heads/blob": "not a commit",
      "refs/heads/nowhere": "missing object",
      "refs/heads/stale": "fetch first",
      "refs/heads/last": null,
    });
    for (const device of [a, b]) {
      await device.read(APP);
      await device.expectInLockstep(APP);
    }
  });

  it("tells a pusher that somebody's git has it locked", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await mixed(cluster);
    const [one] = await a.history(APP);
    await writeFile(join(a.gitDir(APP), LOCK), "");
    expect(await a.push(APP, [change("main", null, one)])).toEqual({
      "refs/heads/main": "locked by another git process on the server, try again",
    });
    await rm(join(a.gitDir(APP), LOCK));
    expect(await a.push(APP, [change("main", null, one)])).toEqual({ "refs/heads/main": null });
    await a.expectInLockstep(APP);
  });

  it("a replica stored as reftable that somebody changed by hand is found by verify, and put right by the next comparison", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await mixed(cluster);
    const [one, two] = await a.history(APP);
    await a.push(APP, [change("main", null, one)]);
    await a.git(APP, ["update-ref", "refs/heads/main", two]);
    await a.git(APP, ["symbolic-ref", "HEAD", "refs/heads/stray"]);
    expect(await differences(a)).toEqual(["HEAD", "refs/heads/main"]);
    await a.crash();
    await rm(join(a.gitDir(APP), "lockstep.version"));
    const again = await a.restart();
    await again.read(APP);
    await again.expectInLockstep(APP);
  });

  it.skipIf(noMigrate)("by `git refs migrate`, while its sidecar is down, goes on from where it was", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const [one, two] = await a.history(APP);
    await a.push(APP, [change("main", null, one), change(CAFE, null, one)]);
    await a.crash();
    await a.git(APP, ["refs", "migrate", "--ref-format=reftable"]);
    const again = await a.restart();
    expect(await again.git(APP, ["rev-parse", "--show-ref-format"])).toBe("reftable");
    expect(await again.push(APP, [change("main", one, two)])).toEqual({ "refs/heads/main": null });
    await again.expectInLockstep(APP);
    await b.read(APP);
    await b.expectInLockstep(APP);
  });

  it("is not taken for something else by a git that does not know the format", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await mixed(cluster);
    await a.git(APP, ["config", "extensions.fromLater", "x"]);
    await expect(inspect(a.context.git, a.gitDir(APP), a.replica(APP).id)).rejects.toMatchObject({
      code: "PREREQUISITE_MISSING",
      message: expect.stringContaining("does not know its fromlater"),
    });
  });
});
