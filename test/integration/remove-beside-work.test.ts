// A repository is removed while something still works in its directory, and is restored at once. Nothing that works
// there occupies the place of the repository.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, watch } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { clearPlace, isTaken, moveToPlace } from "../../src/git/beside/place.ts";
import { listUnknown } from "../../src/store/adopt/unknown-directories.ts";
import { scanRoot } from "../../src/sync/adopt/scan-root.ts";
import { releaseReplica } from "../../src/sync/placement/release-replica.ts";
import { wants } from "../support/copying.ts";
import { gitSandbox } from "../support/git.ts";
import { APP, make, pushed, remove, removeOnly, restore, restoreOnly, runQueue } from "../support/removing.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

/** A push whose pack has come in part. Its git has checked some of the objects. */
async function beginUpload(device: TestDevice): Promise<{ finish(): Promise<string>; place: string }> {
  await using sandbox = await gitSandbox();
  const source = await sandbox.workTree("source");
  const tip = await sandbox.commit(source, "one", { file: randomBytes(200_000) });
  const packing = { cwd: source, input: `${tip}\n` };
  const { bytes } = await sandbox.run(["pack-objects", "--stdout", "-q", "--revs"], packing);
  const line = `${"0".repeat(40)} ${tip} refs/heads/topic\0 report-status\n`;
  const git = spawn("git", ["receive-pack", "--stateless-rpc", "--", device.gitDir(APP)], { cwd: "/" });
  const ended = once(git, "close");
  let said = "";
  git.stdout.setEncoding("latin1").on("data", (text: string) => {
    said += text;
  });
  git.stderr.resume();
  git.stdin.on("error", () => {});
  git.stdin.write(`${(line.length + 4).toString(16).padStart(4, "0")}${line}0000`);
  git.stdin.write(bytes.subarray(0, 100_000));
  const objects = join(device.gitDir(APP), "objects");
  const place = await vi.waitFor(async () => {
    const found = (await readdir(objects, { recursive: true })).find((name) => name.includes("tmp_pack_"));
    expect(found).toBeDefined();
    return found!.split("/")[0]!;
  }, SOON);
  return {
    place,
    async finish() {
      git.stdin.end(bytes.subarray(100_000));
      await ended;
      return said;
    },
  };
}

describe("a repository that is removed", () => {
  it("leaves its place, though a push that is under way makes a part of it anew", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, id, one } = await pushed(cluster);
    await using _a = runQueue(a);
    await using _b = runQueue(b);
    const upload = await beginUpload(b);
    await remove(a, APP);
    expect(existsSync(b.gitDir(APP))).toBe(false);
    expect(await upload.finish()).toContain("ng refs/heads/topic");
    // What git itself does. If it did not, this test would show nothing.
    expect(await readdir(b.gitDir(APP), { recursive: true })).toContain(`objects/${upload.place}/pack`);
    expect(await isTaken(b.gitDir(APP))).toBe(false);
    await restore(a, APP);
    for (const device of [a, b]) {
      expect(await device.read(APP)).toMatchObject({ version: 1n });
      expect(await device.refs(APP)).toMatchObject({ "refs/heads/main": one });
    }
    expect(b.replica(APP).id).toBe(id);
    await b.expectInLockstep(APP);
    expect(await readdir(join(b.context.root, ".lockstep", "misplaced")).catch(() => [])).toEqual([]);
  });

  it("leaves its place to a new repository, though a push to it was under way", async () => {
    await using cluster = await TestCluster.make();
    const { a, b } = await pushed(cluster);
    await using _a = runQueue(a);
    await using _b = runQueue(b);
    const upload = await beginUpload(b);
    await remove(a, APP);
    await upload.finish();
    expect(existsSync(b.gitDir(APP))).toBe(true);
    await make(a, APP);
    for (const device of [a, b]) expect(await device.read(APP)).toMatchObject({ version: 0n });
    await b.expectInLockstep(APP);
  });

  it("takes along the refs that keep the objects of another device's write", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, one } = await pushed(cluster);
    await wants(cluster, 2);
    await using _a = runQueue(a);
    await using _b = runQueue(b);
    const go = join(cluster.dir, "go");
    const late = `until [ -e '${go}' ]; do sleep 0.01; done; cat`;
    // git starts at once, and gets its commands when the directory has moved.
    await b.beforeGit(`case "$*" in *update-ref*) { ${late}; } | git "$@"; exit;; esac`);
    const two = await a.commit(APP, "two", { parents: [one] });
    const push = a.push(APP, [change("main", one, two)]).catch((error: Error) => error.message);
    await vi.waitFor(
      async () => expect(await b.gitCommands()).toContainEqual(expect.stringMatching("update-ref")),
      SOON,
    );
    await removeOnly(b, APP);
    await vi.waitFor(() => expect(existsSync(b.gitDir(APP))).toBe(false), SOON);
    await writeFile(go, "");
    expect(await push).not.toEqual({ "refs/heads/main": null });
    await vi.waitFor(() => expect(b.replica(`.removed/${b.context.replicas.ids()[0]}`).objects.idle).toBe(true), SOON);
    expect(existsSync(b.gitDir(APP))).toBe(false);
    await remove(a, APP, { id: b.context.replicas.ids()[0]! });
    await restore(a, APP);
    for (const device of [a, b]) expect(await device.refs(APP)).toMatchObject({ "refs/heads/main": one });
  });

  it("is restored, though a device moves its files only while the place is looked at", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, one } = await pushed(cluster);
    const replica = b.replica(APP);
    await using _a = runQueue(a);
    await removeOnly(a, APP);
    await vi.waitFor(() => expect(existsSync(a.gitDir(APP))).toBe(false), SOON);
    let moved = false;
    a.onStatement = async (text, run) => {
      // The other device has said that something is there. The database is asked next.
      if (/p\.places <> '\{\}' and \$2 = any/.test(text) && !moved) {
        moved = true;
        await releaseReplica(b.context, replica, { keepDays: 14, decided: true });
      }
      return await run();
    };
    await using _b = runQueue(b);
    await restore(a, APP);
    expect(moved).toBe(true);
    for (const device of [a, b]) expect(await device.refs(APP)).toMatchObject({ "refs/heads/main": one });
  });

  it.each<[string, boolean]>([
    ["before", false],
    ["after", true],
  ])("is no unknown directory to a scan that saw it before it moved, %s it is restored", async (_, restored) => {
    await using cluster = await TestCluster.make();
    const { a, b } = await pushed(cluster);
    const replica = b.replica(APP);
    let asked = 0;
    b.onStatement = async (text, run) => {
      if (!/from unnest\(\$2::text\[\]\) n \(name\)/.test(text)) return await run();
      asked += 1;
      if (asked > 1) return await run();
      await removeOnly(a, APP);
      await releaseReplica(b.context, replica, { keepDays: 14, decided: true });
      const answer = await run();
      if (restored) {
        await restoreOnly(a, APP);
        await b.read(APP);
      }
      return answer;
    };
    await scanRoot(b.context);
    expect(asked).toBeGreaterThan(0);
    expect(existsSync(b.gitDir(APP))).toBe(restored);
    expect(await listUnknown(a.context.db, 10)).toEqual([]);
  });
});

describe("a place", () => {
  it.each<[string, readonly string[], boolean]>([
    ["nothing", [], false],
    ["an empty directory", ["app.git/"], true],
    ["quarantines of uploads alone", ["app.git/objects/tmp_objdir-incoming-x/pack/a.keep"], false],
    ["an empty directory for objects", ["app.git/objects/"], false],
    ["a quarantine and a pack", ["app.git/objects/tmp_objdir-incoming-x/a", "app.git/objects/pack/"], true],
    ["a quarantine and a file", ["app.git/objects/tmp_objdir-incoming-x/a", "app.git/HEAD"], true],
    ["a file of a quarantine's name", ["app.git/objects/tmp_objdir-incoming-x"], true],
  ])("with %s is taken or not, and only what is worthless is removed", async (_, paths, taken) => {
    await using sandbox = await gitSandbox();
    for (const path of paths) {
      await mkdir(join(sandbox.dir, path, path.endsWith("/") ? "." : ".."), { recursive: true });
      if (!path.endsWith("/")) await writeFile(join(sandbox.dir, path), "");
    }
    const place = join(sandbox.dir, "app.git");
    const before = await readdir(place, { recursive: true }).catch(() => []);
    expect(await isTaken(place)).toBe(taken);
    await clearPlace(place);
    expect(existsSync(place)).toBe(taken);
    if (taken) expect(await readdir(place, { recursive: true })).toEqual(before);
  });

  it("a place that an upload makes anew at the last moment is taken all the same", async () => {
    await using sandbox = await gitSandbox();
    const leave = (place: string) => mkdirSync(join(place, "objects/tmp_objdir-incoming-x"), { recursive: true });
    for (let round = 0; round < 20; round += 1) {
      const [from, place] = [join(sandbox.dir, `from${round}`), join(sandbox.dir, `app${round}.git`)];
      await mkdir(from);
      await writeFile(join(from, "HEAD"), "");
      leave(place);
      let left = false;
      // As soon as the place was cleared, something lies there again.
      const watcher = watch(sandbox.dir, (_, name) => {
        if (name !== `app${round}.git` || left || existsSync(place)) return;
        left = true;
        leave(place);
      });
      await moveToPlace(from, place);
      watcher.close();
      expect(existsSync(join(place, "HEAD"))).toBe(true);
    }
  });

  it("a place with anything else is not taken, and nothing is changed", async () => {
    await using sandbox = await gitSandbox();
    const [from, place] = [join(sandbox.dir, "from"), join(sandbox.dir, "app.git")];
    for (const path of [from, place]) {
      await mkdir(path);
      await writeFile(join(path, "HEAD"), path);
    }
    await expect(moveToPlace(from, place)).rejects.toMatchObject({ code: "ENOTEMPTY" });
    for (const path of [from, place]) expect(await readFile(join(path, "HEAD"), "utf8")).toBe(path);
  });
});
