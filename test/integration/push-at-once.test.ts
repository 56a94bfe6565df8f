// Pushes that are decided by one statement, which makes the row of their write.
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, vi } from "vitest";
import { drainDevice, setDeviceWrites } from "../../src/store/device/devices.ts";
import { leaveTurn, takeTurn } from "../../src/store/write/turns.ts";
import { stopNewWrites } from "../../src/store/write/write-stops.ts";
import { landWrite } from "../../src/store/write/writes.ts";
import { askedBy } from "../support/asked.ts";
import { beginSession, bumpSession } from "../support/sessions.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";
import { isBump, isSettle, log, writes } from "../support/write-rows.ts";

const APP = "team/app";
const MAIN = "refs/heads/main";
const LANDED = { [MAIN]: null };

/** A device that has staged its first write: main is at `one`. */
async function pushedOnce(cluster: TestCluster) {
  const [a, b] = await cluster.pair(APP);
  const ids = await a.history(APP);
  await a.push(APP, [change("main", null, ids[0])]);
  return { a, b, ids };
}

/** Returns the statements of the work that belong to a write, by their names. */
async function statementsOf(device: TestDevice, work: () => Promise<unknown>): Promise<string[]> {
  const statements: string[] = [];
  await askedBy(device, statements, work);
  return statements.flatMap((text) => /lockstep\.(stage_write|bump|settle_write)\(/.exec(text)?.[1] ?? []);
}

describe("a push after another", () => {
  it("a push that lasts longer is staged, and others see its row", async () => {
    await using cluster = await TestCluster.make();
    const { a, ids } = await pushedOnce(cluster);
    const wait = join(cluster.dir, "wait");
    await writeFile(wait, "");
    await a.beforeGit(`case "$*" in *update-ref*) while [ -e ${wait} ]; do sleep 0.05; done ;; esac`);
    const pushed = a.push(APP, [change("main", ids[0], ids[1])]);
    await vi.waitFor(async () => expect(await a.staged()).toHaveLength(1), SOON);
    await rm(wait);
    expect(await pushed).toEqual(LANDED);
    await a.expectInLockstep(APP);
  });

  it("a push that has seen an older value is told so, and is staged for it", async () => {
    await using cluster = await TestCluster.make();
    const { a, ids } = await pushedOnce(cluster);
    await a.push(APP, [change("main", ids[0], ids[1])]);
    const asked = await statementsOf(a, async () =>
      expect(await a.push(APP, [change("main", ids[0], ids[2])])).toEqual({ [MAIN]: "fetch first" }),
    );
    expect(asked[0]).toBe("stage_write");
    expect(asked).not.toContain("bump");
    expect(a.replica(APP).applied).toBe(2n);
  });

  it("a push through an alias moves its target, and the replica is not in doubt", async () => {
    await using cluster = await TestCluster.make();
    const { a, ids } = await pushedOnce(cluster);
    const { path, token } = await beginSession(a, APP);
    await promisify(execFile)("git", ["symbolic-ref", "refs/heads/alias", MAIN], {
      env: { ...process.env, GIT_DIR: path },
    });
    await bumpSession(a, APP, token);
    const report = await a.push(APP, [change("alias", ids[0], ids[1])]);
    expect(report).toEqual({ "refs/heads/alias": null });
    // In doubt, it would have been compared and the push would have begun again.
    expect(a.logged).toContainEqual(expect.objectContaining({ msg: "push landed", version: "3", races: 0 }));
    expect(await a.refs(APP)).toMatchObject({ [MAIN]: ids[1], "refs/heads/alias": `ref: ${MAIN}` });
    expect((await log(cluster)).at(-1)).toMatchObject({ version: "3", names: [MAIN] });
    await a.expectInLockstep(APP);
  });

  it("whose ref another device has moved is told so, without a lost race", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, ids } = await pushedOnce(cluster);
    await b.read(APP);
    await b.push(APP, [change("main", ids[0], await b.commit(APP, "two", { parents: [ids[0]] }))]);
    const two = await a.commit(APP, "another", { parents: [ids[0]] });
    const asked = await statementsOf(a, async () =>
      expect(await a.push(APP, [change("main", ids[0], two)])).toEqual({ [MAIN]: "fetch first" }),
    );
    expect(asked.slice(0, 3)).toEqual(["bump", "settle_write", "stage_write"]);
    await a.read(APP);
    await a.expectInLockstep(APP);
  });

  it.each<[string, (a: TestDevice, cluster: TestCluster) => Promise<unknown>, object]>([
    [
      "writes are stopped",
      (a) => stopNewWrites(a.context.db, [null], { author: "olga", reason: "upgrade" }),
      { code: "WRITES_STOPPED", details: { reason: "upgrade" } },
    ],
    [
      "its device takes no writes",
      (a) => setDeviceWrites(a.context.db, a.name, false, "olga"),
      { code: "WRITES_ELSEWHERE" },
    ],
    ["its device drains", (a) => drainDevice(a.context.db, a.name, "olga"), { code: "WRITES_ELSEWHERE" }],
    [
      "more copies are wanted than there are devices",
      (_, cluster) => cluster.sql("update lockstep.repository set min_copies = 5"),
      { code: "NOT_ENOUGH_COPIES" },
    ],
  ])("is refused with the reason if %s", async (_, happens, error) => {
    await using cluster = await TestCluster.make();
    const { a, ids } = await pushedOnce(cluster);
    await happens(a, cluster);
    await expect(a.push(APP, [change("main", ids[0], ids[1])])).rejects.toMatchObject(error);
    expect(await log(cluster)).toHaveLength(1);
    await vi.waitFor(async () => expect(await a.staged()).toEqual([]), SOON);
    expect(a.replica(APP).applied).toBe(1n);
    expect(await a.refs(APP)).toMatchObject({ [MAIN]: ids[0] });
  });

  it("waits for the turn if another write has it", async () => {
    await using cluster = await TestCluster.make();
    const { a, ids } = await pushedOnce(cluster);
    const { db, me } = a.context;
    const writeId = randomUUID();
    const ticket = { repositoryId: a.replica(APP).id, writeId, author: "bob", reason: "import" };
    expect(await takeTurn(db, me, ticket)).toBe(true);
    const said: string[] = [];
    const pusher = {
      say: (text: string) => {
        said.push(text);
        void leaveTurn(db, writeId);
      },
    };
    expect(await a.push(APP, [change("main", ids[0], ids[1])], { pusher })).toEqual(LANDED);
    expect(said.join()).toContain("bob");
    await a.expectInLockstep(APP);
  });

  it("a push of a sidecar that was replaced does not land", async () => {
    await using cluster = await TestCluster.make();
    const { a, ids } = await pushedOnce(cluster);
    await cluster.sql("update lockstep.device set fence = nextval('lockstep.fence_seq') where name = $1", [a.name]);
    await expect(a.push(APP, [change("main", ids[0], ids[1])])).rejects.toMatchObject({ code: "FENCED" });
    expect(await log(cluster)).toHaveLength(1);
  });
});

describe("the answer to a decision at once", () => {
  it("is lost: the row is asked, and says landed", async () => {
    await using cluster = await TestCluster.make();
    const { a, ids } = await pushedOnce(cluster);
    a.onStatement = async (text, run) => {
      const result = await run();
      if (isBump(text)) throw new Error("Connection terminated unexpectedly");
      return result;
    };
    const asked = await statementsOf(a, async () =>
      expect(await a.push(APP, [change("main", ids[0], ids[1])])).toEqual(LANDED),
    );
    expect(asked).toEqual(["bump", "settle_write"]);
    expect((await writes(cluster)).map(({ status }) => status)).toEqual(["landed", "landed"]);
    await a.expectInLockstep(APP);
  });

  it("does not come: the write is dropped, another attempt lands, and the late decision lands nothing", async () => {
    await using cluster = await TestCluster.make();
    const { a, ids } = await pushedOnce(cluster);
    let bumps = 0;
    a.onStatement = async (text, run) => {
      if (isBump(text) && ++bumps === 1) throw new Error("Connection terminated unexpectedly");
      return await run();
    };
    expect(await a.push(APP, [change("main", ids[0], ids[1])])).toEqual(LANDED);
    const [dropped] = await cluster.sql<{ id: string }>("select id from lockstep.write where status = 'dropped'");
    const updates = [change("other", null, ids[1])];
    const late = {
      writeId: dropped!.id,
      repositoryId: a.replica(APP).id,
      base: 2n,
      difference: Buffer.alloc(32),
      updates,
    };
    const answer = await landWrite(a.context.db, a.context.me, { ...late, atOnceBy: "ada" });
    expect(answer).toEqual({ outcome: "dropped" });
    expect(await writes(cluster)).toMatchObject([
      { status: "landed", version: "1" },
      { status: "dropped", drop_reason: "the database did not confirm it" },
      { status: "landed", version: "2" },
    ]);
    await a.expectInLockstep(APP);
  });

  it("stays unknown while the database is away, and is then whatever its row says", async () => {
    await using cluster = await TestCluster.make();
    const a = await cluster.start("repo001", { inDoubtMs: 0 });
    await cluster.create(APP, [a]);
    const ids = await a.history(APP);
    await a.push(APP, [change("main", null, ids[0])]);
    a.onStatement = async (text, run) => {
      if (isBump(text) || isSettle(text)) throw new Error("Connection terminated unexpectedly");
      return await run();
    };
    const failed = a.push(APP, [change("main", ids[0], ids[1])]);
    await expect(failed).rejects.toMatchObject({ code: "OUTCOME_UNKNOWN" });
    a.onStatement = (_, run) => run();
    // In the background the write gets its row.
    await vi.waitFor(async () => expect(await writes(cluster)).toHaveLength(2), SOON);
    expect((await writes(cluster)).at(-1)).toMatchObject({ status: "dropped" });
    expect(await a.read(APP)).toMatchObject({ version: 1n });
    await a.expectInLockstep(APP);
  });
});
