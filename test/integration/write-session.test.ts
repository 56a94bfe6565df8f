import { randomUUID } from "node:crypto";
import { access, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { abortSession, bumpSession } from "../support/sessions.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON } from "../support/sync-device.ts";
import { APP, begin, bump, commitTo, git, run, scratches, turns, withHistory } from "../support/writing-sessions.ts";

describe("a write session", () => {
  it("begins with the refs at the head, those pushed elsewhere included", async () => {
    await using cluster = await TestCluster.make();
    const [a, b, one] = await withHistory(cluster);
    const two = await a.commit(APP, "two", { parents: [one] });
    await a.push(APP, [change("main", one, two)]);
    const session = await begin(b);
    expect(session.base).toBe(2n);
    expect(await git(session, "for-each-ref", "--format=%(refname) %(objectname)")).toBe(
      `refs/heads/main ${two}\nrefs/heads/topic ${one}\nrefs/tags/v1 ${one}`,
    );
    expect(await git(session, "symbolic-ref", "HEAD")).toBe("refs/heads/main");
    expect(await git(session, "log", "-1", "--format=%s", "main")).toBe("two");
  });

  it("lands what was created, moved and deleted, and the default branch, as one version with its author", async () => {
    await using cluster = await TestCluster.make();
    const [a, b, one] = await withHistory(cluster);
    const session = await begin(a);
    const two = await commitTo(session, "refs/heads/main", "two");
    await git(session, "update-ref", "refs/heads/new", two);
    await git(session, "update-ref", "-d", "refs/tags/v1");
    await git(session, "symbolic-ref", "HEAD", "refs/heads/new");
    await git(session, "pack-refs", "--all");
    expect(await a.refs(APP)).toMatchObject({ "refs/heads/main": one });
    const landed = await bump(a, session);
    expect(landed).toEqual({ writeId: session.writeId, version: 2n, refsChanged: 4 });
    const expected = {
      HEAD: "ref: refs/heads/new",
      "refs/heads/main": two,
      "refs/heads/new": two,
      "refs/heads/topic": one,
    };
    expect(await a.refs(APP)).toEqual(expected);
    await b.read(APP);
    expect(await b.refs(APP)).toEqual(expected);
    expect(await cluster.sql("select author, device from lockstep.ref_log where version = 2")).toEqual([
      { author: "grace", device: "repo001" },
    ]);
    await Promise.all([a.expectInLockstep(APP), b.expectInLockstep(APP)]);
    expect(await scratches(a)).toEqual([]);
    expect(await turns(cluster)).toEqual([]);
  });

  it("answers a repeated bump as before, however late", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await withHistory(cluster);
    const session = await begin(a);
    await commitTo(session, "refs/heads/main", "two");
    const [first, second] = await Promise.all([bump(a, session), bump(a, session)]);
    expect(second).toEqual(first);
    await a.push(APP, [change("later", null, await a.commit(APP, "later"))]);
    expect(await bump(a, session)).toEqual(first);
    const again = await a.restart();
    expect(await bump(again, session)).toEqual(first);
    await expect(abortSession(again, APP, session.token)).rejects.toMatchObject({ code: "WRITE_DROPPED" });
  });

  it("answers a repeated begin with the same id as before", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await withHistory(cluster);
    const session = await begin(a);
    const two = await commitTo(session, "refs/heads/main", "two");
    const again = await begin(a, { writeId: session.writeId });
    expect(again).toMatchObject({ token: session.token, path: session.path, base: session.base });
    expect(await git(again, "rev-parse", "main")).toBe(two);
    await expect(begin(b, { writeId: session.writeId })).rejects.toMatchObject({ code: "INVALID_REQUEST" });
    expect(await bump(a, again)).toMatchObject({ version: 2n });
    await expect(begin(a, { writeId: session.writeId })).rejects.toMatchObject({ code: "INVALID_REQUEST" });
    expect(await bump(a, again)).toMatchObject({ version: 2n });
  });

  it("lands at the version it began with if it changed nothing", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await withHistory(cluster);
    const session = await begin(a);
    const landed = { writeId: session.writeId, version: 1n, refsChanged: 0 };
    expect(await bump(a, session)).toEqual(landed);
    expect(await bump(a, session)).toEqual(landed);
    expect(await turns(cluster)).toEqual([]);
    await a.expectInLockstep(APP);
  });

  it("keeps pushes of every device out until it lands, and they are told who writes", async () => {
    await using cluster = await TestCluster.make();
    const [a, b, one] = await withHistory(cluster);
    await b.read(APP);
    const session = await begin(a);
    const two = await b.commit(APP, "two", { parents: [one] });
    const said: string[] = [];
    const pushing = b.push(APP, [change("topic", one, two)], { pusher: { say: (text) => said.push(text) } });
    const here = a.push(APP, [change("here", null, one)]);
    await vi.waitFor(() => expect(said.join()).toContain("grace on repo001 (merging, since "), SOON);
    await commitTo(session, "refs/heads/main", "in the session");
    expect(await bump(a, session)).toMatchObject({ version: 2n });
    expect(await pushing).toEqual({ "refs/heads/topic": null });
    expect(await here).toEqual({ "refs/heads/here": null });
    await a.read(APP);
    await b.read(APP);
    await Promise.all([a.expectInLockstep(APP), b.expectInLockstep(APP)]);
  });

  it("waits for the session before it, in the order of arrival, or says who has the turn", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await withHistory(cluster);
    const first = await begin(a);
    await expect(begin(b, { waitMs: 100 })).rejects.toMatchObject({
      code: "TURN_HELD",
      message: expect.stringContaining("grace on repo001 (merging, since "),
      details: { device: "repo001", author: "grace", reason: "merging" },
    });
    const second = begin(b, { author: "ada" });
    await vi.waitFor(async () => expect(await turns(cluster)).toHaveLength(2), SOON);
    const third = begin(a, { author: "mary" });
    await vi.waitFor(async () => expect(await turns(cluster)).toHaveLength(3), SOON);
    const order: string[] = [];
    void second.then(() => order.push("second")).catch(() => {});
    void third.then(() => order.push("third")).catch(() => {});
    await bump(a, first);
    await bump(b, await second);
    await bump(a, await third);
    expect(order).toEqual(["second", "third"]);
  });

  it("is refused where writes are stopped, and one that began before lands until they are stopped for good", async () => {
    await using cluster = await TestCluster.make();
    const [a, b, one] = await withHistory(cluster);
    const session = await begin(a);
    await commitTo(session, "refs/heads/main", "two");
    await cluster.sql("insert into lockstep.write_stop (reason, author) values ('moving house', 'ops')");
    const refusal = { code: "WRITES_STOPPED", message: expect.stringContaining("moving house") };
    await expect(b.push(APP, [change("topic", one, null)])).rejects.toMatchObject(refusal);
    expect(await bump(a, session)).toMatchObject({ version: 2n });
    await expect(begin(b)).rejects.toMatchObject(refusal);
    await cluster.sql("delete from lockstep.write_stop");
    const late = await begin(b);
    await commitTo(late, "refs/heads/late", "late");
    await cluster.sql(
      "insert into lockstep.write_stop (reason, author, includes_staged) values ('moving house', 'ops', true)",
    );
    await expect(bump(b, late)).rejects.toMatchObject({ code: "WRITE_DROPPED" });
    await a.expectInLockstep(APP);
  });

  it("lands nothing where the scratch lacks objects, and says so", async () => {
    await using cluster = await TestCluster.make();
    const [a, , one] = await withHistory(cluster);
    const session = await begin(a);
    const two = await commitTo(session, "refs/heads/main", "two");
    await run("rm", [join(session.path, "objects", two.slice(0, 2), two.slice(2))]);
    await expect(bump(a, session)).rejects.toMatchObject({ code: "WRITE_DROPPED" });
    expect(await a.refs(APP)).toMatchObject({ "refs/heads/main": one });
    await a.expectInLockstep(APP);
  });

  it("lands as a whole or not at all: a branch that leads to no commit drops it", async () => {
    await using cluster = await TestCluster.make();
    const [a, , one] = await withHistory(cluster);
    const session = await begin(a);
    const tree = (await git(session, "rev-parse", `${one}^{tree}`)).trim();
    // Its own git would not.
    await writeFile(join(session.path, "refs/heads/tree"), `${tree}\n`);
    await commitTo(session, "refs/heads/main", "two");
    await expect(bump(a, session)).rejects.toMatchObject({
      code: "WRITE_DROPPED",
      message: expect.stringContaining("not a commit"),
    });
    expect(await a.refs(APP)).toMatchObject({ "refs/heads/main": one, "refs/heads/topic": one });
    await a.expectInLockstep(APP);
  });

  it("lands the rename of a ref into a directory of its own name, and back, as one version", async () => {
    await using cluster = await TestCluster.make();
    const [a, b, one] = await withHistory(cluster);
    const into = await begin(a);
    await git(into, "branch", "-m", "topic", "topic/a");
    expect(await bump(a, into)).toMatchObject({ version: 2n, refsChanged: 2 });
    expect(await a.refs(APP)).toMatchObject({ "refs/heads/topic/a": one });
    await b.read(APP);
    await b.expectInLockstep(APP);
    const out = await begin(b);
    await git(out, "branch", "-m", "topic/a", "topic");
    expect(await bump(b, out)).toMatchObject({ version: 3n, refsChanged: 2 });
    await a.read(APP);
    expect(await a.refs(APP)).toMatchObject({ "refs/heads/topic": one });
    await a.expectInLockstep(APP);
    await b.expectInLockstep(APP);
  });

  it("does not know a token that is wrong, or of another repository", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await withHistory(cluster);
    await cluster.create("other", [a]);
    const session = await begin(a);
    const [writeId] = session.token.split(".");
    for (const token of ["", "x", `${writeId}.${randomUUID()}`, `${"z".repeat(36)}.${"z".repeat(36)}`])
      await expect(bumpSession(a, APP, token)).rejects.toMatchObject({ code: "WRITE_NOT_FOUND" });
    await expect(bumpSession(a, "other", session.token)).rejects.toMatchObject({ code: "WRITE_NOT_FOUND" });
    await access(session.path);
  });
});
