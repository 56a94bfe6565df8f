// Pushes that wait while another one is decided, and are then decided together by one statement.
import { access, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { holdAtCrashPoints } from "../../src/crash-points.ts";
import { stopNewWrites } from "../../src/store/write/write-stops.ts";
import { APP, pushedOnce } from "../support/pushed-once.ts";
import { allAtOnce, branch, create, decisionsOf, landed, type Push, statementsOf } from "../support/pushes-together.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON } from "../support/sync-device.ts";
import { log } from "../support/write-rows.ts";

/** Tries again where the machine was so slow that the pushes were not decided together: then `look` returns false. */
async function untilTogether(look: (round: number) => Promise<boolean>): Promise<void> {
  for (let round = 1; round <= 50; round += 1) if (await look(round)) return;
  throw new Error("The pushes were not decided together in 50 rounds.");
}

describe("pushes that wait for another one", () => {
  it("are decided by one statement, and get versions of their own in their order", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, ids } = await pushedOnce(cluster);
    const asked = await statementsOf(a, async () => {
      const told = await allAtOnce(a, [create(a, "x", ids[0]), create(a, "y", ids[1]), create(a, "z", ids[2])]);
      expect(told).toEqual(landed("x", "y", "z"));
    });
    expect(asked).toEqual([expect.stringContaining("lockstep.bump_together(")]);
    const names = (await log(cluster)).map((row) => row.names);
    expect(names).toEqual([[branch("main")], [branch("x")], [branch("y")], [branch("z")]]);
    expect(a.replica(APP).applied).toBe(4n);
    expect(await b.read(APP)).toMatchObject({ version: 4n });
    for (const device of [a, b]) await device.expectInLockstep(APP);
  });

  it("get the mutex once for all of them", async () => {
    await using cluster = await TestCluster.make();
    const { a, ids } = await pushedOnce(cluster);
    const held = vi.spyOn(a.context.metrics, "heldMutex");
    await untilTogether(async (round) => {
      const names = ["x", "y", "z"].map((name) => `${name}${round}`);
      held.mockClear();
      const pushes = names.map((name) => create(a, name, ids[0]));
      expect(await allAtOnce(a, pushes)).toEqual(landed(...names));
      await a.replica(APP).mutex.waitForUnlock();
      // The turn of the test, and that of the group.
      return held.mock.calls.length === 2;
    });
    await a.expectInLockstep(APP);
  });

  it("pushes that name the same ref are not decided together: one lands, the others are told to fetch first", async () => {
    await using cluster = await TestCluster.make();
    const { a, ids } = await pushedOnce(cluster);
    const moves = [1, 2, 1].map((index) => () => a.push(APP, [change("main", ids[0], ids[index] ?? null)]));
    const asked = await decisionsOf(a, async () => {
      const told = await allAtOnce(a, [...moves, create(a, "x", ids[0])]);
      const refused = { [branch("main")]: "fetch first" };
      expect(told).toEqual([...landed("main"), refused, refused, ...landed("x")]);
    });
    expect(asked[0]).toBe("bump_together");
    expect(await log(cluster)).toHaveLength(3);
    await a.expectInLockstep(APP);
  });

  it("pushes that exclude each other are not decided together", async () => {
    await using cluster = await TestCluster.make();
    const { a, ids } = await pushedOnce(cluster);
    const told = await allAtOnce(a, [create(a, "t", ids[0]), create(a, "t/a", ids[0]), create(a, "x", ids[0])]);
    expect(told).toEqual([...landed("t"), { [branch("t/a")]: expect.stringContaining("t") }, ...landed("x")]);
    await a.expectInLockstep(APP);
  });

  it("land beside one that git refuses", async () => {
    await using cluster = await TestCluster.make();
    const { a, ids } = await pushedOnce(cluster);
    const stale = () => a.push(APP, [change("main", ids[1], ids[2])]);
    const told = await allAtOnce(a, [create(a, "x", ids[0]), stale, create(a, "y", ids[1])]);
    expect(told).toEqual([...landed("x"), { [branch("main")]: "fetch first" }, ...landed("y")]);
    await a.expectInLockstep(APP);
  });

  it("land beside one that the database refuses", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, ids } = await pushedOnce(cluster);
    const pushes = [create(a, "x", ids[0]), create(a, "taken", ids[1]), create(a, "y", ids[1])];
    const told = await allAtOnce(a, pushes, create(b, "taken", ids[0]));
    expect(told).toEqual([...landed("x"), { [branch("taken")]: "fetch first" }, ...landed("y")]);
    expect(await log(cluster)).toHaveLength(4);
    await b.read(APP);
    for (const device of [a, b]) await device.expectInLockstep(APP);
  });

  it("land beside one whose ref excludes a ref of another device", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, ids } = await pushedOnce(cluster);
    const pushes = [create(a, "x", ids[0]), create(a, "t/a", ids[1]), create(a, "y", ids[1])];
    const told = await allAtOnce(a, pushes, create(b, "t", ids[0]));
    expect(told).toEqual([...landed("x"), { [branch("t/a")]: expect.stringContaining("t") }, ...landed("y")]);
    await a.expectInLockstep(APP);
  });

  it("land over versions of another device, and are told once this disk has those too", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, ids } = await pushedOnce(cluster);
    const asked = await decisionsOf(a, async () => {
      const pushes = [create(a, "x", ids[0]), create(a, "y", ids[1])];
      expect(await allAtOnce(a, pushes, create(b, "theirs", ids[0]))).toEqual(landed("x", "y"));
    });
    expect(asked).toEqual(["bump_together"]);
    expect(a.replica(APP).applied).toBe(4n);
    expect((await log(cluster)).map(({ device }) => device)).toEqual([a.name, b.name, a.name, a.name]);
    await b.read(APP);
    for (const device of [a, b]) await device.expectInLockstep(APP);
  });

  it.each(["first", "second"])("are decided together without the %s one, whose pusher is gone", async (place) => {
    await using cluster = await TestCluster.make();
    const { a, ids } = await pushedOnce(cluster);
    await untilTogether(async (round) => {
      const leaving = new AbortController();
      const pusher = { gone: leaving.signal };
      const gone = () => a.push(APP, [change(`gone${round}`, null, ids[0])], { pusher });
      const [x, y] = [create(a, `x${round}`, ids[0]), create(a, `y${round}`, ids[1])];
      const pushes = place === "first" ? [gone, x, y] : [x, gone, y];
      const asked = await decisionsOf(a, async () => {
        const told = await allAtOnce(a, pushes, async () => leaving.abort());
        expect(told[pushes.indexOf(gone)]).toMatchObject({ code: "WRITE_DROPPED" });
        expect(told.filter((_, index) => pushes[index] !== gone)).toEqual(landed(`x${round}`, `y${round}`));
      });
      return asked.includes("bump_together");
    });
    const names = (await log(cluster)).flatMap((row) => row.names);
    expect(names.filter((name) => name.includes("gone"))).toEqual([]);
    await a.expectInLockstep(APP);
  });

  it("are decided together without one whose pusher goes while the refs of all are locked", async () => {
    await using cluster = await TestCluster.make();
    const { a, ids } = await pushedOnce(cluster);
    const locked = join(cluster.dir, "group.prepared");
    holdAtCrashPoints(cluster.dir);
    try {
      await untilTogether(async (round) => {
        const leaving = new AbortController();
        const pusher = { gone: leaving.signal };
        const [x, y, z] = ["x", "y", "z"].map((name) => create(a, `${name}${round}`, ids[0])) as [Push, Push, Push];
        const gone = () => a.push(APP, [change(`gone${round}`, null, ids[0])], { pusher });
        const asked = await decisionsOf(a, async () => {
          await writeFile(locked, "");
          const telling = allAtOnce(a, [x, gone, y, z]);
          await Promise.race([vi.waitFor(() => access(`${locked}.reached`), SOON), telling]);
          leaving.abort();
          await rm(locked);
          const [first, left, ...others] = await telling;
          expect(left).toMatchObject({ code: "WRITE_DROPPED" });
          expect([first, ...others]).toEqual(landed(`x${round}`, `y${round}`, `z${round}`));
        });
        await rm(`${locked}.reached`, { force: true });
        return asked.length === 2 && asked[1] === "bump_together";
      });
    } finally {
      holdAtCrashPoints(undefined);
    }
    expect((await log(cluster)).flatMap(({ names }) => names).filter((name) => name.includes("gone"))).toEqual([]);
    await a.expectInLockstep(APP);
  });

  it("are decided alone where git notes the author of each", async () => {
    await using cluster = await TestCluster.make();
    const { a, ids } = await pushedOnce(cluster);
    await mkdir(join(a.gitDir(APP), "logs"));
    const asked = await decisionsOf(a, async () => {
      expect(await allAtOnce(a, [create(a, "x", ids[0]), create(a, "y", ids[1])])).toEqual(landed("x", "y"));
    });
    expect(asked).not.toContain("bump_together");
    await a.expectInLockstep(APP);
  });

  it("are refused with the reason if writes are stopped", async () => {
    await using cluster = await TestCluster.make();
    const { a, ids } = await pushedOnce(cluster);
    const stop = () => stopNewWrites(a.context.db, [null], { author: "olga", reason: "upgrade" });
    const told = await allAtOnce(a, [create(a, "x", ids[0]), create(a, "y", ids[1])], stop);
    const refused = { code: "WRITES_STOPPED", details: { reason: "upgrade" } };
    expect(told).toMatchObject([refused, refused]);
    expect(await log(cluster)).toHaveLength(1);
    expect(await a.refs(APP)).toEqual({ HEAD: "ref: refs/heads/main", [branch("main")]: ids[0] });
    await vi.waitFor(async () => expect(await a.staged()).toEqual([]), SOON);
  });

  it("pushes of a sidecar that was replaced do not land", async () => {
    await using cluster = await TestCluster.make();
    const { a, ids } = await pushedOnce(cluster);
    const replace = () =>
      cluster.sql("update lockstep.device set fence = nextval('lockstep.fence_seq') where name = $1", [a.name]);
    const told = await allAtOnce(a, [create(a, "x", ids[0]), create(a, "y", ids[1])], replace);
    expect(told).toMatchObject([{ code: "FENCED" }, { code: "FENCED" }]);
    expect(await log(cluster)).toHaveLength(1);
  });

  it("all land, a hundred at once from two devices, in fewer statements than pushes", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, ids } = await pushedOnce(cluster);
    await b.push(APP, [change("first", null, ids[0])]);
    await a.read(APP);
    const names = Array.from({ length: 50 }, (_, n) => `n${n}`);
    let told: unknown[] = [];
    const asked = await decisionsOf(a, async () => {
      const [ours] = await Promise.all([
        Promise.all(names.map((name) => a.push(APP, [change(`a-${name}`, null, ids[0])]))),
        Promise.all(names.map((name) => b.push(APP, [change(`b-${name}`, null, ids[0])]))),
      ]);
      told = ours;
    });
    expect(told).toEqual(landed(...names.map((name) => `a-${name}`)));
    expect(asked.filter((each) => each.startsWith("bump")).length).toBeLessThan(40);
    const versions = (await log(cluster)).map(({ version }) => Number(version)).sort((one, other) => one - other);
    expect(versions).toEqual(Array.from({ length: 102 }, (_, index) => index + 1));
    for (const device of [a, b]) {
      await device.read(APP);
      await device.expectInLockstep(APP);
    }
  });
});
