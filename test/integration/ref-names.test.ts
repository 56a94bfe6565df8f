// Names are bytes: whatever bytes git takes for a name, the log and every disk have the same ones.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { refPath } from "../../src/io/disk.ts";
import { APP, expectSame, FORMATS, latin1, NAMES, pair, tooOld, writeRef } from "../support/odd-ref-names.ts";
import { ref } from "../support/refs.ts";
import { abortSession, beginSession, bumpSession } from "../support/sessions.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, type TestDevice } from "../support/sync-device.ts";

if (tooOld) console.warn(`Names in reftables are not tested: ${tooOld}.`);
const CASES = FORMATS.flatMap((format) =>
  Object.entries(NAMES).map(([what, name]) => ({ format, what, name: `refs/heads/${name}` })),
);

const begin = (device: TestDevice, live = false) => beginSession(device, APP, { live });

describe.each(CASES)("a name that is $what, where refs are $format", ({ format, name }) => {
  it("lands in a session as the name of a ref, of a symbolic one, as its target, and as that of HEAD", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await pair(cluster, format);
    const one = await a.commit(APP, "one");
    await a.push(APP, [change("main", null, one)]);
    const first = await begin(a);
    await writeRef(first.path, name, one);
    await writeRef(first.path, `${name}-alias/deep`, `ref: ${name}`);
    await writeRef(first.path, "HEAD", `ref: ${name}`);
    expect(await bumpSession(a, APP, first.token)).toMatchObject({ version: 2n, refsChanged: 3 });
    const refs = {
      HEAD: `ref: ${name}`,
      "refs/heads/main": one,
      [name]: one,
      [`${name}-alias/deep`]: `ref: ${name}`,
    };
    await expectSame([a, b], refs);

    // The next one begins with the same bytes, and changes what it changes.
    const second = await begin(b);
    await writeRef(second.path, "HEAD", "ref: refs/heads/main");
    await writeRef(second.path, `${name}-alias/deep`, "ref: refs/heads/main");
    expect(await bumpSession(b, APP, second.token)).toMatchObject({ version: 3n, refsChanged: 2 });
    await expectSame([a, b], { ...refs, HEAD: "ref: refs/heads/main", [`${name}-alias/deep`]: "ref: refs/heads/main" });
  });

  it("is kept where its session is dropped", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await pair(cluster, format);
    const one = await a.commit(APP, "one");
    await a.push(APP, [change("main", null, one)]);
    const session = await begin(a);
    await writeRef(session.path, name, one);
    const kept = name.replace("refs/", `refs/lockstep/dropped/${session.writeId}/`);
    const { savedRefs } = await abortSession(a, APP, session.token, "changed her mind");
    expect(savedRefs).toEqual([ref(kept)]);
    expect(await a.git(APP, ["for-each-ref", "--format=%(refname)", "refs/lockstep/"])).toBe(kept);
    await expectSame([a], { HEAD: "ref: refs/heads/main", "refs/heads/main": one });
  });

  it("is protected by denyDeleteCurrent as the branch of HEAD", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await pair(cluster, format);
    const one = await a.commit(APP, "one");
    await a.push(APP, [change(name, null, one), change(`${name}-2`, null, one)]);
    const session = await begin(a);
    await writeRef(session.path, "HEAD", `ref: ${name}`);
    await bumpSession(a, APP, session.token);
    expect(await a.push(APP, [change(name, one, null), change(`${name}-2`, one, null)])).toEqual({
      [name]: "deletion of the current branch prohibited",
      [`${name}-2`]: null,
    });
    await expectSame([a], { HEAD: `ref: ${name}`, [name]: one });
  });

  it("is told apart from others where git refuses it", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await pair(cluster, format);
    const [one, two] = await a.history(APP);
    const blob = await a.git(APP, ["hash-object", "-w", "--stdin"], "no commit");
    await a.push(APP, [change(name, null, one)]);
    expect(
      await a.push(APP, [
        change(`${name}/below`, null, one),
        change(`${name}-blob`, null, blob),
        change(`${name}-void`, null, "12".repeat(20)),
        change(`${name}-stale`, one, two),
        change(`${name}-good`, null, two),
      ]),
    ).toEqual({
      [`${name}/below`]: "conflicts with an existing ref",
      [`${name}-blob`]: "not a commit",
      [`${name}-void`]: "missing object",
      [`${name}-stale`]: "fetch first",
      [`${name}-good`]: null,
    });
    await a.expectInLockstep(APP);
  });
});

describe("a leftover of a crash or power loss with a name that is not UTF-8", () => {
  it.each([
    ["nothing", ""],
    ["zeros", "\0".repeat(41)],
    ["half an id", "0123456789"],
    ["a null id", "0".repeat(40)],
    ["the beginning of a symbolic ref", "ref: "],
  ])("%s in its file keeps no replica down, nor its neighbours", async (_, content) => {
    await using cluster = await TestCluster.make();
    const [a, b] = await pair(cluster, "files");
    const one = await a.commit(APP, "one");
    await a.push(APP, [change("caf\xe9", null, one), change(latin1("glück"), null, one)]);
    await b.read(APP);
    await b.crash();
    await b.git(APP, ["pack-refs", "--all"]);
    for (const name of ["caf\xe9", latin1("glück"), "new\xff/deep"])
      await writeRef(b.gitDir(APP), `refs/heads/${name}`, "");
    for (const name of ["caf\xe9", latin1("glück"), "new\xff/deep"])
      await writeFile(refPath(b.gitDir(APP), ref(`refs/heads/${name}`)), content);
    await b.git(APP, ["update-ref", "refs/heads/by-hand", one]);
    // Power loss: another boot, so that no note is believed.
    const record = join(b.context.root, ".lockstep", "root.json");
    await writeFile(record, JSON.stringify({ ...JSON.parse(await readFile(record, "utf8")), bootId: "another" }));
    const again = await b.restart();
    await again.read(APP);
    await expectSame([again], {
      HEAD: "ref: refs/heads/main",
      "refs/heads/caf\xe9": one,
      [latin1("refs/heads/glück")]: one,
    });
  });
});

it("a session on the files of the replica itself lands names that are not UTF-8", async () => {
  await using cluster = await TestCluster.make();
  const [a, b] = await pair(cluster, "files");
  const one = await a.commit(APP, "one");
  await a.push(APP, [change("main", null, one), change("old\xe9", null, one)]);
  const session = await begin(a, true);
  expect(session.path).toBe(a.gitDir(APP));
  const alias = "ref: refs/heads/caf\xe9";
  for (const [name, value] of [
    ["refs/heads/caf\xe9", one],
    ["refs/heads/alias\xe9", alias],
    ["HEAD", alias],
  ] as const)
    await writeRef(session.path, name, value);
  expect(await bumpSession(a, APP, session.token)).toMatchObject({ version: 2n, refsChanged: 3 });
  await expectSame([a, b], {
    HEAD: alias,
    "refs/heads/main": one,
    "refs/heads/old\xe9": one,
    "refs/heads/caf\xe9": one,
    "refs/heads/alias\xe9": alias,
  });
});
