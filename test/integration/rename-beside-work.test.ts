// A repository gets another name beside pushes, sessions and packs that are under way.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { followName } from "../../src/sync/place/follow-name.ts";
import { endSessions } from "../../src/sync/session/end-sessions.ts";
import { APP, pushed, renameOnly, SHOP } from "../support/renaming.ts";
import { abortSession, beginSession } from "../support/sessions.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON } from "../support/sync-device.ts";

describe("a repository that is renamed", () => {
  it("sends objects from the old place to a device that has moved already", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, one } = await pushed(cluster);
    const two = await a.commit(APP, "two", { parents: [one] });
    await a.push(APP, [change("main", one, two)]);
    await renameOnly(b, APP, SHOP);
    // A new incarnation of the source, which has touched nothing.
    await a.restart();
    expect(await b.read(SHOP)).toMatchObject({ version: 2n });
    await b.expectInLockstep(SHOP);
    expect(existsSync(a.gitDir(APP))).toBe(true);
  });

  it("lands a push that was under way, by either name", async () => {
    await using cluster = await TestCluster.make();
    const { a, one } = await pushed(cluster);
    const two = await a.commit(APP, "two", { parents: [one] });
    const three = await a.commit(APP, "three", { parents: [two] });
    await renameOnly(a, APP, SHOP);
    // The hook looked before the directory moved.
    expect(await a.push(APP, [change("main", one, two)])).toEqual({ "refs/heads/main": null });
    await followName(a.context, a.replica(APP));
    // It looked afterwards.
    expect(await a.push(SHOP, [change("main", two, three)])).toEqual({ "refs/heads/main": null });
    await a.expectInLockstep(SHOP);
    // The sidecar moved in between: refused in words, with the new name.
    const late = await a.commit(SHOP, "late", { parents: [three] });
    await expect(a.push(APP, [change("main", three, late)])).rejects.toMatchObject({
      details: { renamed_to: SHOP },
    });
    await a.expectInLockstep(SHOP);
  });

  it("lands a push that lost a race before the directory moved", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, one } = await pushed(cluster);
    const two = await b.commit(APP, "two", { parents: [one] });
    await b.push(APP, [change("main", one, two)]);
    const side = await a.commit(APP, "side", { parents: [one] });
    // As after a start: the next write is staged.
    a.replica(APP).digestKey = undefined;
    let moved = false;
    a.onStatement = async (text, run) => {
      const answer = await run();
      if (text.includes("lockstep.stage_write") && !moved) {
        moved = true;
        await renameOnly(b, APP, SHOP);
        a.onStatement = (_, next) => next();
      }
      return answer;
    };
    expect(await a.push(APP, [change("side", null, side)])).toEqual({ "refs/heads/side": null });
    await a.read(SHOP);
    await a.expectInLockstep(SHOP);
  });

  it("is not renamed while a session is open, and keeps the changes of one that is over under its new name", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, one } = await pushed(cluster);
    const { token, path, writeId } = await beginSession(a, APP);
    await expect(renameOnly(b, APP, SHOP)).rejects.toMatchObject({
      code: "TURN_HELD",
      message: expect.stringMatching(/grace on repo001: merging/),
    });
    await a.git(join("..", "..", path.slice(0, -".git".length)), ["--version"]).catch(() => {});
    const { execFileSync } = await import("node:child_process");
    execFileSync("git", ["update-ref", "refs/heads/web", one], { env: { ...process.env, GIT_DIR: path } });
    // The device dies; somebody else drops its session, and renames.
    await a.crash();
    await cluster.sql(
      "update lockstep.write set status = 'dropped', decided_at = now(), drop_reason = 'test' where id = $1",
      [writeId],
    );
    await renameOnly(b, APP, SHOP);
    const next = await a.restart();
    void endSessions(next.context);
    await vi.waitFor(() => expect(existsSync(path)).toBe(false), SOON);
    const kept = await next.git(SHOP, ["for-each-ref", "--format=%(objectname)", "refs/lockstep/dropped"]);
    expect(kept).toBe(one);
    expect(token).not.toBe("");
  });

  it("waits until a session on its files has ended", async () => {
    await using cluster = await TestCluster.make();
    const { a } = await pushed(cluster);
    const { token } = await beginSession(a, APP, { live: true });
    await cluster.sql("update lockstep.write set session = false, token_hash = null, caller = null where session");
    await renameOnly(a, APP, SHOP);
    await expect(followName(a.context, a.replica(APP))).rejects.toMatchObject({ code: "REPLICA_IN_DOUBT" });
    expect(existsSync(a.gitDir(APP))).toBe(true);
    await abortSession(a, APP, token).catch(() => {});
  });
});
