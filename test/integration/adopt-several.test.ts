// The same repository lies on several devices, or is adopted twice at once.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import type { AdoptedRepository } from "../../src/sync/adopt/adopt-repository.ts";
import { scanRoot } from "../../src/sync/adopt/scan-root.ts";
import { orderAdoptions } from "../../src/sync/operator/order-adoptions.ts";
import { APP, adopt, contents } from "../support/adopting.ts";
import { plainCommit, plainGit, plainRepository } from "../support/plain-repository.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

const SIGNAL = new AbortController().signal;

describe("the same repository on several devices", () => {
  it("is recognised by its refs, and costs no copying", async () => {
    await using cluster = await TestCluster.make();
    const [a, b, c] = [await cluster.start("repo001"), await cluster.start("repo002"), await cluster.start("repo003")];
    for (const device of [a, b]) await plainRepository(device.gitDir(APP), ["main", "topic"]);
    // Another way to keep the same refs.
    await plainGit(b.gitDir(APP), ["pack-refs", "--all"]);
    for (const device of [a, b]) await scanRoot(device.context);
    const unknown = () => cluster.sql("select device from lockstep.unknown_directory order by device");
    expect(await unknown()).toEqual([{ device: "repo001" }, { device: "repo002" }]);
    expect(await adopt(a)).toMatchObject({ adopted: { version: "1", devices: ["repo001", "repo002"] } });
    expect(await unknown()).toEqual([]);
    expect(await b.read(APP)).toMatchObject({ version: 1n });
    expect(b.packRequests).toEqual([]);
    await b.expectInLockstep(APP);
    await c.read(APP);
    await c.expectInLockstep(APP);
    const commit = await b.commit(APP, "next");
    await b.push(APP, [change("next", null, commit)]);
    for (const device of [a, c]) expect(await device.read(APP)).toMatchObject({ version: 2n });
  });

  it("is refused with each ref that differs, until --from says whose refs stay; the others keep theirs", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = [await cluster.start("repo001"), await cluster.start("repo002")];
    const { main } = await plainRepository(a.gitDir(APP), ["main"]);
    await plainRepository(b.gitDir(APP), ["main"]);
    const other = await plainCommit(b.gitDir(APP), "other", [main!]);
    await plainGit(b.gitDir(APP), ["update-ref", "refs/heads/main", other]);
    const own = await plainCommit(b.gitDir(APP), "own");
    await plainGit(b.gitDir(APP), ["update-ref", "refs/heads/own", own]);
    const before = await contents(b.gitDir(APP));
    expect(await adopt(a)).toEqual({
      refused: {
        repository: APP,
        reason: expect.stringContaining("--from"),
        differences: [
          { ref: "refs/heads/main", values: { repo001: main, repo002: other } },
          { ref: "refs/heads/own", values: { repo001: null, repo002: own } },
        ],
      },
    });
    expect(await contents(b.gitDir(APP))).toEqual(before);
    expect(await adopt(a, APP, { from: "repo002" })).toEqual({ elsewhere: "repo002" });
    expect(await adopt(a, APP, { from: "repo009" })).toMatchObject({
      refused: { reason: expect.stringContaining("repo009") },
    });
    expect(await adopt(a, APP, { from: "repo001" })).toMatchObject({
      adopted: { version: "1", devices: ["repo001", "repo002"] },
    });
    // On a busy machine the first copy takes longer than a read waits for it.
    await vi.waitFor(() => b.read(APP), SOON);
    await b.expectInLockstep(APP);
    expect(await b.refs(APP)).toEqual(await a.refs(APP));
    expect(await b.git(APP, ["for-each-ref", "--format=%(refname) %(objectname)", "refs/lockstep/lost"])).toBe(
      `refs/lockstep/lost/1/heads/main ${other}\nrefs/lockstep/lost/1/heads/own ${own}`,
    );
  });

  it("a copy on a device that was away is taken over later if it has the refs of a version, and stays untouched if not", async () => {
    await using cluster = await TestCluster.make();
    const [a, b, c] = [await cluster.start("repo001"), await cluster.start("repo002"), await cluster.start("repo003")];
    const { main } = await plainRepository(a.gitDir(APP));
    await plainRepository(b.gitDir(APP));
    await plainRepository(c.gitDir(APP), ["main", "own"]);
    await b.stop();
    await c.stop();
    const { adopted } = (await adopt(a)) as { adopted: AdoptedRepository };
    expect(adopted.devices).toEqual(["repo001"]);
    expect(adopted.notes.join()).toContain("repo002, repo003");
    const next = await a.commit(APP, "next", { parents: [main!] });
    await a.push(APP, [change("main", main!, next)]);
    const back = await b.restart();
    expect(await back.read(APP)).toMatchObject({ version: 2n });
    await back.expectInLockstep(APP);
    const strange = await c.restart();
    const before = await contents(c.gitDir(APP));
    await expect(strange.read(APP)).rejects.toMatchObject({ code: "ADOPTION_REFUSED" });
    expect(await contents(c.gitDir(APP))).toEqual(before);
    expect(await adopt(strange)).toMatchObject({
      refused: { differences: expect.arrayContaining([expect.objectContaining({ ref: "refs/heads/own" })]) },
    });
    expect(await adopt(strange, APP, { from: "repo001" })).toMatchObject({ adopted: { version: "2" } });
    await strange.expectInLockstep(APP);
    expect(await strange.git(APP, ["for-each-ref", "--format=%(refname)", "refs/lockstep/lost"])).toContain(
      "heads/own",
    );
  });
});

describe("two adoptions at once", () => {
  /** Expects the hook and the settings of a replica, which no undoing has taken out. */
  async function expectHandedOver(device: TestDevice): Promise<void> {
    const path = device.gitDir(APP);
    expect(await plainGit(path, ["config", "receive.procReceiveRefs"])).toBe("refs/");
    expect(await readdir(join(path, "hooks"))).toContain("proc-receive");
    expect((await readdir(path)).filter((name) => /adopting|lock$|edit$/.test(name))).toEqual([]);
  }

  it("two adoptions at once of equal directories on two devices make one repository with both", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = [await cluster.start("repo001"), await cluster.start("repo002")];
    for (const device of [a, b]) await plainRepository(device.gitDir(APP));
    const results = await Promise.all([adopt(a), adopt(b)]);
    expect(results.filter((each) => "adopted" in each).length).toBeGreaterThan(0);
    for (const device of [a, b]) {
      await vi.waitFor(() => device.read(APP), SOON);
      await device.expectInLockstep(APP);
      await expectHandedOver(device);
      await scanRoot(device.context);
      await expectHandedOver(device);
    }
    expect(await cluster.sql("select count(*)::int as n from lockstep.repository")).toEqual([{ n: 1 }]);
  });

  it("two adoptions at once of a forgotten replica on two devices agree on one version", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const commit = await a.commit(APP, "one");
    await a.push(APP, [change("main", null, commit)]);
    await b.read(APP);
    await a.stop();
    await b.stop();
    await cluster.sql("delete from lockstep.repository");
    const devices = [await a.restart(), await b.restart()] as const;
    const results = await Promise.all(devices.map((device) => adopt(device)));
    for (const result of results) expect(result).toMatchObject({ adopted: { version: "2" } });
    for (const device of devices) {
      expect(await device.read(APP)).toMatchObject({ version: 2n });
      await device.expectInLockstep(APP);
      await expectHandedOver(device);
    }
  });
});

describe("an adoption of all directories", () => {
  it("tells the error of the database that ended it, and no promise fails unseen", async () => {
    await using cluster = await TestCluster.make();
    const a = await cluster.start("repo001");
    for (const name of ["team/app", "team/web"]) await plainRepository(a.gitDir(name));
    let failed = 0;
    a.onStatement = async (text, statement) => {
      if (text.includes("lockstep.order_command(")) {
        failed += 1;
        throw new Error("the connection broke");
      }
      // The next page of directories comes after both failures.
      if (failed > 0 && text.includes("path > $2 order by path limit")) {
        await vi.waitFor(() => expect(failed).toBe(2), SOON);
        await setImmediate();
      }
      return await statement();
    };
    const order = { repositories: [], all: true, from: "", dryRun: false, author: "olga", signal: SIGNAL };
    await expect(orderAdoptions(a.context, order, () => {})).rejects.toThrow("the connection broke");
    expect(failed).toBe(2);
  });
});
