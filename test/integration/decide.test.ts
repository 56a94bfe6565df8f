// A decision whose answer is lost, late or never comes.
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import type { LockstepError } from "../../src/errors.ts";
import { landWrite } from "../../src/store/write/writes.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON } from "../support/sync-device.ts";
import { isBump, isSettle, log, writes } from "../support/write-rows.ts";

const APP = "team/app";

describe("a decision whose answer is lost", () => {
  it("is reported as landed when it has landed", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one] = await a.history(APP);
    a.onStatement = async (text, run) => {
      const result = await run();
      if (isBump(text)) throw new Error("Connection terminated unexpectedly");
      return result;
    };
    expect(await a.push(APP, [change("main", null, one)])).toEqual({ "refs/heads/main": null });
    expect(await writes(cluster)).toEqual([{ status: "landed", version: "1", drop_reason: null }]);
    await a.expectInLockstep(APP);
  });

  it("is made again when it has not landed", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one] = await a.history(APP);
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
    const [one] = await a.history(APP);
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
      const [one, two] = await a.history(APP);
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
    const [one, two] = await a.history(APP);
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
      difference: Buffer.alloc(32),
      updates: [change("main", null, one)],
    };
    expect(await landWrite(a.context.db, a.context.me, late)).toEqual({ outcome: "dropped" });
    await a.expectInLockstep(APP);
    expect(await a.refs(APP)).toMatchObject({ "refs/heads/main": two });
  });

  it("stays unknown where the disk takes no note of the doubt, and the row becomes final all the same", async () => {
    await using cluster = await TestCluster.make();
    const a = await cluster.start("repo001", { inDoubtMs: 0 });
    await cluster.create(APP, [a]);
    const [one, two] = await a.history(APP);
    await a.push(APP, [change("main", null, one)]);
    const note = join(a.gitDir(APP), "lockstep.version");
    a.onStatement = async (text, run) => {
      if (isBump(text)) {
        await rm(note);
        await mkdir(note);
      }
      if (isBump(text) || isSettle(text)) throw new Error("Connection terminated unexpectedly");
      return await run();
    };
    const failure = await a.push(APP, [change("main", one, two)]).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "OUTCOME_UNKNOWN", details: { write: expect.any(String) } });
    a.onStatement = (_, run) => run();
    await rm(note, { recursive: true });
    await vi.waitFor(async () => expect((await writes(cluster)).at(-1)).toMatchObject({ status: "dropped" }), SOON);
    expect(await a.read(APP)).toMatchObject({ version: 1n });
    await a.expectInLockstep(APP);
  });

  it("a decision whose answer is lost on a device that was taken over lands nothing, and ends the process", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one] = await a.history(APP);
    a.onStatement = async (text, run) => {
      if (isBump(text)) {
        await cluster.sql(
          "select * from lockstep.take_over($1, gen_random_uuid(), (select root_id from lockstep.device where name = $1), '1 minute', '', '', '', '', '')",
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
