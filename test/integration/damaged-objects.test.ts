// Objects of a replica are damaged on its disk: verify finds them, and other devices have them.
import { mkdir, open, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { APP, atVersion2, check } from "../support/disk-checks.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { SOON, type TestDevice } from "../support/sync-device.ts";

/** All objects of a replica in one pack, as after a while. */
async function pack(device: TestDevice): Promise<string> {
  await device.git(APP, ["repack", "-adq"]);
  const [name] = (await readdir(join(device.gitDir(APP), "objects", "pack"))).filter((file) => file.endsWith(".pack"));
  return join(device.gitDir(APP), "objects", "pack", name as string);
}

async function flip(path: string, offset: number): Promise<void> {
  const file = await open(path, "r+");
  try {
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, offset);
    await file.write(Buffer.from([(buffer[0] ?? 0) ^ 0xff]), 0, 1, offset);
  } finally {
    await file.close();
  }
}

describe("a damaged object", () => {
  it("a damaged object in a pack is found by verify --full and fetched again; the damaged pack is kept aside", async () => {
    await using cluster = await TestCluster.make();
    const { a, two } = await atVersion2(cluster);
    // Only here: an old push that was refused, which no other device can send.
    const own = await a.commit(APP, "own");
    await a.git(APP, ["update-ref", "refs/lockstep/dropped/x/heads/main", own]);
    const path = await pack(a);
    // In the middle: not the header, and not the checksum at the end.
    await flip(path, Math.floor((await stat(path)).size / 2));
    const name = path.replace(/.*\/|\.pack$/g, "");
    expect(await check(a)).toMatchObject({ differences: [], damage: [] });
    expect(await check(a, true)).toMatchObject({
      differences: [],
      damage: expect.arrayContaining([name]),
      failure: null,
    });
    expect(await check(a, true)).toMatchObject({ damage: [], failure: null });
    await a.expectInLockstep(APP);
    expect(await a.git(APP, ["log", "--format=%s", two])).toBe("two\none");
    const aside = join(a.context.root, ".lockstep", "damaged", a.replica(APP).id);
    expect((await readdir(aside)).sort()).toEqual([`${name}.bitmap`, `${name}.idx`, `${name}.pack`]);
  });

  it("is found and fetched again, also if it is loose or missing", async () => {
    await using cluster = await TestCluster.make();
    const { a, one, two } = await atVersion2(cluster);
    const place = (id: string) => join(a.gitDir(APP), "objects", id.slice(0, 2), id.slice(2));
    await a.git(APP, ["cat-file", "-e", one]);
    await rm(place(one));
    const damaged = await readFile(place(two));
    damaged[damaged.length - 3] = (damaged[damaged.length - 3] ?? 0) ^ 0xff;
    await rm(place(two));
    await writeFile(place(two), damaged);
    expect(await check(a, true)).toMatchObject({ damage: [two, "incomplete"], failure: null });
    expect(await check(a, true)).toMatchObject({ damage: [], failure: null });
    await a.expectInLockstep(APP);
  });

  it("a damaged object that no other device has stays where it is, and the report says so", async () => {
    await using cluster = await TestCluster.make();
    const { a, b } = await atVersion2(cluster);
    const path = await pack(a);
    await flip(path, Math.floor((await stat(path)).size / 2));
    const before = await readFile(path);
    await b.stop();
    expect(await check(a, true)).toMatchObject({ failure: expect.stringContaining("repo002 (away since") });
    expect(await readFile(path)).toEqual(before);
    const back = await b.restart();
    await back.read(APP);
    expect(await check(a, true)).toMatchObject({ failure: null });
    expect(await check(a, true)).toMatchObject({ damage: [] });
  });

  it("is not what a git has found that lacked memory: verify fails, and nothing is moved", async () => {
    await using cluster = await TestCluster.make();
    const { a } = await atVersion2(cluster);
    const path = await pack(a);
    for (const command of ["verify-pack", "rev-list"]) {
      await a.beforeGit(`case "$*" in *${command}*) echo "fatal: Out of memory, malloc failed" >&2; exit 128;; esac`);
      expect(await check(a, true)).toMatchObject({ damage: [], failure: expect.stringContaining("Out of memory") });
    }
    await a.beforeGit("");
    await stat(path);
    expect(await readdir(join(a.context.root, ".lockstep"))).not.toContain("damaged");
    expect(await check(a, true)).toMatchObject({ damage: [], failure: null });
  });

  it("is not sent to other devices: they get the object from a third one", async () => {
    await using cluster = await TestCluster.make();
    const { a, two } = await atVersion2(cluster);
    const path = await pack(a);
    await flip(path, Math.floor((await stat(path)).size / 2));
    const c = await cluster.start("repo003");
    await cluster.addReplica(APP, c);
    await mkdir(c.context.root, { recursive: true });
    await vi.waitFor(async () => expect(await c.read(APP)).toMatchObject({ version: 2n }), SOON);
    await c.expectInLockstep(APP);
    expect(await c.refs(APP)).toMatchObject({ "refs/heads/main": two });
  });
});
