// Pushes of plain git that run beside an adoption, and replicas that the database has forgotten.
import { spawn } from "node:child_process";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { lookAtWatched } from "../../src/sync/adopt/watch-late.ts";
import { APP, adopt } from "../support/adopting.ts";
import { plainCommit, plainGit, plainRepository } from "../support/plain-repository.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

/** Starts a push of plain git whose pre-receive hook waits. Returns functions that let it go on and wait for its end. */
async function slowPush(cluster: TestCluster, path: string, branch: string) {
  const work = join(cluster.dir, `work-${branch.replace("/", "-")}`);
  await mkdir(work, { recursive: true });
  const clone = join(work, "clone.git");
  await plainRepository(clone, []);
  const commit = await plainCommit(clone, branch);
  await plainGit(clone, ["update-ref", `refs/heads/${branch}`, commit]);
  const hook = join(path, "hooks", "pre-receive");
  const gate = join(work, "gate");
  await writeFile(hook, `#!/bin/sh\n: >'${gate}.reached'\nwhile ! test -e '${gate}'; do sleep 0.02; done\n`);
  await chmod(hook, 0o755);
  const child = spawn("git", ["push", path, `refs/heads/${branch}`], {
    env: { PATH: process.env.PATH, HOME: work, GIT_DIR: clone, GIT_CONFIG_NOSYSTEM: "1" },
    stdio: "ignore",
  });
  const ended = new Promise<number | null>((done) => child.once("close", done));
  await vi.waitFor(() => readFile(`${gate}.reached`), SOON);
  return {
    commit,
    async finish(): Promise<number | null> {
      await writeFile(gate, "");
      return await ended;
    },
  };
}

describe("a push of plain git that began before the adoption", () => {
  it.each(["main-2", "deep/er"])("lands as a write of its own when it ends after the adoption: %s", async (branch) => {
    await using cluster = await TestCluster.make();
    const [a, b] = [await cluster.start("repo001"), await cluster.start("repo002")];
    await plainRepository(a.gitDir(APP));
    const late = await slowPush(cluster, a.gitDir(APP), branch);
    expect(await adopt(a)).toMatchObject({ adopted: { version: "1" } });
    await lookAtWatched(a.context);
    expect(await late.finish()).toBe(0);
    await vi.waitFor(async () => {
      await lookAtWatched(a.context);
      expect(await b.read(APP)).toMatchObject({ version: 2n });
    }, SOON);
    expect((await b.refs(APP))[`refs/heads/${branch}`]).toBe(late.commit);
    for (const device of [a, b]) {
      await device.read(APP);
      await device.expectInLockstep(APP);
    }
    expect(await cluster.sql("select version, author from lockstep.ref_log order by version")).toEqual([
      { version: "1", author: "olga" },
      { version: "2", author: "a push that began before the adoption" },
    ]);
  });

  it("lands also when the sidecar was killed meanwhile, and other devices have landed more", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = [await cluster.start("repo001"), await cluster.start("repo002")];
    await plainRepository(a.gitDir(APP));
    const late = await slowPush(cluster, a.gitDir(APP), "late");
    await adopt(a);
    await b.read(APP);
    await a.crash();
    const other = await b.commit(APP, "other");
    await b.push(APP, [change("other", null, other)]);
    expect(await late.finish()).toBe(0);
    const again = await a.restart();
    expect(await again.read(APP)).toMatchObject({ version: 3n });
    await again.expectInLockstep(APP);
    expect(await again.refs(APP)).toMatchObject({ "refs/heads/late": late.commit, "refs/heads/other": other });
  });

  it("leaves no write under way if the database fails after it was staged", async () => {
    await using cluster = await TestCluster.make();
    const [a] = [await cluster.start("repo001"), await cluster.start("repo002")];
    await plainRepository(a.gitDir(APP));
    const late = await slowPush(cluster, a.gitDir(APP), "late");
    await adopt(a);
    a.onStatement = async (text, statement) => {
      const answer = await statement();
      if (!text.includes("lockstep.stage_write(")) return answer;
      a.onStatement = (_, run) => run();
      throw new Error("the connection broke");
    };
    expect(await late.finish()).toBe(0);
    await vi.waitFor(async () => {
      await lookAtWatched(a.context);
      expect(await a.read(APP)).toMatchObject({ version: 2n });
    }, SOON);
    await vi.waitFor(
      async () => expect(await cluster.sql("select id from lockstep.write where status = 'staged'")).toEqual([]),
      SOON,
    );
    expect(await a.refs(APP)).toMatchObject({ "refs/heads/late": late.commit });
  });

  it("loses to a write that has landed on the same ref, and is kept below refs/lockstep/lost/", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = [await cluster.start("repo001"), await cluster.start("repo002")];
    await plainRepository(a.gitDir(APP));
    const late = await slowPush(cluster, a.gitDir(APP), "same");
    await adopt(a);
    await b.read(APP);
    const other = await b.commit(APP, "other");
    await b.push(APP, [change("same", null, other)]);
    expect(await late.finish()).toBe(0);
    await a.read(APP);
    expect(await a.refs(APP)).toMatchObject({ "refs/heads/same": other });
    expect(await a.git(APP, ["for-each-ref", "--format=%(objectname)", "refs/lockstep/lost"])).toBe(late.commit);
  });

  it("a push of plain git that began before the adoption on another device that had the same refs lands too", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = [await cluster.start("repo001"), await cluster.start("repo002")];
    for (const device of [a, b]) await plainRepository(device.gitDir(APP));
    const late = await slowPush(cluster, b.gitDir(APP), "late");
    await adopt(a);
    // It ends before the other device has looked at its directory.
    expect(await late.finish()).toBe(0);
    await b.read(APP);
    expect(await a.read(APP)).toMatchObject({ version: 2n });
    expect(await a.refs(APP)).toMatchObject({ "refs/heads/late": late.commit });
    await b.expectInLockstep(APP);
  });
});

describe("a replica that the database has forgotten", () => {
  async function forgotten(
    cluster: TestCluster,
  ): Promise<{ a: TestDevice; b: TestDevice; ids: [string, string, string] }> {
    const [a, b] = await cluster.pair(APP);
    const ids = await a.history(APP);
    await a.push(APP, [change("main", null, ids[0])]);
    await b.read(APP);
    await a.push(APP, [change("main", ids[0], ids[1])]);
    return { a, b, ids };
  }

  it("comes back above its version with its refs, from the device that has the newest", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, ids } = await forgotten(cluster);
    const [{ id }] = (await cluster.sql<{ id: string }>("select id from lockstep.repository")) as [{ id: string }];
    await a.stop();
    await b.stop();
    await cluster.sql("delete from lockstep.repository");
    const [again, behind] = [await a.restart(), await b.restart()];
    // Version 1 is on the other device, and version 2 here.
    expect(await adopt(behind)).toEqual({ elsewhere: "repo001" });
    expect(await adopt(again)).toMatchObject({
      adopted: { version: "3", devices: ["repo001", "repo002"], notes: [expect.stringContaining("forgotten")] },
    });
    expect(await cluster.sql("select id, head_version from lockstep.repository")).toEqual([{ id, head_version: "3" }]);
    // On a busy machine the first copy takes longer than a read waits for it.
    const read = await vi.waitFor(() => behind.read(APP, { minVersion: 2n }), SOON);
    expect(read).toMatchObject({ version: 3n });
    for (const device of [again, behind]) {
      await device.read(APP);
      await device.expectInLockstep(APP);
      expect((await device.refs(APP))["refs/heads/main"]).toBe(ids[1]);
    }
  });

  it("stops the repository loudly when a device that was away comes back with a newer version", async () => {
    await using cluster = await TestCluster.make();
    const { a, b } = await forgotten(cluster);
    for (const version of [3n, 4n]) {
      const commit = await a.commit(APP, `version ${version}`);
      await a.push(APP, [change(`v${version}`, null, commit)]);
    }
    await a.stop();
    await b.stop();
    await cluster.sql("delete from lockstep.repository");
    const behind = await b.restart();
    expect(await adopt(behind)).toMatchObject({ adopted: { version: "2", devices: ["repo002"] } });
    const newer = await a.restart();
    await expect(newer.read(APP)).rejects.toMatchObject({ code: "AHEAD_OF_DATABASE" });
    await expect(behind.read(APP)).rejects.toMatchObject({ code: "AHEAD_OF_DATABASE" });
  });
});
