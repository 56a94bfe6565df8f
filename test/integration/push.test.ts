import { chmod, mkdir, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import type { LockstepError } from "../../src/errors.ts";
import { bump, stageWrite } from "../../src/store/writes.ts";
import { processesAt } from "../support/git.ts";
import { change, SOON, TestCluster, type TestDevice } from "../support/sync-cluster.ts";

const APP = "team/app";
const CAFE = "refs/heads/caf\xe9";

const isBump = (text: string) => text.includes("lockstep.bump(");
const isSettle = (text: string) => text.includes("lockstep.settle_write(");

async function writes(cluster: TestCluster) {
  return await cluster.sql<{ status: string; version: string | null; drop_reason: string | null }>(
    "select status, version, drop_reason from lockstep.write order by started_at",
  );
}

async function log(cluster: TestCluster) {
  return await cluster.sql<{ version: string; device: string; author: string; names: string[] }>(
    `select l.version, l.device, l.author, array_agg(convert_from(u.name, 'UTF8') order by u.name) as names
     from lockstep.ref_log l join lockstep.ref_log_update u using (repository_id, version)
     group by 1, 2, 3 order by 1`,
  );
}

/** A ticket is given back in the background. */
async function expectTurns(cluster: TestCluster, devices: readonly string[]): Promise<void> {
  await vi.waitFor(async () => {
    const rows = await cluster.sql<{ device: string }>("select device from lockstep.turn");
    expect(rows.map(({ device }) => device)).toEqual(devices);
  }, SOON);
}

async function history(device: TestDevice): Promise<[string, string, string]> {
  const one = await device.commit(APP, "one");
  const two = await device.commit(APP, "two", { parents: [one] });
  return [one, two, await device.commit(APP, "three", { parents: [two] })];
}

describe("a push", () => {
  it("onto a disk that takes no note of it is dropped before the decision, and lands when it does", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one, two] = await history(a);
    await a.push(APP, [change("main", null, one)]);
    const inTheWay = join(a.gitDir(APP), "lockstep.version.new");
    await mkdir(inTheWay);
    await expect(a.push(APP, [change("main", one, two)])).rejects.toThrow();
    expect(await log(cluster)).toHaveLength(1);
    await rm(inTheWay, { recursive: true });
    await vi.waitFor(async () => expect((await writes(cluster)).at(-1)).toMatchObject({ status: "dropped" }), SOON);
    expect(await a.push(APP, [change("main", one, two)])).toEqual({ "refs/heads/main": null });
    await a.expectInLockstep(APP);
  });

  it("creates, moves and deletes refs, each push one version with its author", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one, two] = await history(a);
    const tag = await a.git(APP, ["mktag"], `object ${one}\ntype commit\ntag v1\ntagger Ada <a@b> 0 +0000\n\nv1\n`);
    await a.push(APP, [change("main", null, one), change("topic", null, one)], { author: "ada" });
    await a.push(APP, [change("main", one, two), change("refs/tags/v1", null, tag)], { author: "grace" });
    const report = await a.push(APP, [change("topic", one, null), change("main", two, one)], { author: "mary" });
    expect(report).toEqual({ "refs/heads/topic": null, "refs/heads/main": null });
    expect(await a.refs(APP)).toEqual({ HEAD: "ref: refs/heads/main", "refs/heads/main": one, "refs/tags/v1": tag });
    expect(await log(cluster)).toEqual([
      { version: "1", device: "repo001", author: "ada", names: ["refs/heads/main", "refs/heads/topic"] },
      { version: "2", device: "repo001", author: "grace", names: ["refs/heads/main", "refs/tags/v1"] },
      { version: "3", device: "repo001", author: "mary", names: ["refs/heads/main", "refs/heads/topic"] },
    ]);
    expect((await writes(cluster)).map(({ status }) => status)).toEqual(["landed", "landed", "landed"]);
    await a.expectInLockstep(APP);
  });

  it("that changes nothing is accepted and makes no version", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one] = await history(a);
    await a.push(APP, [change("main", null, one)]);
    expect(await a.push(APP, [change("main", one, one), change("never", null, null)])).toEqual({
      "refs/heads/main": null,
      "refs/heads/never": null,
    });
    expect(await log(cluster)).toHaveLength(1);
    await a.expectInLockstep(APP);
  });

  it("leaves no trace of what changes nothing beside what does", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one, two] = await history(a);
    await a.push(APP, [change("main", null, one), change("still", null, one)]);
    await a.push(APP, [change("main", one, two), change("still", one, one)]);
    expect((await log(cluster)).at(-1)).toMatchObject({ names: ["refs/heads/main"] });
    await a.expectInLockstep(APP);
  });

  it("is told to fetch first for a ref that is not as it says, and its other refs land", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const [one, two, three] = await history(a);
    await a.push(APP, [change("main", null, one)]);
    await b.read(APP);
    await a.push(APP, [change("main", one, two)]);
    const late = await b.commit(APP, "late", { parents: [one] });
    const report = await b.push(APP, [
      change("main", one, late),
      change("topic", null, late),
      change("absent", three, late),
      change("gone", late, null),
    ]);
    expect(report).toEqual({
      "refs/heads/main": "fetch first",
      "refs/heads/topic": null,
      "refs/heads/absent": "fetch first",
      "refs/heads/gone": "fetch first",
    });
    expect(await b.refs(APP)).toEqual({
      HEAD: "ref: refs/heads/main",
      "refs/heads/main": two,
      "refs/heads/topic": late,
    });
    await b.expectInLockstep(APP);
  });

  it("with --atomic lands as a whole or not at all", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one, two] = await history(a);
    await a.push(APP, [change("main", null, one)]);
    const blob = await a.git(APP, ["hash-object", "-w", "--stdin"], "no commit");
    for (const [bad, reason] of [
      [change("stale", two, one), "fetch first"],
      [change("blob", null, blob), "not a commit"],
      [change("main/below", null, one), "conflicts with an existing ref"],
      [change("refs/lockstep/x", null, one), "refs/lockstep/ belongs to Lockstep"],
    ] as const) {
      const report = await a.push(APP, [change("main", one, two), bad, change("new", null, two)], { atomic: true });
      expect(Object.values(report)).toContain("atomic push failure");
      expect(Object.values(report)).not.toContain(null);
      expect([reason, "atomic push failure"]).toContain(report[bad.name]);
    }
    expect(await log(cluster)).toHaveLength(1);
    expect(await a.push(APP, [change("main", one, two), change("new", null, two)], { atomic: true })).toEqual({
      "refs/heads/main": null,
      "refs/heads/new": null,
    });
    await a.expectInLockstep(APP);
  });

  it("works on names that are not UTF-8, and refuses one of them alone", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one, two] = await history(a);
    await a.push(APP, [change(CAFE, null, one)]);
    expect(
      await a.push(APP, [change(CAFE, one, two), change(`${CAFE}/below`, null, one), change("ok", null, one)]),
    ).toEqual({
      [CAFE]: null,
      [`${CAFE}/below`]: "conflicts with an existing ref",
      "refs/heads/ok": null,
    });
    await a.expectInLockstep(APP);
  });
});

describe("a ref that git would refuse", () => {
  it("is refused with git's reason, and the others land", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one, two] = await history(a);
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

  it("is refused when its name conflicts with another of the same push", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one] = await history(a);
    await a.push(APP, [change("x", null, one)]);
    // git takes neither, in one transaction.
    const report = await a.push(APP, [change("x", one, null), change("x/y", null, one), change("z", null, one)]);
    expect(report["refs/heads/z"]).toBeNull();
    expect(report["refs/heads/x/y"]).toBe("conflicts with an existing ref");
    await a.expectInLockstep(APP);
  });

  it("is refused by its name before anybody is asked", async () => {
    await using cluster = await TestCluster.make();
    const a = await cluster.start("repo001");
    await cluster.create(APP, [a]);
    const [one] = await history(a);
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
    const names = ["HEAD", "refs/../../config", ...funny.map((name) => `refs/heads/${name}`)];
    for (const name of names) {
      expect(await a.push(APP, [{ name, oldValue: null, newValue: one }])).toEqual({ [name]: "funny refname" });
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
    const [one, two] = await history(a);
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
    const pusher = { say: (text: string) => void said.push(text) };
    expect(await a.push(APP, [change("main", two, null)], { pusher })).toEqual({ "refs/heads/main": null });
    expect(said).toEqual(["warning: deleting the current branch"]);
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
      runHook: async (path: string, args: readonly string[]) => {
        expect(path).toBe(hook);
        calls.push(args);
        return args[0] === "refs/heads/main" ? 7 : 0;
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

describe("a pusher who is gone", () => {
  it("before the decision gets nothing written", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one] = await history(a);
    const gone = new AbortController();
    a.onStatement = async (text, run) => {
      const result = await run();
      if (text.includes("stage_write")) gone.abort();
      return result;
    };
    const pushed = a.push(APP, [change("main", null, one)], { pusher: { gone: gone.signal } });
    await expect(pushed).rejects.toMatchObject({ code: "WRITE_DROPPED" });
    await vi.waitFor(
      async () =>
        expect(await writes(cluster)).toEqual([
          { status: "dropped", version: null, drop_reason: "the pusher was gone before the decision" },
        ]),
      SOON,
    );
    expect(await a.refs(APP)).toEqual({ HEAD: "ref: refs/heads/main" });
    a.onStatement = (_, run) => run();
    expect(await a.push(APP, [change("main", null, one)])).toEqual({ "refs/heads/main": null });
    await a.expectInLockstep(APP);
  });

  it("after the decision has it written all the same", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one] = await history(a);
    const gone = new AbortController();
    a.onStatement = async (text, run) => {
      if (isBump(text)) gone.abort();
      return await run();
    };
    expect(await a.push(APP, [change("main", null, one)], { pusher: { gone: gone.signal } })).toEqual({
      "refs/heads/main": null,
    });
    await a.expectInLockstep(APP);
  });
});

describe("pushes on several devices at once", () => {
  it("all land when they touch different refs, with dense versions", async () => {
    await using cluster = await TestCluster.make();
    const devices = await cluster.pair(APP);
    const pushes = devices.flatMap((device) =>
      Array.from({ length: 8 }, async (_, index) => {
        const id = await device.commit(APP, `${device.name} ${index}`);
        return await device.push(APP, [change(`${device.name}/${index}`, null, id)]);
      }),
    );
    for (const report of await Promise.all(pushes)) expect(Object.values(report)).toEqual([null]);
    expect((await log(cluster)).map(({ version }) => version)).toEqual(
      Array.from({ length: 16 }, (_, index) => String(index + 1)),
    );
    for (const device of devices) {
      await device.read(APP);
      await device.expectInLockstep(APP);
    }
    await expectTurns(cluster, []);
  });

  it("land once when they touch the same ref, and the others are told to fetch", async () => {
    await using cluster = await TestCluster.make();
    const devices = await cluster.pair(APP);
    const pushes = devices.flatMap((device) =>
      Array.from({ length: 4 }, async (_, index) => {
        const id = await device.commit(APP, `${device.name} ${index}`);
        return await device.push(APP, [change("main", null, id)]);
      }),
    );
    const reasons = (await Promise.all(pushes)).map((report) => report["refs/heads/main"]);
    expect(reasons.sort()).toEqual([...Array(7).fill("fetch first"), null]);
    expect(await log(cluster)).toHaveLength(1);
    for (const device of devices) {
      await device.read(APP);
      await device.expectInLockstep(APP);
    }
  });

  it("try again when another device was faster between staging and decision", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const [one, two] = await history(a);
    await a.push(APP, [change("main", null, one)]);
    await b.read(APP);
    const mine = await b.commit(APP, "mine", { parents: [one] });
    let races = 0;
    b.onStatement = async (text, run) => {
      if (isBump(text) && ++races === 1) await a.push(APP, [change("main", one, two)]);
      return await run();
    };
    expect(await b.push(APP, [change("topic", null, mine), change("main", one, mine)])).toEqual({
      "refs/heads/topic": null,
      "refs/heads/main": "fetch first",
    });
    expect(await log(cluster)).toMatchObject([{ version: "1" }, { version: "2" }, { version: "3", device: "repo002" }]);
    expect((await writes(cluster)).map(({ drop_reason }) => drop_reason)).toContain("not landed: stale");
    await b.expectInLockstep(APP);
  });

  it("take the repository's turn after losing three races, which nobody can overtake", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const [one] = await history(a);
    const mine = await b.commit(APP, "mine");
    let races = 0;
    let overtaking: Promise<unknown> = Promise.resolve();
    b.onStatement = async (text, run) => {
      if (isBump(text)) {
        races += 1;
        const overtake = a.push(APP, [change(`race/${races}`, null, one)]);
        // With the turn taken the other device waits instead of winning.
        if (races <= 3) await overtake;
        else overtaking = overtake;
      }
      return await run();
    };
    expect(await b.push(APP, [change("main", null, mine)])).toEqual({ "refs/heads/main": null });
    await overtaking;
    expect(races).toBe(4);
    expect((await log(cluster)).map(({ device }) => device)).toEqual([
      "repo001",
      "repo001",
      "repo001",
      "repo002",
      "repo001",
    ]);
    await expectTurns(cluster, []);
  });
});

describe("a repository whose turn somebody else has", () => {
  async function giveTurn(cluster: TestCluster): Promise<void> {
    await cluster.sql(
      `insert into lockstep.turn (repository_id, write_id, device, author, reason, expires_at)
       select id, gen_random_uuid(), 'repo009', 'grace', 'rewriting history', clock_timestamp() + interval '1 hour'
       from lockstep.repository`,
    );
  }

  it("makes a push wait, tells the pusher for whom, and lands it afterwards", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one] = await history(a);
    await giveTurn(cluster);
    const said: string[] = [];
    const pushed = a.push(APP, [change("main", null, one)], { pusher: { say: (text) => void said.push(text) } });
    await vi.waitFor(() => expect(said).toHaveLength(1), SOON);
    expect(said[0]).toMatch(/^waiting for grace on repo009 \(rewriting history, since \d{4}-/);
    expect(await a.read(APP)).toMatchObject({ version: 0n });
    await cluster.sql("delete from lockstep.turn where device = 'repo009'");
    expect(await pushed).toEqual({ "refs/heads/main": null });
    await expectTurns(cluster, []);
    await a.expectInLockstep(APP);
  });

  it("refuses a push that has waited in vain, and says for whom", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one] = await history(a);
    await giveTurn(cluster);
    const clock = performance.now.bind(performance);
    let skipped = 0;
    const spy = vi.spyOn(performance, "now").mockImplementation(() => clock() + skipped);
    try {
      const say = () => {
        skipped = 60_000;
      };
      await expect(a.push(APP, [change("main", null, one)], { pusher: { say } })).rejects.toMatchObject({
        code: "TURN_HELD",
        message: expect.stringContaining("held by grace on repo009 (rewriting history, since "),
      });
    } finally {
      spy.mockRestore();
    }
    await expectTurns(cluster, ["repo009"]);
    await a.expectInLockstep(APP);
  });

  it("lets go a push whose pusher does not wait", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one] = await history(a);
    await giveTurn(cluster);
    const gone = new AbortController();
    const pushed = a.push(APP, [change("main", null, one)], { pusher: { gone: gone.signal, say: () => gone.abort() } });
    await expect(pushed).rejects.toMatchObject({ code: "WRITE_DROPPED" });
    await expectTurns(cluster, ["repo009"]);
  });
});

describe("a disk that is not what the log says", () => {
  it.each(["moved", "deleted", "made"])(
    "is compared and put right when a push meets a ref that was %s by hand",
    async (how) => {
      await using cluster = await TestCluster.make();
      const [a] = await cluster.pair(APP);
      const [one, two, three] = await history(a);
      await a.push(APP, [change("main", null, one), change("topic", null, one)]);
      if (how === "moved") await a.git(APP, ["update-ref", "refs/heads/main", three]);
      if (how === "deleted") await a.git(APP, ["update-ref", "-d", "refs/heads/main"]);
      if (how === "made") await a.git(APP, ["update-ref", "refs/heads/new", three]);
      await a.git(APP, ["update-ref", "refs/heads/topic", three]);
      expect(await a.push(APP, [change("main", one, two), change("new", null, two)])).toEqual({
        "refs/heads/main": null,
        "refs/heads/new": null,
      });
      expect(await a.refs(APP)).toMatchObject({ "refs/heads/main": two, "refs/heads/topic": one });
      expect(JSON.stringify(a.logged)).toContain("a ref on disk is not what the log says");
      await a.expectInLockstep(APP);
    },
  );

  it("does not let a push through that was made on what somebody wrote by hand", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one, two, three] = await history(a);
    await a.push(APP, [change("main", null, one)]);
    await a.git(APP, ["update-ref", "refs/heads/main", two]);
    expect(await a.push(APP, [change("main", two, three)])).toEqual({ "refs/heads/main": "fetch first" });
    expect(await log(cluster)).toHaveLength(1);
  });

  it("is not believed by the database either, whatever the device says of old values", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one, two] = await history(a);
    await a.push(APP, [change("main", null, one)]);
    const { context } = a;
    const row = { writeId: crypto.randomUUID(), repositoryId: a.replica(APP).id, base: 1n };
    await stageWrite(context.db, context.me, { ...row, author: "mallory", names: ["refs/heads/main"] });
    const lie = { name: "refs/heads/main", oldValue: two, newValue: null };
    const digest = Buffer.alloc(32);
    expect(await bump(context.db, context.me, { ...row, digest, updates: [lie] })).toEqual({ outcome: "in_doubt" });
    expect(await log(cluster)).toHaveLength(1);
  });

  it("keeps a ref locked by somebody's git from that push only", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one, two] = await history(a);
    await a.push(APP, [change("main", null, one)]);
    const lock = join(a.gitDir(APP), "refs/heads/main.lock");
    await writeFile(lock, "");
    const report = await a.push(APP, [change("main", one, two), change("free", null, one)]);
    expect(report["refs/heads/main"]).toMatch(/^locked by another git process/);
    expect(report["refs/heads/free"]).toBeNull();
    await rm(lock);
    expect(await a.push(APP, [change("main", one, two)])).toEqual({ "refs/heads/main": null });
    await a.expectInLockstep(APP);
  });

  it("removes a lock that nobody has held for minutes, and lands", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one, two] = await history(a);
    await a.push(APP, [change("main", null, one)]);
    const lock = join(a.gitDir(APP), "refs/heads/main.lock");
    await writeFile(lock, "");
    const longAgo = new Date(Date.now() - 5 * 60_000);
    await utimes(lock, longAgo, longAgo);
    expect(await a.push(APP, [change("main", one, two)])).toEqual({ "refs/heads/main": null });
    await a.expectInLockstep(APP);
  });
});

describe("a decision whose answer is lost", () => {
  it("is reported as landed when it has landed", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one] = await history(a);
    a.onStatement = async (text, run) => {
      const result = await run();
      if (isBump(text)) throw new Error("Connection terminated unexpectedly");
      return result;
    };
    expect(await a.push(APP, [change("main", null, one)])).toEqual({ "refs/heads/main": null });
    expect(await writes(cluster)).toEqual([{ status: "landed", version: "1", drop_reason: null }]);
    await a.expectInLockstep(APP);
  });

  it("is made again when it has not", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one] = await history(a);
    let bumps = 0;
    a.onStatement = async (text, run) => {
      if (isBump(text) && ++bumps === 1) throw new Error("connect ECONNREFUSED");
      return await run();
    };
    expect(await a.push(APP, [change("main", null, one)])).toEqual({ "refs/heads/main": null });
    expect(await writes(cluster)).toMatchObject([
      { status: "dropped", drop_reason: "the database did not confirm it" },
      { status: "landed", version: "1" },
    ]);
    await a.expectInLockstep(APP);
  });

  it("is asked for until the database answers, with the refs locked meanwhile", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one] = await history(a);
    let asked = 0;
    let locked: string[] = [];
    a.onStatement = async (text, run) => {
      const result = await run();
      if (isBump(text)) throw new Error("Connection terminated unexpectedly");
      if (isSettle(text) && ++asked <= 2) {
        locked = await a.leftovers(APP);
        throw new Error("the database system is starting up");
      }
      return result;
    };
    expect(await a.push(APP, [change("main", null, one)])).toEqual({ "refs/heads/main": null });
    expect(asked).toBe(3);
    expect(locked).toContain("refs/heads/main.lock");
    await a.expectInLockstep(APP);
  });

  it.each([true, false])(
    "stays unknown while the database is away, and is then whatever its row says (landed: %s)",
    async (landed) => {
      await using cluster = await TestCluster.make();
      const a = await cluster.start("repo001", { inDoubtMs: 0 });
      await cluster.create(APP, [a]);
      const [one, two] = await history(a);
      await a.push(APP, [change("main", null, one)]);
      a.onStatement = async (text, run) => {
        if (isBump(text) && landed) await run();
        if (isBump(text) || isSettle(text)) throw new Error("Connection terminated unexpectedly");
        return await run();
      };
      const failure = await a.push(APP, [change("main", one, two)]).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: "OUTCOME_UNKNOWN", details: { write: expect.any(String) } });
      expect(a.replica(APP).applied).toBeUndefined();
      expect(await a.leftovers(APP)).toEqual([]);
      a.onStatement = (_, run) => run();
      expect(await a.read(APP)).toMatchObject({ version: landed ? 2n : 1n });
      expect(await a.refs(APP)).toMatchObject({ "refs/heads/main": landed ? two : one });
      await a.restart();
    },
  );

  it("is final: a write whose outcome was unknown is dropped when the database is back, however late its statement comes", async () => {
    await using cluster = await TestCluster.make();
    const a = await cluster.start("repo001", { inDoubtMs: 0 });
    await cluster.create(APP, [a]);
    const [one, two] = await history(a);
    a.onStatement = async (text, run) => {
      if (isBump(text) || isSettle(text)) throw new Error("Connection terminated unexpectedly");
      return await run();
    };
    const failure = await a.push(APP, [change("main", null, one)]).catch((error: LockstepError) => error);
    expect(failure).toMatchObject({ code: "OUTCOME_UNKNOWN" });
    a.onStatement = (_, run) => run();
    expect(await a.push(APP, [change("main", null, two)])).toEqual({ "refs/heads/main": null });
    await vi.waitFor(async () => expect(await a.staged()).toEqual([]), SOON);
    const late = {
      writeId: (failure as LockstepError).details.write!,
      repositoryId: a.replica(APP).id,
      base: 0n,
      digest: Buffer.alloc(32),
      updates: [change("main", null, one)],
    };
    expect(await bump(a.context.db, a.context.me, late)).toEqual({ outcome: "dropped" });
    await a.expectInLockstep(APP);
    expect(await a.refs(APP)).toMatchObject({ "refs/heads/main": two });
  });

  it("on a device that was taken over lands nothing, and ends the process", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one] = await history(a);
    a.onStatement = async (text, run) => {
      if (isBump(text)) {
        await cluster.sql(
          "select * from lockstep.take_over($1, gen_random_uuid(), (select root_id from lockstep.device where name = $1), true, '1 minute', '', '', '')",
          [a.name],
        );
      }
      return await run();
    };
    await expect(a.push(APP, [change("main", null, one)])).rejects.toMatchObject({ code: "FENCED" });
    expect(a.fenced).toBe(true);
    expect(await log(cluster)).toEqual([]);
    expect(await writes(cluster)).toMatchObject([{ status: "dropped" }]);
    expect(await a.leftovers(APP)).toEqual([]);
    expect(await a.refs(APP)).toEqual({ HEAD: "ref: refs/heads/main" });
  });
});

describe("git failing around the decision", () => {
  it("before it drops the write, and the next push lands", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one] = await history(a);
    await a.beforeGit('case "$*" in *update-ref*) echo "fatal: the disk is full" >&2; exit 128;; esac');
    const failed = await a.push(APP, [change("main", null, one)]).catch((error: unknown) => error);
    expect(JSON.stringify([failed, String(failed)])).toContain("the disk is full");
    await vi.waitFor(async () => expect(await a.staged()).toEqual([]), SOON);
    await a.beforeGit("");
    expect(await a.push(APP, [change("main", null, one)])).toEqual({ "refs/heads/main": null });
    await a.expectInLockstep(APP);
  });

  it("before it, by a signal, drops the write too", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one] = await history(a);
    await a.beforeGit('case "$*" in *update-ref*) kill -9 $$;; esac');
    await expect(a.push(APP, [change("main", null, one)])).rejects.toMatchObject({ code: "GIT_FAILED" });
    await vi.waitFor(async () => expect(await a.staged()).toEqual([]), SOON);
    await a.beforeGit("");
    expect(await a.push(APP, [change("main", null, one)])).toEqual({ "refs/heads/main": null });
    await a.expectInLockstep(APP);
  });

  it("after it is still reported as landed, and put right by the next read", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const [one, two] = await history(a);
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

  it("after it, killed, is still reported as landed, and put right once its locks are old", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one, two] = await history(a);
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
    const [one] = await history(a);
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
