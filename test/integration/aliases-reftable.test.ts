// Symbolic refs where git stores refs as tables: git lists none that leads nowhere, and of a chain only the end.
import { execFile, execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { open, readdir, readFile, truncate } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, vi } from "vitest";
import { toLatin1 } from "../../src/domain.ts";
import { readSymbolicRecords } from "../../src/git/refs/reftable.ts";
import { type ThawAction, thaw } from "../../src/sync/operator/thaw.ts";
import { verify } from "../../src/sync/operator/verify-replica.ts";
import { gitSandbox } from "../support/git.ts";
import { loseWrites } from "../support/lose-writes.ts";
import { gitIsOlderThan } from "../support/programs.ts";
import { beginSession, bumpSession } from "../support/sessions.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

const APP = "team/app";
const MAIN = "refs/heads/main";
const tooOld = gitIsOlderThan(2, 46);
if (tooOld) console.warn(`The tests of symbolic refs in reftable are skipped: ${tooOld}.`);

/** A device whose refs are tables and one whose refs are files, with two branches. */
async function mixed(cluster: TestCluster): Promise<[TestDevice, TestDevice, string]> {
  const a = await cluster.start("repo001", { refFormat: "reftable" });
  const b = await cluster.start("repo002");
  await cluster.create(APP, [a, b]);
  const one = await a.commit(APP, "one");
  await a.push(APP, [change("main", null, one), change("other", null, one)]);
  return [a, b, one];
}

/** All are in lockstep, and verify finds nothing to repair. */
async function expectWell(devices: readonly TestDevice[]): Promise<void> {
  for (const device of devices) {
    await device.read(APP);
    await device.expectInLockstep(APP);
    const { differences } = await verify(device.context, APP, {
      full: false,
      signal: AbortSignal.timeout(SOON.timeout),
    });
    expect(differences).toEqual([]);
  }
}

/** Runs git in a directory, one command after another. */
async function gits(directory: string, ...commands: readonly string[]): Promise<void> {
  const env = { ...process.env, GIT_DIR: directory, GIT_CONFIG_GLOBAL: "/dev/null" };
  for (const command of commands) await promisify(execFile)("git", command.split(" "), { env });
}

async function land(device: TestDevice, live: boolean, ...commands: readonly string[]): Promise<void> {
  const { path, token } = await beginSession(device, APP, { live, reason: "aliases", writeId: randomUUID() });
  await gits(path, ...commands);
  await bumpSession(device, APP, token);
}

const STEPS: readonly [string, readonly string[], Record<string, string | undefined>][] = [
  [
    "makes one that leads nowhere",
    ["symbolic-ref refs/heads/later refs/heads/nowhere"],
    { "refs/heads/later": "ref: refs/heads/nowhere" },
  ],
  [
    "makes a chain",
    ["symbolic-ref refs/heads/alias refs/heads/main", "symbolic-ref refs/heads/second refs/heads/alias"],
    { "refs/heads/second": "ref: refs/heads/alias" },
  ],
  [
    "points the chain elsewhere",
    ["symbolic-ref refs/heads/alias refs/heads/nowhere"],
    { "refs/heads/alias": "ref: refs/heads/nowhere" },
  ],
  ["makes a branch of one", ["update-ref --no-deref refs/heads/later refs/heads/main"], {}],
  ["deletes one that leads nowhere", ["symbolic-ref --delete refs/heads/alias"], { "refs/heads/alias": undefined }],
  ["points HEAD to a chain", ["symbolic-ref HEAD refs/heads/second"], { HEAD: "ref: refs/heads/second" }],
];

describe.skipIf(tooOld)("symbolic refs of a replica stored as reftable", () => {
  it.each([
    ["a session", false, 0],
    ["a session on live files", true, 0],
    ["a session on another device, whose refs are files,", false, 1],
  ] as const)("that %s changes are followed, copied and found well", async (_, live, where) => {
    await using cluster = await TestCluster.make();
    const [a, b] = await mixed(cluster);
    const worker = [a, b][where]!;
    for (const [, commands, expected] of STEPS) {
      await land(worker, live, ...commands);
      await expectWell([a]);
      const refs = await a.refs(APP);
      for (const [name, value] of Object.entries(expected)) expect(refs[name]).toBe(value);
    }
    await expectWell([b]);
    // Devices that begin from nothing.
    for (const [name, refFormat] of [
      ["repo003", "reftable"],
      ["repo004", "files"],
    ] as const) {
      const fresh = await cluster.start(name, { refFormat });
      await cluster.addReplica(APP, fresh);
      await expectWell([fresh]);
      expect(await fresh.refs(APP)).toEqual(await a.refs(APP));
    }
  });

  it("are repaired once, and then found well", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await mixed(cluster);
    await land(a, false, ...STEPS.slice(0, 2).flatMap(([, commands]) => commands));
    await gits(
      a.gitDir(APP),
      "symbolic-ref refs/heads/second refs/heads/main",
      "symbolic-ref refs/heads/stray refs/heads/gone",
    );
    await gits(a.gitDir(APP), "symbolic-ref --delete refs/heads/later");
    const found = await verify(a.context, APP, { full: false, signal: AbortSignal.timeout(SOON.timeout) });
    expect(found.differences.map(({ name }) => toLatin1(name))).toEqual([
      "refs/heads/later",
      "refs/heads/second",
      "refs/heads/stray",
    ]);
    expect(found.failure).toBeNull();
    await expectWell([a]);
  });

  it("are pushed through, also where one leads nowhere", async () => {
    await using cluster = await TestCluster.make();
    const [a, b, one] = await mixed(cluster);
    await land(a, false, ...STEPS.slice(0, 2).flatMap(([, commands]) => commands));
    expect(await a.push(APP, [change("later", null, one)])).toEqual({ "refs/heads/later": null });
    const two = await a.commit(APP, "two", { parents: [one] });
    expect(await a.push(APP, [change("second", one, two)])).toEqual({ "refs/heads/second": null });
    await expectWell([a, b]);
    expect(await b.refs(APP)).toMatchObject({
      "refs/heads/nowhere": one,
      [MAIN]: two,
      "refs/heads/second": "ref: refs/heads/alias",
    });
  });
});

describe.skipIf(tooOld)("a thaw", () => {
  const settle = async (device: TestDevice, action: ThawAction) => {
    const ask = (confirmation: string) => {
      const signal = AbortSignal.timeout(SOON.timeout);
      return thaw(device.context, { repository: APP, action, confirmation, author: "olga", signal });
    };
    expect(await ask((await ask("")).confirmation)).toMatchObject({ done: true });
  };
  const MADE = STEPS.slice(0, 2).flatMap(([, commands]) => commands);
  const CHANGED = [
    "symbolic-ref refs/heads/second refs/heads/other",
    "symbolic-ref refs/heads/later refs/heads/elsewhere",
    "symbolic-ref refs/heads/newest refs/heads/nowhere",
    "symbolic-ref --delete refs/heads/alias",
  ];

  it("a thaw that gives up changes of symbolic refs restores the older ones, and the lost device follows", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await mixed(cluster);
    const c = await cluster.start("repo003", { refFormat: "reftable" });
    await cluster.addReplica(APP, c);
    await land(a, false, ...MADE);
    await expectWell([b, c]);
    const before = await c.refs(APP);
    // Another device cannot follow without this commit.
    const lost = await a.commit(APP, "lost");
    await land(a, false, ...CHANGED, `update-ref refs/heads/lost ${lost}`);
    await vi.waitFor(async () => {
      const rows = await cluster.sql("select version from lockstep.replica where device = $1", [a.name]);
      expect(rows).toEqual([{ version: "3" }]);
    }, SOON);
    await a.stop();
    await settle(c, { demote: [a.name] });
    await expectWell([b, c]);
    expect(await c.refs(APP)).toEqual(before);
    expect(await b.refs(APP)).toEqual(before);
    const back = await a.restart();
    await expectWell([back]);
    expect(await back.refs(APP)).toEqual(before);
    expect(await back.git(APP, ["for-each-ref", "--format=%(objectname)", "refs/lockstep/lost/"])).toContain(lost);
    await land(c, false, ...CHANGED);
    await expectWell([back, b, c]);
  });

  it("a thaw that takes the refs of one disk takes its symbolic refs too", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await mixed(cluster);
    await land(a, false, ...MADE);
    await expectWell([b]);
    await land(a, false, ...CHANGED);
    const changed = await a.refs(APP);
    await loseWrites(cluster, APP, 2n);
    await expect(a.read(APP)).rejects.toMatchObject({ code: "AHEAD_OF_DATABASE" });
    await settle(a, { promote: a.name });
    await expectWell([a, b]);
    expect(await a.refs(APP)).toEqual(changed);
    expect(await b.refs(APP)).toEqual(changed);
  });
});

describe.skipIf(tooOld)("the tables of a reftable", () => {
  const text = async (directory: string) =>
    Object.fromEntries(
      [...(await readSymbolicRecords(directory))].map(([name, value]) => [toLatin1(name), toLatin1(value)]),
    );

  it.each(["sha1", "sha256"] as const)(
    "are read whole: many blocks, tables, and what later ones take back (%s)",
    async (format) => {
      await using sandbox = await gitSandbox();
      const git = join(sandbox.dir, "x.git");
      execFileSync("git", ["init", "--quiet", "--bare", `--object-format=${format}`, "--ref-format=reftable", git]);
      const updateRef = (input: string) =>
        execFileSync("git", ["--git-dir", git, "update-ref", "--no-deref", "--stdin", "-z"], {
          input: Buffer.from(input, "latin1"),
        });
      const tree = execFileSync("git", ["--git-dir", git, "mktree"], { input: "" }).toString().trim();
      const tag = execFileSync("git", ["--git-dir", git, "mktag"], {
        input: `object ${tree}\ntype tree\ntag t\ntagger a <a@b> 1 +0000\n\nt\n`,
      })
        .toString()
        .trim();
      expect(await text(git)).toEqual({ HEAD: expect.stringMatching(/^ref: refs\/heads\//) });
      const many = Array.from({ length: 5_000 }, (_, at) => at);
      updateRef(many.map((at) => `create refs/tags/of-many/${at}\0${at % 3 ? tree : tag}\0`).join(""));
      const symbolic: Record<string, string> = {};
      for (const at of many.filter((each) => each % 500 === 0))
        symbolic[`refs/heads/caf\xe9/${at}`] = `refs/heads/${"x".repeat(at / 50 + 1)}`;
      const create = (from: Record<string, string>) =>
        updateRef(
          Object.entries(from)
            .map(([name, target]) => `symref-create ${name}\0${target}\0`)
            .join(""),
        );
      create({ ...symbolic, "refs/heads/gone": "refs/heads/x", "refs/heads/plain": "refs/heads/y" });
      updateRef(`delete refs/heads/gone\0\0update refs/tags/x\0${tree}\0\0`);
      updateRef(`update refs/heads/plain\0${tree}\0\0`.replace("refs/heads/plain", "refs/tags/plain"));
      const expected = () => ({
        HEAD: expect.any(String),
        "refs/heads/plain": "ref: refs/heads/y",
        ...Object.fromEntries(Object.entries(symbolic).map(([name, target]) => [name, `ref: ${target}`])),
      });
      expect(await text(git)).toEqual(expected());
      const tables = (await readFile(join(git, "reftable", "tables.list"), "utf8")).split("\n").filter(Boolean);
      execFileSync("git", ["--git-dir", git, "pack-refs", "--all"]);
      expect(await text(git)).toEqual(expected());
      expect(
        (await readFile(join(git, "reftable", "tables.list"), "utf8")).split("\n").filter(Boolean).length,
      ).toBeLessThanOrEqual(tables.length);
    },
  );

  it("the tables of a reftable that are damaged are an error, never fewer refs", async () => {
    await using sandbox = await gitSandbox();
    const git = join(sandbox.dir, "x.git");
    execFileSync("git", ["init", "--quiet", "--bare", "--ref-format=reftable", git]);
    await gits(git, "symbolic-ref refs/heads/a refs/heads/b");
    const [first] = (await readdir(join(git, "reftable"))).filter((name) => name.endsWith(".ref"));
    const table = join(git, "reftable", first!);
    const bytes = await readFile(table);
    for (const at of [0, 4, 26]) {
      const file = await open(table, "r+");
      await file.write(Buffer.from([0xff]), 0, 1, at);
      await file.close();
      await expect(readSymbolicRecords(git)).rejects.toMatchObject({ code: "GIT_FAILED" });
      await open(table, "w").then(async (whole) => {
        await whole.writeFile(bytes);
        await whole.close();
      });
    }
    await truncate(table, 30);
    await expect(readSymbolicRecords(git)).rejects.toMatchObject({ code: "GIT_FAILED" });
  });
});
