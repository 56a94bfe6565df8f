// When an undo is refused.
import { describe, expect, it } from "vitest";
import { undoVersion } from "../../src/sync/undo/undo-version.ts";
import { loseWrites } from "../support/lose-writes.ts";
import { beginSession } from "../support/sessions.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change } from "../support/sync-device.ts";
import { APP, ask, expectEverywhere, head, landed, undo, withMistakes } from "../support/undoing.ts";

describe("undo is refused, and nothing is changed,", () => {
  it("if a ref has changed again since: each one is listed with its value then and now", async () => {
    await using cluster = await TestCluster.make();
    const { a, one, two, forced } = await withMistakes(cluster);
    await landed(a, change("main", forced, one));
    await expect(ask(a, 2)).rejects.toMatchObject({
      code: "UNDO_REFUSED",
      message: expect.stringContaining(`refs/heads/main was set to ${forced} and is now ${one}`),
      details: { repository: APP, version: "2", refs: "refs/heads/main" },
    });
    // One conflict among several refs refuses all.
    await landed(a, change("topic", null, one));
    await expect(ask(a, 1)).rejects.toMatchObject({
      code: "UNDO_REFUSED",
      details: { refs: "refs/heads/main refs/heads/topic" },
    });
    await landed(a, change("main", one, two));
    await expect(ask(a, 1)).rejects.toMatchObject({ code: "UNDO_REFUSED", details: { refs: "refs/heads/topic" } });
    expect(await head(cluster)).toBe("6");
  });

  it("if a ref changes between the plan and the yes, also at the last moment", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, one, forced } = await withMistakes(cluster);
    const { confirmation } = await ask(a, 2);
    a.onStatement = async (text, call) => {
      if (!text.includes("stage_write")) return await call();
      a.onStatement = (_, rest) => rest();
      await landed(b, change("main", forced, one));
      return await call();
    };
    await expect(ask(a, 2, confirmation)).rejects.toMatchObject({
      code: "WRITE_DROPPED",
      message: expect.stringContaining("refs/heads/main: fetch first"),
    });
    await expectEverywhere([a, b], { "refs/heads/main": one });
    expect(await cluster.sql("select * from lockstep.audit")).toEqual([]);
    await expect(ask(a, 3, confirmation)).rejects.toMatchObject({ code: "WRITE_DROPPED" });
  });

  it("if it has been undone already", async () => {
    await using cluster = await TestCluster.make();
    const { a } = await withMistakes(cluster);
    await undo(a, 3);
    await expect(ask(a, 3)).rejects.toMatchObject({
      code: "UNDO_REFUSED",
      message: expect.stringContaining("has its earlier value again"),
    });
  });

  it("if another ref has taken the place of one of its refs", async () => {
    await using cluster = await TestCluster.make();
    const { a, two } = await withMistakes(cluster);
    await landed(a, change("topic/a", null, two));
    await expect(ask(a, 3)).rejects.toMatchObject({
      code: "UNDO_REFUSED",
      message: expect.stringContaining("refs/heads/topic: conflicts with an existing ref"),
      details: { refs: "refs/heads/topic" },
    });
  });

  it("if there is no such version, or the log no longer has it", async () => {
    await using cluster = await TestCluster.make();
    const { a } = await withMistakes(cluster);
    await expect(ask(a, 9)).rejects.toMatchObject({
      code: "UNDO_REFUSED",
      message: expect.stringMatching(/version 3/),
    });
    await cluster.sql("update lockstep.repository set log_base = 2");
    await cluster.sql("delete from lockstep.ref_log where version <= 2");
    await expect(ask(a, 2)).rejects.toMatchObject({
      code: "UNDO_REFUSED",
      message: expect.stringContaining("begins after version 2"),
    });
  });

  it("an undo is refused while writes are stopped", async () => {
    await using cluster = await TestCluster.make();
    const { a } = await withMistakes(cluster);
    await cluster.sql("insert into lockstep.write_stop (reason, author) values ('maintenance', 'olga')");
    await expect(ask(a, 2)).rejects.toMatchObject({ code: "WRITES_STOPPED" });
  });

  it("while another write has the turn, after a wait that ends with its caller", async () => {
    await using cluster = await TestCluster.make();
    const { a, b } = await withMistakes(cluster);
    await beginSession(b, APP, { reason: "import" });
    const { confirmation } = await ask(a, 2);
    const caller = new AbortController();
    const waiting = undoVersion(a.context, {
      repository: APP,
      version: 2n,
      confirmation,
      author: "olga",
      reason: "",
      signal: caller.signal,
    });
    const waits = async () =>
      (await cluster.sql("select 1 from lockstep.turn where author = 'olga' and reason = 'undo of version 2'")).length;
    while ((await waits()) === 0);
    caller.abort();
    await expect(waiting).rejects.toMatchObject({ code: "WRITE_DROPPED" });
    expect(await head(cluster)).toBe("3");
  });

  it("if the database lost the version: the repository is stopped", async () => {
    await using cluster = await TestCluster.make();
    const { a } = await withMistakes(cluster);
    await loseWrites(cluster, APP, 2n);
    await expect(ask(a, 2)).rejects.toMatchObject({ code: "AHEAD_OF_DATABASE" });
  });
});
