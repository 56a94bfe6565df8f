// Files that are no refs lie among the refs of a replica, as file managers, editors and synchronisers leave them.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, vi } from "vitest";
import { describe as describeError } from "../../src/errors.ts";
import { lookThrough } from "../../src/sync/catch-up/patrol.ts";
import { verify } from "../../src/sync/operator/verify-replica.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

const APP = "team/app";
const run = promisify(execFile);

async function site(cluster: TestCluster) {
  const [a, b] = await cluster.pair(APP);
  const [one, two] = await a.history(APP);
  await a.push(APP, [change("main", null, one), change("topic/x", null, one)]);
  await b.read(APP);
  return { a, b, one, two, heads: join(a.gitDir(APP), "refs", "heads") };
}

const check = ({ context }: TestDevice) =>
  verify(context, APP, { full: false, signal: AbortSignal.timeout(SOON.timeout) });

/** What lies aside, by the paths that it had in the replica. */
async function aside({ context, ...device }: TestDevice): Promise<string[]> {
  const { id } = context.replicas.findByName(APP)!;
  const places = join(context.root, ".lockstep", "foreign", id);
  const [place] = await readdir(places).catch(() => []);
  if (place === undefined) throw new Error(`nothing of ${device.name} lies aside`);
  const found = await readdir(join(places, place), { recursive: true, withFileTypes: true, encoding: "utf8" });
  return found
    .filter((each) => !each.isDirectory())
    .map((each) => relative(join(places, place), join(each.parentPath, each.name)))
    .sort();
}

async function listenOnce(path: string): Promise<void> {
  const server = createServer().listen(path);
  await vi.waitFor(() => expect(server.listening).toBe(true), SOON);
  // Its file would go with it.
  server.unref();
}

const STRANGE: [string, string[], (heads: string) => Promise<unknown>][] = [
  ["a copy with a space in its name", ["main 2"], (heads) => copyFile(join(heads, "main"), join(heads, "main 2"))],
  ["a copy with a tilde", ["main~"], (heads) => copyFile(join(heads, "main"), join(heads, "main~"))],
  ["a file of a file manager", [".DS_Store"], (heads) => writeFile(join(heads, ".DS_Store"), "\0\0\0\x01Bud1")],
  [
    "a file with the name of a ref that holds none",
    ["main.bak"],
    (heads) => writeFile(join(heads, "main.bak"), "junk\n"),
  ],
  ["an empty file", ["empty"], (heads) => writeFile(join(heads, "empty"), "")],
  ["a link to a file", ["link"], (heads) => symlink("main", join(heads, "link"))],
  ["a link to its own directory", ["loop"], (heads) => symlink(".", join(heads, "loop"))],
  ["a pipe", ["pipe"], (heads) => run("mkfifo", [join(heads, "pipe")])],
  [
    "a directory with a name that no ref has",
    ["a b/main"],
    async (heads) => {
      await mkdir(join(heads, "a b"));
      await copyFile(join(heads, "main"), join(heads, "a b", "main"));
    },
  ],
  [
    "a directory where a ref should be",
    ["main/notes (1)"],
    async (heads) => {
      await rm(join(heads, "main"));
      await mkdir(join(heads, "main"));
      await writeFile(join(heads, "main", "notes (1)"), "junk");
    },
  ],
  [
    "a file where a directory should be",
    ["topic"],
    async (heads) => {
      await rm(join(heads, "topic"), { recursive: true });
      await writeFile(join(heads, "topic"), "junk");
    },
  ],
];

describe("among the refs of a replica", () => {
  it.each(STRANGE)("%s is moved aside by the next read", async (_, names, put) => {
    await using cluster = await TestCluster.make();
    const { a, heads } = await site(cluster);
    await put(heads);
    await a.read(APP);
    await a.expectInLockstep(APP);
    expect(await aside(a)).toEqual(names.map((name) => `refs/heads/${name}`));
    expect(await a.git(APP, ["rev-list", "--all", "--not", "--all"])).toBe("");
    expect(a.logged).toContainEqual(expect.objectContaining({ msg: "moved aside files that are no refs" }));
  });

  it.each(STRANGE)("%s is told of by verify, and moved aside", async (_, names, put) => {
    await using cluster = await TestCluster.make();
    const { a, heads } = await site(cluster);
    await put(heads);
    const found = await check(a);
    expect(found).toMatchObject({ failure: null });
    const told = names.map((name) =>
      `refs/heads/${name}`.replace(/\/main$/, (rest) => (name === "a b/main" ? "" : rest)),
    );
    expect(found.damage.map((each) => each.replace(/ \([^()]*(\([^()]*\))?[^()]*\)$/, ""))).toEqual(told);
    await a.expectInLockstep(APP);
    expect(await check(a)).toMatchObject({ differences: [], damage: [], failure: null });
  });

  it("a socket among the refs is moved aside", async () => {
    await using cluster = await TestCluster.make();
    const { a, heads } = await site(cluster);
    const path = join("/tmp", `ls-${createHash("sha1").update(cluster.dir).digest("hex").slice(0, 8)}`);
    await symlink(heads, path);
    await listenOnce(join(path, "socket"));
    await rm(path);
    await a.read(APP);
    expect(await aside(a)).toEqual(["refs/heads/socket"]);
    await a.expectInLockstep(APP);
  });

  it("verify finds deeper files, with names that are not UTF-8", async () => {
    await using cluster = await TestCluster.make();
    const { a, heads } = await site(cluster);
    await writeFile(Buffer.concat([Buffer.from(`${heads}/topic/caf`), Buffer.from([0xe9, 0x20])]), "junk");
    expect((await check(a)).damage).toEqual([
      expect.stringMatching(/^refs\/heads\/topic\/caf\\xe9 {2}\(not the name of a ref\)$/),
    ]);
    await a.expectInLockstep(APP);
  });

  it("the patrol after a read finds deeper files", async () => {
    await using cluster = await TestCluster.make();
    const { a, heads } = await site(cluster);
    await copyFile(join(heads, "topic", "x"), join(heads, "topic", "x~"));
    await a.read(APP);
    await lookThrough(a.context);
    expect(await aside(a)).toEqual(["refs/heads/topic/x~"]);
    await a.expectInLockstep(APP);
    // Nobody has read since.
    await copyFile(join(heads, "topic", "x"), join(heads, "topic", "x~"));
    await lookThrough(a.context);
    expect(await readdir(join(heads, "topic"))).toContain("x~");
  });

  it("lock files and what other files hold are left alone", async () => {
    await using cluster = await TestCluster.make();
    const { a, heads, one } = await site(cluster);
    await writeFile(join(heads, "other.lock"), "");
    await a.git(APP, ["update-ref", "refs/lockstep/dropped/x/heads/main", one]);
    await a.read(APP);
    expect(await readdir(heads)).toContain("other.lock");
    await rm(join(heads, "other.lock"));
    expect(await a.git(APP, ["rev-parse", "refs/lockstep/dropped/x/heads/main"])).toBe(one);
    await a.expectInLockstep(APP);
  });
});

describe("refs that somebody changed by hand", () => {
  it("are those of the log again at the next read, and what they held is kept", async () => {
    await using cluster = await TestCluster.make();
    const { a, one, two } = await site(cluster);
    await a.git(APP, ["update-ref", "refs/heads/main", two]);
    expect(await a.read(APP)).toMatchObject({ fetched: true });
    await a.expectInLockstep(APP);
    expect(await a.git(APP, ["rev-parse", "refs/heads/main", "refs/lockstep/lost/1/heads/main"])).toBe(
      `${one}\n${two}`,
    );
    // It is looked at no more closely than before.
    await a.gitCommands();
    expect(await a.read(APP)).toMatchObject({ fetched: false });
    expect(await a.gitCommands()).toEqual([]);
  });

  it("put it into doubt once, also when several reads come at the same time", async () => {
    await using cluster = await TestCluster.make();
    const { a, two } = await site(cluster);
    await a.git(APP, ["update-ref", "refs/heads/main", two]);
    await Promise.all(Array.from({ length: 20 }, () => a.read(APP)));
    expect(a.logged.filter(({ msg }) => msg === "folded the log onto the refs")).toHaveLength(2);
    await a.expectInLockstep(APP);
  });
});

describe("the sidecar does not take its own changes for changes by others", () => {
  it("by pushes, catch-ups, copies, dropped writes and packing", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, one, two } = await site(cluster);
    const folds = (device: TestDevice) =>
      device.logged.filter(({ msg }) => msg === "folded the log onto the refs").length;
    const before = [folds(a), folds(b)];
    await a.push(APP, [change("main", one, two), change("topic/x", one, null), change("topic", null, two)]);
    await b.read(APP);
    await cluster.sql("update lockstep.repository set min_copies = 2");
    const three = await b.commit(APP, "three", { parents: [two] });
    await b.push(APP, [change("main", two, three)]);
    await a.read(APP);
    // Refused by git, and by the log.
    await a.push(APP, [change("main", one, two), change("main/x", null, two)]);
    const many = Array.from({ length: 1_050 }, (_, index) => change(`many/${index}`, null, three));
    await a.push(APP, many);
    await b.read(APP);
    for (const device of [a, b])
      await vi.waitFor(() => expect(device.logged.map(({ msg }) => msg)).toContain("packed loose refs"), SOON);
    for (const device of [a, b]) await device.read(APP);
    expect([folds(a), folds(b)]).toEqual(before);
    for (const device of [a, b]) await device.expectInLockstep(APP);
  });
});

// root may do everything, but change what is marked immutable.
const noMarks = await canMark();
if (noMarks) console.warn(`The tests of rights that were taken away are skipped: ${noMarks}.`);

async function canMark(): Promise<string | undefined> {
  const path = await mkdtemp(join(tmpdir(), "lockstep-mark-"));
  try {
    await run("chattr", ["+i", path]);
    await run("chattr", ["-i", path]);
    return undefined;
  } catch (error) {
    return `nothing can be made immutable here (${describeError(error)})`;
  } finally {
    await rm(path, { recursive: true });
  }
}

describe.skipIf(noMarks)("rights that were taken away", () => {
  it.each(["refs", "refs/heads", "objects", "objects/pack"])(
    "of %s are told of with their path and what to do, and nothing is moved or made meanwhile",
    async (name) => {
      await using cluster = await TestCluster.make();
      const { a, b, one } = await site(cluster);
      const path = join(a.gitDir(APP), name);
      await run("chattr", ["+i", path]);
      try {
        const theirs = await b.commit(APP, "theirs", { parents: [one] });
        await b.push(APP, [change("main", one, theirs), change("refs/notes/x", null, theirs)]);
        await expect(a.read(APP)).rejects.toMatchObject({
          code: "PREREQUISITE_MISSING",
          message: expect.stringMatching(new RegExp(`team/app.git/(${name}|refs).*chattr -i`)),
        });
        expect(await readdir(join(a.context.root, ".lockstep"))).not.toContain("misplaced");
      } finally {
        await run("chattr", ["-i", path]);
      }
      await vi.waitFor(async () => expect(await a.read(APP)).toMatchObject({ version: 2n }), SOON);
      await a.expectInLockstep(APP);
    },
  );
});

it("the settings of a repository that git cannot read are named, and stay as they are", async () => {
  await using cluster = await TestCluster.make();
  const { a, heads } = await site(cluster);
  const config = join(a.gitDir(APP), "config");
  const good = await readFile(config, "utf8");
  await writeFile(config, "[core\n");
  await writeFile(join(heads, "main 2"), "");
  const told = { code: "PREREQUISITE_MISSING", message: expect.stringContaining("config") };
  await expect(a.read(APP)).rejects.toMatchObject(told);
  expect(await readFile(config, "utf8")).toBe("[core\n");
  await writeFile(config, good);
  await vi.waitFor(async () => expect(await a.read(APP)).toMatchObject({ version: 1n }), SOON);
  await a.expectInLockstep(APP);
});
