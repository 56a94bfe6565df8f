// A ref that lands is one that every device can hold. What some disk could not hold is refused before anything is staged, whoever makes it.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT_LIMIT } from "../../src/git/root/root-names.ts";
import { type ThawAction, thaw } from "../../src/sync/operator/thaw.ts";
import { verify } from "../../src/sync/operator/verify-replica.ts";
import { loseWrites } from "../support/lose-writes.ts";
import { abortSession, beginSession, bumpSession } from "../support/sessions.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";
import { log, writes } from "../support/write-rows.ts";

const APP = "team/app";
const utf8 = (text: string) => Buffer.from(text).toString("latin1");

/** Bytes that a name may have, none of which is the next one's. */
function noise(length: number): string {
  const allowed = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)).filter(
    // The last two begin a character that turns the direction of text.
    (each) => each > " " && !"\x7f~^:?*[\\./@{\xd8\xe2".includes(each),
  );
  return Array.from({ length }, () => allowed[Math.floor(Math.random() * allowed.length)]).join("");
}

/** A name of so many bytes, in parts of at most 240. */
function sized(bytes: number): string {
  const parts = `refs/heads/${noise(bytes).replace(/(.{239})./gs, "$1/")}`;
  return parts.slice(0, bytes).replace(/\/$/, "z");
}

const LONG = "name of more than 1000 bytes";
const LONG_PART = "part of the name of more than 240 bytes";
const TURNED = "name with a character that changes the direction of text";
const OURS = "refs/lockstep/ belongs to Lockstep";

const UNACCEPTABLE: [string, string, string][] = [
  ["a name of 1,001 bytes", sized(1_001), LONG],
  ["a name of 2,800 random bytes", sized(2_800), LONG],
  ["a name of 4,500 bytes", sized(4_500), LONG],
  ["a part of 241 bytes", `refs/heads/${"x".repeat(241)}`, LONG_PART],
  ["a part of 255 bytes below others", `refs/tags/a/${"ü".repeat(127)}x/b`.replaceAll("ü", utf8("ü")), LONG_PART],
  ["one level", "refs/stash", "funny refname"],
  ["the directory of all branches", "refs/heads", "funny refname"],
  ["a turned name", utf8("refs/heads/\u202eniam"), TURNED],
  ["Lockstep's own directory", "refs/lockstep", OURS],
];

/** Names at the limits of what is taken. */
const ACCEPTABLE = {
  long: sized(1_000),
  parts: `refs/heads/${"x".repeat(240)}/${"y".repeat(240)}`,
  bytes: `refs/heads/${noise(240)}`,
};

async function withMain(cluster: TestCluster): Promise<{ a: TestDevice; b: TestDevice; one: string; two: string }> {
  const [a, b] = await cluster.pair(APP);
  const [one, two] = await a.history(APP);
  await a.push(APP, [change("main", null, one)]);
  return { a, b, one, two };
}

describe("a push of refs that some device could not hold", () => {
  it("is refused ref by ref, in words, and the others land", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, one, two } = await withMain(cluster);
    const bad = UNACCEPTABLE.map(([, name]) => change(name, null, two));
    const report = await a.push(APP, [change("main", one, two), ...bad, change("new", null, two)]);
    expect(report).toEqual({
      "refs/heads/main": null,
      "refs/heads/new": null,
      ...Object.fromEntries(UNACCEPTABLE.map(([, name, why]) => [name, why])),
    });
    expect(await log(cluster)).toHaveLength(2);
    await b.read(APP);
    for (const device of [a, b]) await device.expectInLockstep(APP);
  });

  it("is refused whole with --atomic, and stages nothing", async () => {
    await using cluster = await TestCluster.make();
    const { a, one, two } = await withMain(cluster);
    const before = await writes(cluster);
    for (const [, name, why] of UNACCEPTABLE) {
      const report = await a.push(APP, [change("main", one, two), change(name, null, two)], { atomic: true });
      expect(report).toEqual({ "refs/heads/main": "atomic push failure", [name]: why });
    }
    expect(await writes(cluster)).toEqual(before);
  });

  it("has one that should not be there deleted, were it there", async () => {
    await using cluster = await TestCluster.make();
    const { a, one } = await withMain(cluster);
    for (const [, name, why] of UNACCEPTABLE.filter(([, , reason]) => reason !== OURS))
      expect(await a.push(APP, [change(name, one, null)]), why).toEqual({ [name]: "fetch first" });
    expect(await a.push(APP, [change("refs/lockstep", one, null)])).toEqual({ "refs/lockstep": OURS });
    await a.expectInLockstep(APP);
  });
});

describe("a session that makes a ref which some device could not hold", () => {
  it.each(UNACCEPTABLE)("%s: is dropped with the reason, and keeps what it made", async (_, name, why) => {
    await using cluster = await TestCluster.make();
    const { a, one, two } = await withMain(cluster);
    const session = await beginSession(a, APP);
    // By hand: no git makes some of them.
    const packed = join(session.path, "packed-refs");
    const lines = [`${two} refs/heads/good`, `${two} ${name}`];
    await writeFile(packed, Buffer.from(`${(await readFile(packed, "latin1")) + lines.join("\n")}\n`, "latin1"));
    await expect(bumpSession(a, APP, session.token)).rejects.toMatchObject({
      code: "WRITE_DROPPED",
      message: expect.stringContaining(why),
    });
    const { savedRefs } = await abortSession(a, APP, session.token);
    expect(savedRefs).toHaveLength(2);
    const kept = await a.git(APP, ["for-each-ref", "--format=%(objectname)", "refs/lockstep/dropped/"]);
    expect(kept.split("\n")).toEqual([two, two]);
    expect(await a.refs(APP)).toEqual({ HEAD: "ref: refs/heads/main", "refs/heads/main": one });
    await a.expectInLockstep(APP);
    expect(await a.push(APP, [change("main", one, two)])).toEqual({ "refs/heads/main": null });
  });

  it.each(UNACCEPTABLE)("%s: neither HEAD nor another ref may stand for it", async (_, name, why) => {
    await using cluster = await TestCluster.make();
    const { a } = await withMain(cluster);
    for (const pointing of ["HEAD", "refs/heads/alias"]) {
      const session = await beginSession(a, APP);
      await writeFile(join(session.path, pointing), Buffer.from(`ref: ${name}\n`, "latin1"));
      await expect(bumpSession(a, APP, session.token)).rejects.toMatchObject({
        message: expect.stringContaining(`stands for: ${why}`),
      });
    }
    await a.expectInLockstep(APP);
  });
});

describe("thaw --promote of a disk with a ref that others could not hold", () => {
  it.each(UNACCEPTABLE.filter(([what]) => !/4,500|255|directory/.test(what)))(
    "%s: says which and what to do, and goes on once it is gone",
    async (_, name, why) => {
      await using cluster = await TestCluster.make();
      const { a, b, one, two } = await withMain(cluster);
      await a.push(APP, [change("main", one, two)]);
      await b.read(APP);
      await loseWrites(cluster, APP, 1n);
      await expect(b.read(APP)).rejects.toMatchObject({ code: "AHEAD_OF_DATABASE" });
      const packed = join(b.gitDir(APP), "packed-refs");
      const before = await readFile(packed, "latin1").catch(() => "");
      await writeFile(packed, Buffer.from(`${before}${two} ${name}\n`, "latin1"));
      const action: ThawAction = { promote: b.name };
      const ask = (confirmation = "") =>
        thaw(b.context, {
          repository: APP,
          action,
          confirmation,
          author: "olga",
          signal: AbortSignal.timeout(SOON.timeout),
        });
      await expect(ask()).rejects.toMatchObject({ code: "THAW_REFUSED", message: expect.stringContaining(why) });
      await writeFile(packed, before);
      const { confirmation } = await ask();
      expect(await ask(confirmation)).toMatchObject({ done: true });
      await b.read(APP);
      expect(await b.refs(APP)).toEqual({ HEAD: "ref: refs/heads/main", "refs/heads/main": two });
    },
  );
});

describe("the longest names, in a repository with the longest name, below the longest root", () => {
  it("land and are followed, from a short root to a long one and back, and are kept when they are lost", async () => {
    await using cluster = await TestCluster.make();
    const repository = "r".repeat(200);
    const [a, b] = [await cluster.start("repo001"), await cluster.start("repo002", { rootBytes: ROOT_LIMIT })];
    expect(Buffer.byteLength(b.context.root)).toBe(ROOT_LIMIT);
    await cluster.create(repository, [a, b]);
    const one = await a.commit(repository, "one");
    const two = await b.commit(repository, "two");
    const three = await b.commit(repository, "three");
    const { long, parts, bytes } = ACCEPTABLE;
    const names = [long, parts, bytes];
    expect(
      await a.push(
        repository,
        names.map((name) => change(name, null, one)),
      ),
    ).toEqual(Object.fromEntries(names.map((name) => [name, null])));
    await b.read(repository);
    expect(
      await b.push(
        repository,
        names.map((name) => change(name, one, two)),
      ),
    ).toMatchObject({ [long]: null });
    const session = await beginSession(b, repository);
    await b.git(repository, ["--git-dir", session.path, "pack-refs", "--all"]);
    const packed = join(session.path, "packed-refs");
    await writeFile(packed, (await readFile(packed, "latin1")).replaceAll(two, three), "latin1");
    await abortSession(b, repository, session.token);
    const saved = await b.git(repository, ["for-each-ref", "--format=%(refname)", "refs/lockstep/dropped/"]);
    expect(saved.split("\n").sort()).toEqual(
      names.map((name) => name.replace("refs/", `refs/lockstep/dropped/${session.writeId}/`)).sort(),
    );
    // A hand changes one on the long disk: verify keeps what it found, below a name that is longer still.
    const id = await b.commit(repository, "by hand");
    await b.git(repository, ["update-ref", "--stdin", "-z"], Buffer.from(`update ${long}\0${id}\0\0`, "latin1"));
    const found = await verify(b.context, repository, { full: false, signal: AbortSignal.timeout(SOON.timeout) });
    expect(found).toMatchObject({ failure: null, differences: [{ onDisk: id }] });
    expect(await b.git(repository, ["for-each-ref", "--format=%(objectname)", "refs/lockstep/lost/"])).toBe(id);
    await a.read(repository);
    for (const device of [a, b]) await device.expectInLockstep(repository);
  });
});
