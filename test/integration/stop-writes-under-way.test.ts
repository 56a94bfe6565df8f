// Writes and sessions that are under way when an operator stops writes.
import { randomUUID } from "node:crypto";
import { describe, expect, it, vi } from "vitest";
import { listWriteStops } from "../../src/store/write/write-stops.ts";
import { stageWrite } from "../../src/store/write/writes.ts";
import { latch } from "../support/latch.ts";
import { abortSession, bumpSession } from "../support/sessions.ts";
import {
  allow,
  beforePush,
  begin,
  cluster,
  head,
  lockTable,
  makeStoppable,
  one,
  push,
  repository,
  stop,
  two,
  untilBlocked,
} from "../support/stopping-writes.ts";
import { change, SOON } from "../support/sync-device.ts";

makeStoppable();

describe("a write that is under way when writes are stopped", () => {
  it("lands, and is waited for and named until it has", async () => {
    const waits: string[][] = [];
    const { opened: mayDecide, open: decide } = latch();
    one.onStatement = async (text, run) => {
      if (text.includes("lockstep.bump(")) await mayDecide;
      return await run();
    };
    const pushed = push(one);
    await vi.waitFor(async () => expect(await one.staged()).toHaveLength(1), SOON);
    const [staged] = await one.staged();
    const stopped = stop({ tell: (waitingFor) => waits.push(waitingFor.map(({ id }) => id)) });
    await vi.waitFor(() => expect(waits).toEqual([[staged]]), SOON);
    decide();
    expect(await stopped).toEqual([]);
    expect(waits).toEqual([[staged], []]);
    await pushed;
    expect(await head()).toBe(1n);
  });

  it("does not land after all is said to be stopped, where its row was still being made", async () => {
    await using table = await lockTable("lockstep.write");
    const commit = await one.commit(repository, "overlooked");
    const pushed = one.push(repository, [change("main", null, commit)]);
    pushed.catch(() => {});
    // It has asked whether writes are stopped, and they were not.
    await untilBlocked("stage_write");
    expect(await stop()).toEqual([]);
    await table[Symbol.asyncDispose]();
    await expect(pushed).rejects.toMatchObject({ code: "WRITES_STOPPED", details: { reason: "upgrade" } });
    expect(await head()).toBe(0n);
    await allow(repository);
    await one.expectInLockstep(repository);
  });

  it("is waited for at the end as well, where its decision began before staged writes were stopped", async () => {
    await using table = await lockTable("lockstep.ref_log");
    const pushed = push(one);
    await untilBlocked("bump");
    // As if its device were down: nobody waits for it before.
    await cluster.sql("update lockstep.device set expires_at = '-infinity' where name = $1", [one.name]);
    // All repositories: the lock of a single one would not even be made before that bump has ended.
    const stopped = stop({ names: [] });
    await untilBlocked("settle_write");
    expect(await listWriteStops(two.context.db)).toMatchObject([{ repository: null, includesStaged: true }]);
    await table[Symbol.asyncDispose]();
    expect(await stopped).toEqual([]);
    await pushed;
    expect(await head()).toBe(1n);
  });

  it("is dropped where its device is down, and does not land when that comes back", async () => {
    const three = await cluster.start("repo003");
    await cluster.addReplica(repository, three);
    const { replica } = await three.read(repository);
    const writeId = randomUUID();
    const row = { writeId, repositoryId: replica.id, base: 0n, author: "ada", names: [] };
    expect(await stageWrite(three.context.db, three.context.me, row)).toMatchObject({ outcome: "staged" });
    await three.stop();
    expect(await stop()).toMatchObject([{ id: writeId, device: "repo003", author: "ada" }]);
    expect(await cluster.sql("select status, drop_reason from lockstep.write where id = $1", [writeId])).toEqual([
      { status: "dropped", drop_reason: "writes were stopped (upgrade) before it was decided" },
    ]);
    expect(await head()).toBe(0n);
  });
});

describe("a write session that is open when writes are stopped", () => {
  it("is waited for as long as told, then named; new writes stay refused, and it may still land", async () => {
    const commit = await push(one);
    const session = await begin();
    const holder = { write: session.writeId, repository, device: "repo001", author: "ada", reason: "import" };
    await expect(stop({ waitMs: 0 })).rejects.toMatchObject({
      code: "WRITES_UNDER_WAY",
      message: expect.stringMatching(/still being written by ada on repo001 \(import\), since 20/),
      details: holder,
    });
    expect(await listWriteStops(two.context.db)).toMatchObject([{ repository, includesStaged: false }]);
    await expect(beforePush(one)).rejects.toMatchObject({ code: "WRITES_STOPPED" });
    const stopped = stop();
    await one.git(repository, ["--git-dir", session.path, "update-ref", "refs/heads/imported", commit]);
    expect(await bumpSession(one, repository, session.token)).toMatchObject({ version: 2n, refsChanged: 1 });
    expect(await stopped).toEqual([]);
  });

  it("is waited for no longer than the caller of the stop waits", async () => {
    const session = await begin();
    const gone = new AbortController();
    const stopped = stop({ signal: gone.signal, tell: () => gone.abort() });
    await expect(stopped).rejects.toMatchObject({ code: "WRITES_UNDER_WAY", details: { write: session.writeId } });
    await abortSession(one, repository, session.token);
  });

  it("does not keep an operator from allowing writes, which ends the stop with an error", async () => {
    const session = await begin();
    const { opened: waiting, open: told } = latch();
    const stopped = stop({ tell: told });
    stopped.catch(() => {});
    await waiting;
    await allow(repository);
    await bumpSession(one, repository, session.token);
    await expect(stopped).rejects.toMatchObject({ code: "WRITES_NOT_STOPPED" });
    await push(one);
  });
});
