// Symbolic refs through the log: made, changed and undone in sessions, and pushed through. What git does with the same push is
// compared in test/e2e/as-git-does.test.ts.
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { verify } from "../../src/sync/operator/verify-replica.ts";
import { beginSession, bumpSession } from "../support/sessions.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, type TestDevice } from "../support/sync-device.ts";
import { log } from "../support/write-rows.ts";

const APP = "team/app";
const run = promisify(execFile);
const MAIN = "refs/heads/main";
const ALIAS = "refs/heads/alias";
const TO_MAIN = `ref: ${MAIN}`;

/** Lands what `work` does in the scratch repository of a session. */
async function session(device: TestDevice, work: (path: string) => Promise<unknown>) {
  const { path, token } = await beginSession(device, APP);
  await work(path);
  return await bumpSession(device, APP, token);
}

/** One after another in the scratch. */
const gits =
  (...commands: string[]) =>
  async (path: string) => {
    for (const command of commands)
      await run("git", command.split(" "), { env: { ...process.env, GIT_DIR: path, GIT_CONFIG_GLOBAL: "/dev/null" } });
  };

/** Two devices; main and an alias for it. */
async function withAlias(cluster: TestCluster, ...more: string[]) {
  const [a, b] = await cluster.pair(APP);
  const history = await a.history(APP);
  await a.push(APP, [change("main", null, history[0]), change("other", null, history[0])]);
  await session(a, gits(`symbolic-ref ${ALIAS} ${MAIN}`, ...more));
  await b.read(APP);
  return { a, b, history };
}

/** Both devices are in lockstep, and nothing is to repair. */
async function expectWell(devices: readonly TestDevice[]): Promise<void> {
  for (const device of devices) {
    await device.read(APP);
    await device.expectInLockstep(APP);
    const { differences } = await verify(device.context, APP, { full: true, signal: AbortSignal.timeout(20_000) });
    expect(differences).toEqual([]);
  }
  const [first, ...others] = await Promise.all(devices.map((device) => device.refs(APP)));
  for (const other of others) expect(other).toEqual(first);
}

describe("a session", () => {
  it.each<[string, string[], string[], (one: string, two: string) => Record<string, string | undefined>]>([
    [
      "points an alias elsewhere",
      [],
      [`symbolic-ref ${ALIAS} refs/heads/other`],
      () => ({ [ALIAS]: "ref: refs/heads/other" }),
    ],
    [
      "makes a branch of an alias",
      [],
      [`update-ref --no-deref ${ALIAS} refs/heads/other`],
      (one) => ({ [ALIAS]: one }),
    ],
    [
      "makes an alias of a branch",
      [],
      [`symbolic-ref refs/heads/other ${MAIN}`],
      () => ({ "refs/heads/other": TO_MAIN }),
    ],
    ["deletes an alias", [], [`symbolic-ref --delete ${ALIAS}`], () => ({ [ALIAS]: undefined })],
    [
      "deletes the target of an alias",
      ["symbolic-ref HEAD refs/heads/other"],
      [`update-ref -d ${MAIN}`],
      () => ({ [ALIAS]: TO_MAIN, [MAIN]: undefined }),
    ],
    [
      "makes an alias that leads nowhere",
      [],
      ["symbolic-ref refs/heads/later refs/heads/nowhere"],
      () => ({ "refs/heads/later": "ref: refs/heads/nowhere" }),
    ],
    [
      "deletes an alias that leads nowhere",
      ["symbolic-ref refs/heads/later refs/heads/nowhere"],
      ["symbolic-ref --delete refs/heads/later"],
      () => ({ "refs/heads/later": undefined }),
    ],
    [
      "makes a branch of an alias that leads nowhere",
      ["symbolic-ref refs/heads/later refs/heads/nowhere"],
      [`update-ref --no-deref refs/heads/later ${MAIN}`],
      (one) => ({ "refs/heads/later": one }),
    ],
    [
      "makes an alias for an alias",
      [],
      [`symbolic-ref refs/heads/second ${ALIAS}`],
      () => ({ "refs/heads/second": `ref: ${ALIAS}`, [ALIAS]: TO_MAIN }),
    ],
    [
      "makes a directory of an alias",
      [],
      [`symbolic-ref --delete ${ALIAS}`, `update-ref ${ALIAS}/below ${MAIN}`],
      (one) => ({ [ALIAS]: undefined, [`${ALIAS}/below`]: one }),
    ],
    [
      "makes an alias of a directory",
      [`update-ref refs/heads/dir/x ${MAIN}`],
      ["update-ref -d refs/heads/dir/x", `symbolic-ref refs/heads/dir ${MAIN}`],
      () => ({ "refs/heads/dir": TO_MAIN, "refs/heads/dir/x": undefined }),
    ],
    ["detaches HEAD", [], [`update-ref --no-deref HEAD ${MAIN}`], (one) => ({ HEAD: one })],
    [
      "detaches HEAD and moves its branch",
      [],
      [`update-ref --no-deref HEAD ${MAIN}`, "update-ref refs/heads/main TWO"],
      (one, two) => ({ HEAD: one, [MAIN]: two }),
    ],
    [
      "attaches HEAD",
      [`update-ref --no-deref HEAD ${MAIN}`],
      ["symbolic-ref HEAD refs/heads/other"],
      () => ({ HEAD: "ref: refs/heads/other" }),
    ],
    ["points HEAD to an alias", [], [`symbolic-ref HEAD ${ALIAS}`], () => ({ HEAD: `ref: ${ALIAS}` })],
  ])("%s", async (_, before, steps, expected) => {
    await using cluster = await TestCluster.make();
    const { a, b, history } = await withAlias(cluster, ...before);
    const [one, two] = history;
    const { version } = await session(a, gits(...steps.map((step) => step.replace("TWO", two))));
    expect(version).toBe(3n);
    await expectWell([a, b]);
    for (const [name, value] of Object.entries(expected(one, two))) expect((await b.refs(APP))[name]).toBe(value);
    // A device that begins from nothing has it too.
    const c = await cluster.start("repo003");
    await cluster.addReplica(APP, c);
    await expectWell([c, a]);
  });

  it("may change what has no objects where the repository wants copies", async () => {
    await using cluster = await TestCluster.make();
    const { a, b } = await withAlias(cluster);
    await cluster.sql("update lockstep.repository set min_copies = 2");
    expect(await session(a, gits("symbolic-ref HEAD refs/heads/other"))).toMatchObject({ version: 3n });
    await expectWell([a, b]);
  });

  it("may not detach HEAD onto what is no commit", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, history } = await withAlias(cluster);
    const tree = await a.git(APP, ["rev-parse", `${history[0]}^{tree}`]);
    const landing = session(a, (path) => writeFile(join(path, "HEAD"), `${tree}\n`));
    await expect(landing).rejects.toMatchObject({
      code: "WRITE_DROPPED",
      message: expect.stringContaining("not a commit"),
    });
    await expectWell([a, b]);
  });

  it("may not put an alias where a ref is in its way", async () => {
    await using cluster = await TestCluster.make();
    const { a, b } = await withAlias(cluster, `update-ref refs/heads/dir/x ${MAIN}`);
    // Its own git would not.
    const landing = session(a, (path) => writeFile(join(path, "refs/heads/dir"), `${TO_MAIN}\n`));
    await expect(landing).rejects.toMatchObject({
      code: "WRITE_DROPPED",
      message: expect.stringContaining("conflicts"),
    });
    await expectWell([a, b]);
  });
});

describe("a push through an alias", () => {
  it("moves, deletes and makes its target, as git does, and leaves the alias", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, history } = await withAlias(cluster, "symbolic-ref HEAD refs/heads/other");
    const [one, two, three] = history;
    for (const [oldValue, newValue] of [
      [one, two],
      [two, null],
      [null, three],
    ] as const) {
      expect(await a.push(APP, [change(ALIAS, oldValue, newValue)])).toEqual({ [ALIAS]: null });
      expect(await a.refs(APP)).toMatchObject({ [ALIAS]: TO_MAIN, ...(newValue && { [MAIN]: newValue }) });
      expect((await log(cluster)).at(-1)?.names).toEqual([MAIN]);
      await expectWell([a, b]);
    }
  });

  it("goes over several aliases, beside other refs, and from a device that has just heard of them", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, history } = await withAlias(cluster, `symbolic-ref refs/heads/second ${ALIAS}`);
    const [one] = history;
    const two = await b.commit(APP, "two", { parents: [one] });
    expect(await b.push(APP, [change("second", one, two), change("new", null, two)])).toEqual({
      "refs/heads/second": null,
      "refs/heads/new": null,
    });
    expect((await log(cluster)).at(-1)?.names).toEqual([MAIN, "refs/heads/new"]);
    await expectWell([a, b]);
  });

  it("is refused where its target is not as the pusher saw it", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, history } = await withAlias(cluster);
    const [one, two, three] = history;
    expect(await a.push(APP, [change(ALIAS, two, three), change("other", one, two)])).toEqual({
      [ALIAS]: "fetch first",
      "refs/heads/other": null,
    });
    expect(await a.push(APP, [change(ALIAS, two, three), change("other", two, one)], { atomic: true })).toEqual({
      [ALIAS]: "fetch first",
      "refs/heads/other": "atomic push failure",
    });
    await expectWell([a, b]);
  });

  it("a push through an alias and to its target at once is one change, or refused where they differ", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, history } = await withAlias(cluster);
    const [one, two, three] = history;
    expect(await a.push(APP, [change(ALIAS, one, two), change("main", one, two)])).toEqual({
      [ALIAS]: null,
      [MAIN]: null,
    });
    const inconsistent = "inconsistent aliased update";
    expect(await a.push(APP, [change(ALIAS, two, one), change("main", two, three), change("new", null, one)])).toEqual({
      [ALIAS]: inconsistent,
      [MAIN]: inconsistent,
      "refs/heads/new": null,
    });
    expect(
      await a.push(APP, [change(ALIAS, two, one), change("main", two, three), change("more", null, one)], {
        atomic: true,
      }),
    ).toEqual({
      [ALIAS]: inconsistent,
      [MAIN]: inconsistent,
      "refs/heads/more": "atomic push failure",
    });
    expect((await a.refs(APP))[MAIN]).toBe(two);
    await expectWell([a, b]);
  });

  it("is refused if the alias leads in a circle", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, history } = await withAlias(
      cluster,
      "symbolic-ref refs/heads/x refs/heads/y",
      "symbolic-ref refs/heads/y refs/heads/x",
    );
    expect(await a.push(APP, [change("x", null, history[0]), change("ok", null, history[0])])).toEqual({
      "refs/heads/x": "broken symref",
      "refs/heads/ok": null,
    });
    await expectWell([a, b]);
  });
});
