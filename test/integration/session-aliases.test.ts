// A session changes symbolic refs, and other devices get them.
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { ALIAS, APP, expectWell, MAIN, TO_MAIN, withAlias } from "../support/alias-to-main.ts";
import { beginSession, bumpSession } from "../support/sessions.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import type { TestDevice } from "../support/sync-device.ts";

const run = promisify(execFile);

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
