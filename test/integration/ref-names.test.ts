// Names are bytes: whatever bytes git takes for a name, the log and every disk have the same ones.
import { mkdir, readFile, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { symbolicTo } from "../../src/domain.ts";
import { setSymbolicRef } from "../../src/git/refs/symbolic-refs.ts";
import { refPath } from "../../src/io/disk.ts";
import { verify } from "../../src/sync/operator/verify-replica.ts";
import { gitIsOlderThan } from "../support/programs.ts";
import { ref } from "../support/refs.ts";
import { abortSession, beginSession, bumpSession } from "../support/sessions.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

const APP = "team/app";
const tooOld = gitIsOlderThan(2, 46);
if (tooOld) console.warn(`Names in reftables are not tested: ${tooOld}.`);

/** How the first device stores its refs; the second one always has files. */
const FORMATS = (["files", "reftable"] as const).filter((format) => format === "files" || !tooOld);

const latin1 = (text: string) => Buffer.from(text).toString("latin1");
/** Names as git has them, one character a byte. */
const NAMES = {
  "UTF-8": latin1("glück"),
  "not UTF-8": "caf\xe9",
  "half a character": "a\xe6\x97",
  "no character at all": "\x80\xff\xfe",
  "quoted by git": `it's"${latin1("ß")}`,
};
const CASES = FORMATS.flatMap((format) =>
  Object.entries(NAMES).map(([what, name]) => ({ format, what, name: `refs/heads/${name}` })),
);

async function pair(cluster: TestCluster, refFormat: "files" | "reftable"): Promise<[TestDevice, TestDevice]> {
  const devices: [TestDevice, TestDevice] = [
    await cluster.start("repo001", { refFormat }),
    await cluster.start("repo002"),
  ];
  await cluster.create(APP, devices);
  return devices;
}

const begin = (device: TestDevice, live = false) => beginSession(device, APP, { live });

/** Writes a ref into a bare repository of files as git does, whatever its name. */
async function writeRef(gitDir: string, name: string, value: string): Promise<void> {
  const path = refPath(gitDir, ref(name));
  await mkdir(path.subarray(0, path.lastIndexOf("/")), { recursive: true });
  await writeFile(path, Buffer.from(`${value}\n`, "latin1"));
}

const check = (device: TestDevice) =>
  verify(device.context, APP, { full: false, signal: AbortSignal.timeout(SOON.timeout) });

async function expectSame(devices: readonly TestDevice[], refs: Record<string, string>): Promise<void> {
  for (const device of devices) {
    await device.read(APP);
    expect(await device.refs(APP)).toEqual(refs);
    expect((await check(device)).differences).toEqual([]);
    await device.expectInLockstep(APP);
  }
}

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

describe("a symbolic ref", () => {
  it.each(FORMATS)(
    "takes the place of directories that deleted refs left, and of a packed ref (%s)",
    async (format) => {
      await using cluster = await TestCluster.make();
      const [a, b] = await pair(cluster, format);
      const one = await a.commit(APP, "one");
      await a.push(APP, [change("main", null, one), change("packed", null, one)]);
      if (format === "files") {
        await a.git(APP, ["pack-refs", "--all"]);
        await mkdir(join(a.gitDir(APP), "refs/heads/alias/empty/deep"), { recursive: true });
      }
      const session = await begin(b);
      for (const name of ["alias", "packed"])
        await writeRef(session.path, `refs/heads/${name}`, "ref: refs/heads/main");
      await bumpSession(b, APP, session.token);
      await expectSame([a, b], {
        HEAD: "ref: refs/heads/main",
        "refs/heads/main": one,
        "refs/heads/alias": "ref: refs/heads/main",
        "refs/heads/packed": "ref: refs/heads/main",
      });
    },
  );

  it("may stand for a ref that is not there, with any bytes in both names", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await pair(cluster, "files");
    const session = await beginSession(a, APP);
    await writeRef(session.path, "refs/heads/alias\xe9", "ref: refs/heads/none\xe8");
    expect(await bumpSession(a, APP, session.token)).toMatchObject({ version: 1n, refsChanged: 1 });
    await expectSame([a, b], { HEAD: "ref: refs/heads/main", "refs/heads/alias\xe9": "ref: refs/heads/none\xe8" });
  });

  it("waits for nobody's lock: an old one is broken, a young one is somebody's", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await pair(cluster, "files");
    const lock = join(a.gitDir(APP), "HEAD.lock");
    await writeFile(lock, "");
    const value = symbolicTo(ref("refs/heads/other"));
    const set = () => setSymbolicRef(a.context.git, a.gitDir(APP), ref("HEAD"), value);
    await expect(set()).rejects.toMatchObject({ code: "GIT_FAILED", message: expect.stringContaining("HEAD") });
    await utimes(lock, 0, 0);
    await set();
    expect(await readFile(join(dirname(lock), "HEAD"), "utf8")).toBe("ref: refs/heads/other\n");
    expect(await a.leftovers(APP)).toEqual([]);
  });
});
