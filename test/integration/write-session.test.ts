import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { access, readdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, vi } from "vitest";
import { STATE_DIR } from "../../src/git/root/root-record.ts";
import type { BeginWrite, BegunWrite } from "../../src/sync/session/begin-write.ts";
import { endSessions } from "../../src/sync/session/end-sessions.ts";
import { abortSession, beginSession, bumpSession, renewSession } from "../support/sessions.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

const APP = "team/app";
const run = promisify(execFile);

async function begin(device: TestDevice, options: Partial<BeginWrite> = {}): Promise<BegunWrite> {
  return await beginSession(device, APP, options);
}

const bump = (device: TestDevice, { token }: BegunWrite) => bumpSession(device, APP, token);

/** git in a scratch repository, as its caller runs it. */
async function git({ path }: BegunWrite, ...args: string[]): Promise<string> {
  const names = ["AUTHOR", "COMMITTER"].flatMap((who) => [
    [`GIT_${who}_NAME`, "Grace"],
    [`GIT_${who}_EMAIL`, "grace@example.org"],
  ]);
  const env = { ...process.env, ...Object.fromEntries(names), GIT_DIR: path };
  return (await run("git", args, { env })).stdout.trim();
}

/** Makes a commit in the scratch and points `ref` to it. */
async function commitTo(session: BegunWrite, ref: string, message: string): Promise<string> {
  const tree = await git(session, "hash-object", "-w", "-t", "tree", "/dev/null");
  const id = await git(session, "commit-tree", tree, "-m", message);
  await git(session, "update-ref", ref, id);
  return id;
}

async function scratches(device: TestDevice): Promise<string[]> {
  return await readdir(join(device.context.root, STATE_DIR, "scratch")).catch(() => []);
}

/** Lets the lease of a session run out. */
async function expire(cluster: TestCluster, { writeId }: BegunWrite): Promise<void> {
  await cluster.sql("update lockstep.turn set expires_at = clock_timestamp() - interval '1 ms' where write_id = $1", [
    writeId,
  ]);
}

const turns = (cluster: TestCluster) => cluster.sql("select write_id from lockstep.turn");
const statusOf = async (cluster: TestCluster, { writeId }: BegunWrite) =>
  (await cluster.sql("select status, version, drop_reason from lockstep.write where id = $1", [writeId]))[0];

async function withHistory(cluster: TestCluster): Promise<[TestDevice, TestDevice, string]> {
  const [a, b] = await cluster.pair(APP);
  const one = await a.commit(APP, "one");
  await a.push(APP, [change("main", null, one), change("topic", null, one), change("refs/tags/v1", null, one)]);
  return [a, b, one];
}

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

  it("that is given up keeps its changes below refs/lockstep/dropped/, with their objects", async () => {
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

  it("whose caller died is dropped by whichever device looks, and its own keeps what it changed", async () => {
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

  it("whose sidecar died is dropped at the take-over, kept, and cannot land any more", async () => {
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

  it("of a dead device keeps others waiting for its lease only, and the zombie's bump lands nothing", async () => {
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

describe("the outcome of a session whose bump the database did not confirm", () => {
  it("is found out by asking", async () => {
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
