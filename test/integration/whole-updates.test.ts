import { execFile } from "node:child_process";
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { beginSession, bumpSession } from "../support/sessions.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, type TestDevice } from "../support/sync-device.ts";

const APP = "team/app";
const NOBODY_HAS = "1234567890123456789012345678901234567890";
const NOT_WHOLE = "missing necessary objects, push from a clone with the whole history (git fetch --unshallow)";

/** A commit in the objects of a replica whose parent is not there: what a refused push leaves. */
async function halfHere(device: TestDevice): Promise<string> {
  const tree = await device.git(APP, ["mktree"]);
  const person = "Ada <ada@example.com> 1 +0000";
  const content = `tree ${tree}\nparent ${NOBODY_HAS}\nauthor ${person}\ncommitter ${person}\n\nhalf\n`;
  return await device.git(APP, ["hash-object", "-t", "commit", "-w", "--stdin"], content);
}

describe("a push", () => {
  it("lands the refs that are whole, and names each that is not", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    // HEAD has no commit yet: the walk has nowhere to end.
    const one = await a.commit(APP, "one");
    const half = await halfHere(a);
    const updates = Array.from({ length: 40 }, (_, index) =>
      change(`n${index}`, null, index % 13 === 5 ? half : index % 13 === 7 ? NOBODY_HAS : one),
    );
    const report = await a.push(APP, [...updates, change("refs/heads/caf\xe9", null, half)]);
    const reasons = Array.from({ length: 40 }, (_, index) => [
      `refs/heads/n${index}`,
      index % 13 === 5 ? NOT_WHOLE : index % 13 === 7 ? "missing object" : null,
    ]);
    expect(report).toEqual({ ...Object.fromEntries(reasons), "refs/heads/caf\xe9": NOT_WHOLE });
    await b.read(APP);
    await Promise.all([a.expectInLockstep(APP), b.expectInLockstep(APP)]);
  });

  it("is refused as a whole where it is atomic", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const one = await a.commit(APP, "one");
    const updates = [change("main", null, one), change("half", null, await halfHere(a))];
    const report = await a.push(APP, updates, { atomic: true });
    expect(report).toEqual({ "refs/heads/main": "atomic push failure", "refs/heads/half": NOT_WHOLE });
    await a.expectInLockstep(APP);
  });

  it("costs no walk of its own where it moves refs that are there, with any names", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one, two] = await a.history(APP);
    await a.push(APP, [
      change("main", null, one),
      change("caf\xe9", null, one),
      change("refs/tags/caf\xe9", null, one),
    ]);
    await a.gitCommands();
    await a.push(APP, [change("main", one, two), change("refs/tags/caf\xe9", one, two)]);
    expect((await a.gitCommands()).filter((command) => command.startsWith("rev-list"))).toEqual([]);
  });

  it("is not taken in by a name that git takes for the id of an object, where there is no such ref", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const one = await a.commit(APP, "one");
    await a.push(APP, [change("main", null, one)]);
    const half = await halfHere(a);
    const child = await a.commit(APP, "child", { parents: [half] });
    for (const abbreviated of [half, half.slice(0, 12).toUpperCase()]) {
      const described = `refs/heads/v1-g${abbreviated}`;
      const report = await a.push(APP, [change(described, half, one), change("refs/heads/odd", null, child)]);
      expect(report).toEqual({ [described]: "fetch first", "refs/heads/odd": NOT_WHOLE });
    }
    // Such names are as good as others.
    expect(await a.push(APP, [change("v1-gabcdef1", null, one)])).toEqual({ "refs/heads/v1-gabcdef1": null });
    const two = await a.commit(APP, "two", { parents: [one] });
    expect(await a.push(APP, [change("v1-gabcdef1", one, two)])).toEqual({ "refs/heads/v1-gabcdef1": null });
    await b.read(APP);
    await b.expectInLockstep(APP);
  });

  it("may move a ref to a commit that this device has not followed to yet", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const one = await a.commit(APP, "one");
    await b.read(APP);
    await a.push(APP, [change("main", null, one)]);
    expect(await b.push(APP, [change("topic", null, one)])).toEqual({ "refs/heads/topic": null });
    await b.expectInLockstep(APP);
  });
});

describe("a session", () => {
  it("lands nothing that rests on unreferenced objects of the replica, also if it claims to have begun with them", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    await a.push(APP, [change("main", null, await a.commit(APP, "one"))]);
    const half = await halfHere(a);
    const session = await beginSession(a, APP);
    const git = async (...args: string[]) => {
      const names = {
        GIT_COMMITTER_NAME: "G",
        GIT_COMMITTER_EMAIL: "g@x",
        GIT_AUTHOR_NAME: "G",
        GIT_AUTHOR_EMAIL: "g@x",
      };
      const env = { ...process.env, ...names, GIT_DIR: session.path };
      return (await promisify(execFile)("git", args, { env })).stdout.trim();
    };
    const child = await git("commit-tree", await git("rev-parse", `${half}^{tree}`), "-p", half, "-m", "child");
    await git("update-ref", "refs/heads/half", half);
    await git("update-ref", "refs/heads/child", child);
    await appendFile(join(session.path, "lockstep.base"), `${half}\0refs/heads/half\n`);
    await expect(bumpSession(a, APP, session.token)).rejects.toMatchObject({
      code: "WRITE_DROPPED",
      message: expect.stringContaining(`refs/heads/child: ${NOT_WHOLE}`),
    });
    await a.expectInLockstep(APP);
  });
});

describe("a copy", () => {
  it("does not rest on what merely lies on the disk of its device, though a pusher names it", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    await cluster.sql("update lockstep.repository set min_copies = 2");
    const base = await a.commit(APP, "base");
    await a.push(APP, [change("main", null, base)]);
    await b.read(APP);
    // Whole here, and there only its tip: a refused push has left it.
    const [, middle, tip] = await a.history(APP);
    const content = await a.git(APP, ["cat-file", "commit", middle]);
    const tree = await a.git(APP, ["rev-parse", `${middle}^{tree}`]);
    expect(await b.git(APP, ["hash-object", "-t", "commit", "-w", "--stdin"], `${content}\n`)).toBe(middle);
    const report = await a.push(APP, [change("main", middle, base), change("topic", null, tip)]);
    expect(report).toEqual({ "refs/heads/main": "fetch first", "refs/heads/topic": null });
    expect(await b.has(APP, tree)).toBe(true);
    await b.git(APP, ["rev-list", "--objects", "--quiet", tip]);
    await a.crash();
    const after = await b.read(APP);
    expect(after.version).toBe(2n);
    await b.expectInLockstep(APP);
  });

  it("brings only what is new, also while its device is behind", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    await cluster.sql("update lockstep.repository set min_copies = 2");
    const [one, two, three] = await a.history(APP);
    await a.push(APP, [change("main", null, one)]);
    await a.push(APP, [change("main", one, two)]);
    b.packRequests.length = 0;
    await a.push(APP, [change("main", two, three)]);
    expect(b.packRequests).toEqual([{ from: "repo001", wants: [three], haves: [two] }]);
  });
});
