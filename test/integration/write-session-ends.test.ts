// Write sessions that are given up, run out, or lose their caller, their sidecar or the answer.
import { rename } from "node:fs/promises";
import { describe, expect, it, vi } from "vitest";
import { dropExpiredSessions } from "../../src/store/write/sessions.ts";
import { abortWrite } from "../../src/sync/session/abort-write.ts";
import { endScratch, endSessions } from "../../src/sync/session/end-sessions.ts";
import { abortSession, renewSession } from "../support/sessions.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON } from "../support/sync-device.ts";
import {
  APP,
  begin,
  bump,
  commitTo,
  expire,
  git,
  scratches,
  statusOf,
  withHistory,
} from "../support/writing-sessions.ts";

describe("a write session", () => {
  it("a write session that is given up keeps its changes below refs/lockstep/dropped/, with their objects", async () => {
    await using cluster = await TestCluster.make();
    const [a, , one] = await withHistory(cluster);
    const session = await begin(a);
    const two = await commitTo(session, "refs/heads/main", "two");
    await git(session, "update-ref", "-d", "refs/heads/topic");
    const { savedRefs } = await abortSession(a, APP, session.token, "changed my mind");
    const kept = `refs/lockstep/dropped/${session.writeId}/heads/main`;
    expect(savedRefs).toEqual([kept]);
    expect(await a.git(APP, ["rev-parse", kept])).toBe(two);
    await a.git(APP, ["rev-list", "--objects", kept]);
    expect(await a.refs(APP)).toMatchObject({ "refs/heads/main": one, "refs/heads/topic": one });
    expect(await statusOf(cluster, session)).toMatchObject({ status: "dropped", drop_reason: "changed my mind" });
    await expect(bump(a, session)).rejects.toMatchObject({
      code: "WRITE_DROPPED",
      message: expect.stringContaining("changed my mind"),
    });
    await expect(renewSession(a, APP, session.token)).rejects.toMatchObject({ code: "WRITE_DROPPED" });
    expect((await abortSession(a, APP, session.token)).writeId).toBe(session.writeId);
    expect(await scratches(a)).toEqual([]);
    await a.push(APP, [change("topic", one, null)]);
    await a.expectInLockstep(APP);
  });

  it("lives as long as it is renewed, and is dropped when its lease runs out", async () => {
    await using cluster = await TestCluster.make();
    const [a, b, one] = await withHistory(cluster);
    const session = await begin(a);
    expect((await renewSession(a, APP, session.token)).getTime()).toBeGreaterThanOrEqual(session.expiresAt.getTime());
    const two = await commitTo(session, "refs/heads/main", "two");
    await expire(cluster, session);
    await expect(renewSession(a, APP, session.token)).rejects.toMatchObject({ code: "WRITE_DROPPED" });
    // Nobody else came, and still it has lost.
    await expect(bump(a, session)).rejects.toMatchObject({
      code: "WRITE_DROPPED",
      message: expect.stringContaining("lease ran out"),
    });
    expect(await a.git(APP, ["rev-parse", `refs/lockstep/dropped/${session.writeId}/heads/main`])).toBe(two);
    await b.push(APP, [change("topic", one, null)]);
    await a.read(APP);
    await a.expectInLockstep(APP);
  });

  it("a write session whose caller died is dropped by whichever device looks, and its own keeps what it changed", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await withHistory(cluster);
    const session = await begin(a);
    const two = await commitTo(session, "refs/heads/main", "two");
    await expire(cluster, session);
    void endSessions(b.context);
    await vi.waitFor(async () => expect(await statusOf(cluster, session)).toMatchObject({ status: "dropped" }), SOON);
    expect(await scratches(a)).toHaveLength(1);
    void endSessions(a.context);
    await vi.waitFor(async () => expect(await scratches(a)).toEqual([]), SOON);
    expect(await a.git(APP, ["rev-parse", `refs/lockstep/dropped/${session.writeId}/heads/main`])).toBe(two);
    await a.expectInLockstep(APP);
  });

  it("a write session whose sidecar died is dropped at the take-over, kept, and cannot land any more", async () => {
    await using cluster = await TestCluster.make();
    const [a, , one] = await withHistory(cluster);
    const session = await begin(a);
    const two = await commitTo(session, "refs/heads/main", "two");
    await a.crash();
    const again = await a.restart();
    await expect(bump(again, session)).rejects.toMatchObject({ code: "WRITE_DROPPED" });
    // The one who died held up nobody.
    await again.push(APP, [change("topic", one, null)]);
    void endSessions(again.context);
    await vi.waitFor(async () => expect(await scratches(again)).toEqual([]), SOON);
    expect(await again.git(APP, ["rev-parse", `refs/lockstep/dropped/${session.writeId}/heads/main`])).toBe(two);
    await again.expectInLockstep(APP);
  });

  it("keeps its changes if the sidecar ends while it looks at sessions that were dropped", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await withHistory(cluster);
    const session = await begin(a);
    const two = await commitTo(session, "refs/heads/main", "two");
    await expire(cluster, session);
    await dropExpiredSessions(a.context.db);
    const ending = { ...a.context, signal: AbortSignal.abort() };
    await expect(endScratch(ending, session.writeId, APP)).rejects.toThrow("aborted");
    expect(await scratches(a)).toHaveLength(1);
    const kept = `refs/lockstep/dropped/${session.writeId}/heads/main`;
    expect(await endScratch(a.context, session.writeId, APP)).toEqual([kept]);
    expect(await a.git(APP, ["rev-parse", kept])).toBe(two);
    expect(await scratches(a)).toEqual([]);
  });

  it("is dropped by an operator at a device that has no replica of its repository", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = [await cluster.start("repo001"), await cluster.start("repo002")];
    await cluster.create(APP, [a]);
    const session = await begin(a);
    const two = await commitTo(session, "refs/heads/main", "two");
    const call = {
      repository: APP,
      token: "",
      writeId: session.writeId,
      reason: "",
      caller: { role: "operator", name: "olga" } as const,
    };
    for (const _twice of [1, 2])
      expect(await abortWrite(b.context, call)).toEqual({ writeId: session.writeId, savedRefs: [] });
    void endSessions(a.context);
    await vi.waitFor(async () => expect(await scratches(a)).toEqual([]), SOON);
    expect(await a.git(APP, ["rev-parse", `refs/lockstep/dropped/${session.writeId}/heads/main`])).toBe(two);
  });

  it("leaves nothing if it died while its scratch repository was being made", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await withHistory(cluster);
    const { token, path } = await begin(a);
    await rename(path, `${path}.new`);
    await abortSession(a, APP, token);
    expect(await scratches(a)).toHaveLength(1);
    void endSessions(a.context);
    await vi.waitFor(async () => expect(await scratches(a)).toEqual([]), SOON);
  });

  it("a write session of a dead device keeps others waiting for its lease only, and the zombie's bump lands nothing", async () => {
    await using cluster = await TestCluster.make();
    const [a, b, one] = await withHistory(cluster);
    const session = await begin(a);
    await commitTo(session, "refs/heads/main", "two");
    await expire(cluster, session);
    expect(await b.push(APP, [change("topic", one, null)])).toEqual({ "refs/heads/topic": null });
    await expect(bump(a, session)).rejects.toMatchObject({ code: "WRITE_DROPPED" });
    await a.read(APP);
    expect(await a.refs(APP)).toEqual({ HEAD: "ref: refs/heads/main", "refs/heads/main": one, "refs/tags/v1": one });
    await a.expectInLockstep(APP);
  });
});

describe("the outcome of a session whose bump the database did not confirm", () => {
  it("the outcome of a bump that the database did not confirm is found out by asking", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await withHistory(cluster);
    const session = await begin(a);
    await commitTo(session, "refs/heads/main", "two");
    a.onStatement = async (text, statement) => {
      const answer = await statement();
      if (text.includes("lockstep.bump(")) throw new Error("the connection broke");
      return answer;
    };
    expect(await bump(a, session)).toMatchObject({ version: 2n });
    a.onStatement = (_, statement) => statement();
    expect(await bump(a, session)).toMatchObject({ version: 2n, refsChanged: 1 });
    await a.expectInLockstep(APP);
  });
});
