import { access, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { holdAtCrashPoints } from "../../src/crash-points.ts";
import { markDisk } from "../../src/git/replica/disk-mark.ts";
import { readReplicaRecord, writeReplicaRecord } from "../../src/git/root/root-record.ts";
import { askedBy } from "../support/asked.ts";
import { latch } from "../support/latch.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON } from "../support/sync-device.ts";

vi.mock("../../src/git/replica/disk-mark.ts", { spy: true });

const APP = "team/app";

describe("a read of a replica that is current", () => {
  it("costs one question to the database, no git and no lock", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    await a.push(APP, [change("main", null, await a.commit(APP, "one"))]);
    await a.gitCommands();
    const statements: string[] = [];
    const release = await a.replica(APP).mutex.acquire();
    const asked = a.context.heads.queries;
    expect(await askedBy(a, statements, () => a.read(APP))).toMatchObject({ version: 1n, fetched: false });
    release();
    expect(a.context.heads.queries).toBe(asked + 1);
    expect(statements).toEqual([expect.stringMatching(/lockstep\.read_heads/)]);
    expect(await a.gitCommands()).toEqual([]);
  });

  it("shares its question with other reads of any repository", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    await cluster.create("team/other", [a]);
    const asked = a.context.heads.queries;
    await Promise.all(Array.from({ length: 50 }, (_, index) => a.read(index % 2 ? APP : "team/other")));
    expect(a.context.heads.queries - asked).toBeLessThanOrEqual(2);
  });

  it("shares its look at the files with other reads of the repository", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    await a.push(APP, [change("main", null, await a.commit(APP, "one"))]);
    const { calls } = vi.mocked(markDisk).mock;
    const looked = calls.length;
    await Promise.all(Array.from({ length: 50 }, () => a.read(APP)));
    expect(calls.length - looked).toBe(1);
    await a.read(APP);
    expect(calls.length - looked).toBe(2);
  });

  it("never shares a question that was asked before it came", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const { opened: held, open: answered } = latch();
    let holding = false;
    b.onStatement = async (text, run) => {
      const result = await run();
      if (holding || !text.includes("lockstep.read_heads")) return result;
      holding = true;
      await held;
      return result;
    };
    const early = b.read(APP);
    await vi.waitFor(() => expect(holding).toBe(true), SOON);
    await a.push(APP, [change("main", null, await a.commit(APP, "one"))]);
    const late = b.read(APP);
    answered();
    expect(await early).toMatchObject({ version: 0n, fetched: false });
    expect(await late).toMatchObject({ version: 1n, fetched: true });
  });

  it("is served while another device has a push under way that is not decided", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    let during: unknown;
    a.onStatement = async (text, run) => {
      if (text.includes("lockstep.bump(")) during = await b.read(APP);
      return await run();
    };
    await a.push(APP, [change("main", null, await a.commit(APP, "one"))]);
    expect(during).toMatchObject({ version: 0n, fetched: false });
  });
});

describe("a read that cannot be served", () => {
  it("is refused by a device that another sidecar has taken over, which then ends", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    await cluster.sql("update lockstep.device set fence = nextval('lockstep.fence_seq') where name = $1", [a.name]);
    await expect(a.read(APP)).rejects.toMatchObject({ code: "FENCED" });
    expect(a.fenced).toBe(true);
    expect(a.context.signal.aborted).toBe(true);
  });

  it("says whether the repository or only its replica here is missing", async () => {
    await using cluster = await TestCluster.make();
    await cluster.pair(APP);
    const c = await cluster.start("repo003");
    await expect(c.read("team/nowhere")).rejects.toMatchObject({ code: "REPOSITORY_NOT_FOUND" });
    await expect(c.read(APP)).rejects.toMatchObject({ code: "REPLICA_NOT_FOUND" });
    await cluster.addReplica(APP, c);
    await c.read(APP);
    await cluster.sql("update lockstep.replica set state = 'released' where device = $1", [c.name]);
    await expect(c.read(APP)).rejects.toMatchObject({ code: "REPLICA_NOT_FOUND" });
  });

  it("says that a version has not been written yet", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    await a.push(APP, [change("main", null, await a.commit(APP, "one"))]);
    expect(await a.read(APP, { minVersion: 1n })).toMatchObject({ version: 1n });
    await expect(a.read(APP, { minVersion: 2n })).rejects.toMatchObject({
      code: "VERSION_AHEAD",
      details: { version: "1" },
    });
  });

  it("fails while the database is away, current or not, and succeeds when it is back", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    await a.push(APP, [change("main", null, await a.commit(APP, "one"))]);
    {
      await using _ = await cluster.databaseGone();
      await expect(a.read(APP)).rejects.toMatchObject({ code: "DATABASE_UNAVAILABLE" });
      await expect(b.read(APP)).rejects.toMatchObject({ code: "DATABASE_UNAVAILABLE" });
    }
    expect(await a.read(APP)).toMatchObject({ version: 1n, fetched: false });
    expect(await b.read(APP)).toMatchObject({ version: 1n, fetched: true });
  });
});

describe("a replica ahead of a database that has lost writes", () => {
  async function loseLastWrite(cluster: TestCluster, branch: string, before: string): Promise<void> {
    await cluster.sql(
      `with lost as (delete from lockstep.ref_log where version = 2), back as (
         update lockstep.repository_ref set value = $2 where name = $1)
       update lockstep.repository set head_version = 1,
         head_digest = (select digest from lockstep.ref_log where version = 1)`,
      [Buffer.from(branch), Buffer.from(before)],
    );
  }

  it("is neither served nor written nor folded back", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const one = await a.commit(APP, "one");
    const two = await a.commit(APP, "two", { parents: [one] });
    await a.push(APP, [change("main", null, one)]);
    await a.push(APP, [change("main", one, two)]);
    await loseLastWrite(cluster, "refs/heads/main", one);
    const ahead = { code: "AHEAD_OF_DATABASE", details: { version: "2", head: "1" } };
    await expect(a.read(APP)).rejects.toMatchObject(ahead);
    await expect(a.push(APP, [change("other", null, one)])).rejects.toMatchObject({ code: "WRITES_STOPPED" });
    expect(await a.refs(APP)).toMatchObject({ "refs/heads/main": two });

    // The next incarnation comes to the same, whatever the row says.
    const again = await a.restart();
    await expect(again.read(APP)).rejects.toMatchObject({ code: "AHEAD_OF_DATABASE" });
    await cluster.sql(
      "with replica as (update lockstep.replica set version = 1) update lockstep.repository set stopped = null",
    );
    const third = await again.restart();
    await expect(third.read(APP)).rejects.toMatchObject(ahead);
    expect(await third.refs(APP)).toEqual({ HEAD: "ref: refs/heads/main", "refs/heads/main": two });
    expect(await cluster.sql("select state from lockstep.replica where device = $1", [a.name])).toEqual([
      { state: "broken" },
    ]);
  });

  it("is served again once the newer database is back", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const one = await a.commit(APP, "one");
    const two = await a.commit(APP, "two", { parents: [one] });
    await a.push(APP, [change("main", null, one)]);
    const record = join(a.gitDir(APP), "lockstep.version");
    const version1 = await readFile(record, "utf8");
    await a.push(APP, [change("main", one, two)]);
    // From this database's view the record on disk is from its future.
    await writeReplicaRecord(a.gitDir(APP), { ...(await readReplicaRecord(a.gitDir(APP)))!, version: 3n });
    const again = await a.restart();
    await expect(again.read(APP)).rejects.toMatchObject({ code: "AHEAD_OF_DATABASE" });
    await writeFile(record, version1);
    // The newer database does not know that it was stopped.
    await cluster.sql(
      "with replica as (update lockstep.replica set version = 2) update lockstep.repository set stopped = null",
    );
    await vi.waitFor(async () => expect(await again.read(APP)).toMatchObject({ version: 2n }), SOON);
    await again.expectInLockstep(APP);
  });
});

describe("a read of a replica that is behind", () => {
  it("returns with at least the head of when it came, and never before its refs are on disk", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    let last: string | null = null;
    for (let version = 1n; version <= 5n; version += 1n) {
      const next: string = await a.commit(APP, `commit ${version}`, { parents: last === null ? [] : [last] });
      await a.push(APP, [change("main", last, next)]);
      const { version: served } = await b.read(APP);
      expect(served).toBe(version);
      expect(await b.git(APP, ["rev-parse", "refs/heads/main"])).toBe(next);
      last = next;
    }
  });

  it("waits for the refs of a write that is decided and not yet on disk", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const one = await a.commit(APP, "one");
    const hold = join(cluster.dir, "push.decided");
    await writeFile(hold, "");
    holdAtCrashPoints(cluster.dir);
    try {
      const push = a.push(APP, [change("main", null, one)]);
      await vi.waitFor(() => access(`${hold}.reached`), SOON);
      const reader = a.read(APP).then(async ({ version }) => ({ version, refs: await a.refs(APP) }));
      // A granted read would be granted by now: the database has answered a later one.
      await a.context.heads.ask(APP);
      await a.context.heads.ask(APP);
      await rm(hold);
      await push;
      expect(await reader).toMatchObject({ version: 1n, refs: { "refs/heads/main": one } });
    } finally {
      holdAtCrashPoints(undefined);
    }
  });

  it("does not serve the previous version to a reader who comes between the decision and the refs", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const one = await a.commit(APP, "one");
    let reader: Promise<unknown> | undefined;
    let told = 0;
    a.onStatement = async (text, run) => {
      const result = await run();
      if (text.includes("lockstep.read_heads")) told += 1;
      if (text.includes("lockstep.bump(")) {
        const before = told;
        reader = a.read(APP).then(async ({ version }) => ({ version, refs: await a.refs(APP) }));
        await vi.waitFor(() => expect(told).toBe(before + 1), SOON);
      }
      return result;
    };
    await a.push(APP, [change("main", null, one)]);
    expect(await reader).toMatchObject({ version: 1n, refs: { "refs/heads/main": one } });
  });
});
