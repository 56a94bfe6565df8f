// Files that are no refs lie among the refs of a replica, as file managers, editors and synchronisers leave them.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFile, mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, vi } from "vitest";
import { lookThrough } from "../../src/sync/catch-up/patrol.ts";
import { APP, aside, check, site } from "../support/replica-with-strangers.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { SOON } from "../support/sync-device.ts";

const run = promisify(execFile);

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
