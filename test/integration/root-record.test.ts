import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { link, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { readReplicaRecord, writeReplicaRecord } from "../../src/git/root/root-record.ts";
import { gitSandbox } from "../support/git.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

const APP = "team/app";

/** Whether the last read compared all refs. */
const walked = async (device: TestDevice) =>
  (await device.gitCommands()).some((line) => line.startsWith("for-each-ref"));

describe("the note beside a replica", () => {
  async function atVersion2(cluster: TestCluster): Promise<TestDevice> {
    const [a] = await cluster.pair(APP);
    const [one, two] = await a.history(APP);
    await a.push(APP, [change("main", null, one)]);
    await a.push(APP, [change("main", one, two)]);
    // A push does not wait for the record of its version in the database.
    await vi.waitFor(() => expect(a.replica(APP).recorded).toBe(2n), SOON);
    return a;
  }

  async function changeRoot(device: TestDevice, change: (record: Record<string, unknown>) => void): Promise<void> {
    const path = join(device.context.root, ".lockstep", "root.json");
    const record = JSON.parse(await readFile(path, "utf8"));
    change(record);
    await writeFile(path, JSON.stringify(record));
  }

  it("is believed after a mere restart: no ref is looked at", async () => {
    await using cluster = await TestCluster.make();
    const a = await atVersion2(cluster);
    const again = await a.restart();
    await again.gitCommands();
    expect(await again.read(APP)).toMatchObject({ version: 2n });
    expect(await again.gitCommands()).toEqual(["rev-parse --git-dir"]);
    await again.expectInLockstep(APP);
  });

  it("is believed after a mere restart by a replica that fell behind, which then only follows the log", async () => {
    await using cluster = await TestCluster.make();
    const a = await atVersion2(cluster);
    const b = cluster.devices.get("repo002")!;
    await b.read(APP);
    await b.crash();
    await a.push(APP, [change("topic", null, await a.commit(APP, "while b is away"))]);
    const again = await b.restart();
    await again.gitCommands();
    expect(await again.read(APP)).toMatchObject({ version: 3n });
    expect(await walked(again)).toBe(false);
    await again.expectInLockstep(APP);
  });

  it("may be older than the refs, where the process was killed between the two", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const [one, two] = await a.history(APP);
    await a.push(APP, [change("x", null, one), change("y/z", null, one), change("main", null, one)]);
    await b.read(APP);
    const record = join(b.gitDir(APP), "lockstep.version");
    const older = await readFile(record);
    await a.push(APP, [change("x", one, null), change("y/z", one, null), change("main", one, two)]);
    await a.push(APP, [change("x/y", null, one), change("y", null, one)]);
    await b.read(APP);
    await b.crash();
    await writeFile(record, older);
    await cluster.sql("update lockstep.replica set version = 1 where device = $1", [b.name]);
    const again = await b.restart();
    await again.gitCommands();
    expect(await again.read(APP)).toMatchObject({ version: 3n });
    await again.expectInLockstep(APP);
  });

  it("counts for nothing after a new boot of the machine", async () => {
    await using cluster = await TestCluster.make();
    const a = await atVersion2(cluster);
    await a.git(APP, ["update-ref", "-d", "refs/heads/main"]);
    await a.git(APP, ["update-ref", "refs/heads/stray", await a.commit(APP, "stray")]);
    await a.git(APP, ["symbolic-ref", "HEAD", "refs/heads/stray"]);
    await a.git(APP, ["update-ref", "refs/lockstep/kept", await a.commit(APP, "kept")]);
    await a.crash();
    await changeRoot(a, (record) => {
      record.bootId = randomUUID();
    });
    const again = await a.restart();
    expect(await again.read(APP)).toMatchObject({ version: 2n });
    expect(await walked(again)).toBe(true);
    await again.expectInLockstep(APP);
    expect(await again.git(APP, ["for-each-ref", "--format=%(refname)", "refs/lockstep"])).toBe("refs/lockstep/kept");
    // And once compared, the next restart believes it again.
    const third = await again.restart();
    await third.gitCommands();
    await third.read(APP);
    expect(await walked(third)).toBe(false);
  });

  it("counts for nothing after a power failure that tore the contents of refs, which are put right", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const [one, two] = await a.history(APP);
    await a.push(APP, [change("main", null, one), change("side/way", null, two), change("gone", null, two)]);
    await a.push(APP, [change("gone", two, null)]);
    await a.crash();
    const heads = join(a.gitDir(APP), "refs/heads");
    await writeFile(join(heads, "main"), "");
    await writeFile(join(heads, "side/way"), Buffer.alloc(41));
    await writeFile(join(heads, "gone"), "torn");
    await changeRoot(a, (record) => {
      record.bootId = randomUUID();
    });
    const again = await a.restart();
    expect(await again.read(APP)).toMatchObject({ version: 2n });
    expect(again.packRequests).toEqual([]);
    await again.expectInLockstep(APP);
  });

  it("counts for nothing when another root served the device in between", async () => {
    await using cluster = await TestCluster.make();
    const a = await atVersion2(cluster);
    await a.stop();
    await cluster.sql(
      "select * from lockstep.take_over($1, gen_random_uuid(), gen_random_uuid(), '0 seconds', '', '', '', '', '')",
      [a.name],
    );
    const again = await a.restart();
    await again.read(APP);
    expect(await walked(again)).toBe(true);
    await again.expectInLockstep(APP);
  });

  it("counts for nothing when it does not agree with the database", async () => {
    await using cluster = await TestCluster.make();
    const a = await atVersion2(cluster);
    for (const falsify of [
      async () => void (await cluster.sql("update lockstep.replica set version = 1")),
      async (path: string) => writeFile(path, "half a line"),
      // A bit that rotted is no version from the future.
      async (path: string) => writeFile(path, (await readFile(path, "utf8")).replace(" 2 ", " 3 ")),
      async (path: string) => rm(path),
      // The disk cannot read it.
      async (path: string) => rm(path).then(() => symlink("/proc/self/mem", path)),
      // A reader of a named pipe would wait for ever.
      async (path: string) => rm(path).then(() => execFileSync("mkfifo", [path])),
    ]) {
      const path = join(a.gitDir(APP), "lockstep.version");
      await cluster.devices.get(a.name)!.crash();
      await falsify(path);
      const again = await cluster.start(a.name);
      await again.read(APP);
      expect(await walked(again)).toBe(true);
      await again.expectInLockstep(APP);
    }
  });

  describe("half written over another one", () => {
    /** Returns the text of a note that differs from `text` in its version, and so in its length. */
    async function withVersion(text: string, version: bigint): Promise<string> {
      const [repositoryId, , digest, epoch] = text.split(" ") as [string, string, string, string];
      await using sandbox = await gitSandbox();
      await writeReplicaRecord(sandbox.dir, { repositoryId, version, digest, epoch });
      return await readFile(join(sandbox.dir, "lockstep.version"), "utf8");
    }

    const over = (next: string, old: string, length: number) => next.slice(0, length) + old.slice(length);

    it.each<[string, (now: string, longer: string) => string]>([
      ["half of a longer one", (now, longer) => over(longer, now, longer.length / 2)],
      ["half of a shorter one", (now, longer) => over(now, longer, now.length / 2)],
      ["a shorter one whose rest was not cut off", (now, longer) => over(now, longer, now.length)],
    ])("counts for nothing: %s", async (_, torn) => {
      await using cluster = await TestCluster.make();
      const a = await atVersion2(cluster);
      await a.crash();
      const path = join(a.gitDir(APP), "lockstep.version");
      const now = await readFile(path, "utf8");
      await writeFile(path, torn(now, await withVersion(now, 1_234_567n)));
      const again = await a.restart();
      expect(await again.read(APP)).toMatchObject({ version: 2n });
      expect(await walked(again)).toBe(true);
      await again.expectInLockstep(APP);
    });

    it("is the old one, the new one or none, wherever the writing ended", async () => {
      await using sandbox = await gitSandbox();
      const record = `${randomUUID()} 1 ${"d".repeat(64)} ${randomUUID()}`;
      const [short, long] = await Promise.all([99n, 1_234_567n].map((version) => withVersion(record, version)));
      for (const [old, next] of [
        [short, long],
        [long, short],
      ] as [string, string][])
        for (let length = 0; length <= next.length; length += 1) {
          const text = over(next, old, length);
          await writeFile(join(sandbox.dir, "lockstep.version"), text);
          const found = await readReplicaRecord(sandbox.dir);
          expect(found !== undefined, text).toBe([old, next].includes(text));
        }
    });
  });

  it("does not change in a copy of the directory that shares its files, nor where a link leads", async () => {
    await using cluster = await TestCluster.make();
    const a = await atVersion2(cluster);
    const path = join(a.gitDir(APP), "lockstep.version");
    const copy = join(a.context.root, "..", "copy-of-the-note");
    const tip = await a.commit(APP, "three");
    await link(path, copy);
    await a.push(APP, [change("three", null, tip)]);
    await rm(path);
    await symlink(copy, path);
    await a.push(APP, [change("four", null, tip)]);
    expect((await readFile(copy, "utf8")).split(" ")[1]).toBe("2");
    expect((await readFile(path, "utf8")).split(" ")[1]).toBe("4");
    await rm(copy);
    await a.expectInLockstep(APP);
  });
});
