// Loose refs are packed in the background when there are many, beside pushes that go on.
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { countLooseRefs, packRefs } from "../../src/git/refs/pack-refs.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

const MANY = 1_050;

let cluster: TestCluster;
let a: TestDevice;
let b: TestDevice;
beforeAll(async () => {
  cluster = await TestCluster.make();
  [a, b] = await cluster.pair("app");
});
afterAll(async () => await cluster?.[Symbol.asyncDispose]());

const PACKED = { repository: "long", msg: "packed loose refs" };

const branches = (count: number) => Array.from({ length: count }, (_, index) => `many/${index}`);

describe("loose refs are packed", () => {
  it("where a push and the catch-ups that follow it bring many", async () => {
    const commit = await a.commit("app", "one");
    const report = await a.push(
      "app",
      branches(MANY).map((name) => change(name, null, commit)),
    );
    expect(Object.values(report)).toEqual(Array.from({ length: MANY }, () => null));
    // Beside it: a change, a deletion, and a ref of its own.
    const next = await a.commit("app", "two", { parents: [commit] });
    const beside = [change("many/7", commit, next), change("many/8", commit, null), change("own", null, next)];
    expect(Object.values(await a.push("app", beside))).toEqual([null, null, null]);
    await b.read("app");
    for (const device of [a, b]) {
      await vi.waitFor(() => expect(device.logged.map(({ msg }) => msg)).toContain("packed loose refs"), SOON);
      expect(await countLooseRefs(device.gitDir("app"))).toBeLessThan(10);
      expect((await readFile(join(device.gitDir("app"), "packed-refs"), "utf8")).split("\n").length).toBeGreaterThan(
        MANY - 2,
      );
      await device.expectInLockstep("app");
    }
  });

  it("a few loose refs are left as they are", async () => {
    await cluster.create("few", [a]);
    const commit = await a.commit("few", "one");
    for (let push = 0; push < 30; push += 1) await a.push("few", [change(`b${push}`, null, commit)]);
    await vi.waitFor(() => expect(a.context.replicas.tidying.isLocked()).toBe(false), SOON);
    expect(await countLooseRefs(a.gitDir("few"))).toBe(30);
    expect(await readdir(a.gitDir("few"))).not.toContain("packed-refs");
  });

  it("a git that is killed while it packs refs leaves nothing in the way of the next push", async () => {
    await cluster.create("killed", [a]);
    const commit = await a.commit("killed", "one");
    await a.beforeGit('case "$*" in *pack-refs*) touch "$GIT_DIR/packed-refs.lock"; kill -9 $$;; esac');
    await a.push(
      "killed",
      branches(MANY).map((name) => change(name, null, commit)),
    );
    await vi.waitFor(() => expect(a.logged.map(({ msg }) => msg)).toContain("could not tidy a replica up"), SOON);
    await a.beforeGit("");
    // git wants the lock of packed-refs for it.
    expect(await a.push("killed", [change("many/1", commit, null)])).toEqual({ "refs/heads/many/1": null });
    await a.expectInLockstep("killed");
  });

  it("however many there are in one directory", async () => {
    const gitDir = await mkdtemp(join(tmpdir(), "lockstep-many-"));
    try {
      const heads = join(gitDir, "refs", "heads");
      await mkdir(heads, { recursive: true });
      await promisify(execFile)("sh", ["-c", "seq 150000 | xargs touch"], { cwd: heads });
      expect(await countLooseRefs(gitDir)).toBe(150_000);
    } finally {
      await promisify(execFile)("rm", ["-rf", gitDir]);
    }
  });

  it("the loose refs of a repository are packed although its neighbour is slow", async () => {
    await cluster.create("slow", [a]);
    await cluster.create("quick", [a]);
    const go = join(cluster.dir, "go");
    await a.beforeGit(`case "$(pwd) $*" in *slow.git*pack-refs*) until [ -e '${go}' ]; do sleep 0.02; done;; esac`);
    for (const name of ["slow", "quick"]) {
      const commit = await a.commit(name, "one");
      const made = branches(MANY).map((branch) => change(branch, null, commit));
      await a.push(name, made);
    }
    const packed = () =>
      a.logged.filter(({ msg }) => msg === "packed loose refs").map(({ repository }) => String(repository));
    await vi.waitFor(() => expect(packed()).toContain("quick"), SOON);
    expect(packed()).not.toContain("slow");
    await writeFile(go, "");
    await vi.waitFor(() => expect(packed()).toContain("slow"), SOON);
    await a.beforeGit("");
  });

  it("nobody breaks the locks of a git that packs refs, however long it takes", async () => {
    await cluster.create("long", [a]);
    const commit = await a.commit("long", "one");
    const go = join(cluster.dir, "go-long");
    const hold = 'touch -d "2 minutes ago" "$GIT_DIR/packed-refs.lock"';
    const held = `${hold}; until [ -e '${go}' ]; do sleep 0.02; done; rm "$GIT_DIR/packed-refs.lock"`;
    await a.beforeGit(`case "$*" in *pack-refs*) ${held};; esac`);
    await a.push(
      "long",
      branches(MANY).map((name) => change(name, null, commit)),
    );
    await vi.waitFor(async () => expect(await readdir(a.gitDir("long"))).toContain("packed-refs.lock"), SOON);
    // git wants that lock to delete a ref.
    const deleted = { "refs/heads/many/1": expect.stringMatching(/^locked by another git process/) };
    expect(await a.push("long", [change("many/1", commit, null)])).toEqual(deleted);
    expect(await readdir(a.gitDir("long"))).toContain("packed-refs.lock");
    await writeFile(go, "");
    await vi.waitFor(() => expect(a.logged).toContainEqual(expect.objectContaining(PACKED)), SOON);
    await a.beforeGit("");
    expect(await a.push("long", [change("many/1", commit, null)])).toEqual({ "refs/heads/many/1": null });
    await a.expectInLockstep("long");
  });

  it("a recovery does not sweep the locks of a git that packs refs", async () => {
    await cluster.create("locked", [a]);
    const commit = await a.commit("locked", "one");
    await a.push("locked", [change("main", null, commit)]);
    const replica = a.context.replicas.findByName("locked")!;
    const lock = join(a.gitDir("locked"), "packed-refs.lock");
    let end = () => {};
    replica.packingRefs = new Promise<void>((resolve) => {
      end = resolve;
    });
    await writeFile(lock, "");
    Object.assign(replica, { applied: undefined, swept: false });
    const reading = a.read("locked");
    await vi.waitFor(() => expect(replica.mutex.isLocked()).toBe(true), SOON);
    await expect(packRefs(a.context.git, a.gitDir("locked"), a.context.signal)).rejects.toMatchObject({
      code: "GIT_FAILED",
    });
    expect(await readdir(a.gitDir("locked"))).toContain("packed-refs.lock");
    end();
    await reading;
    expect(await readdir(a.gitDir("locked"))).not.toContain("packed-refs.lock");
    await a.expectInLockstep("locked");
  });
});
