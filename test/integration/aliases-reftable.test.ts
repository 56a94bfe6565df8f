// Symbolic refs where git stores refs as tables: git lists none that leads nowhere, and of a chain only the end.
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { promisify } from "node:util";
import { describe, expect, it, vi } from "vitest";
import { toLatin1 } from "../../src/domain.ts";
import { type ThawAction, thaw } from "../../src/sync/operator/thaw.ts";
import { verify } from "../../src/sync/operator/verify-replica.ts";
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
