// Pushes that land over versions which their device does not have yet.
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, vi } from "vitest";
import { processesAt } from "../support/git.ts";
import { appliedBy, beforeDecision, expectWell, MAIN, pair, versionsOf } from "../support/overtaking.ts";
import { APP } from "../support/pushed-once.ts";
import { beginSession, bumpSession } from "../support/sessions.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON } from "../support/sync-device.ts";
import { writes } from "../support/write-rows.ts";

const run = promisify(execFile);

describe("a push during whose decision another device pushed", () => {
  it("lands at once if that was to other refs, and its device has both before it says ok", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, history } = await pair(cluster);
    const mine = await b.commit(APP, "mine");
    const seen = beforeDecision(b, async () => {
      await a.push(APP, [change("main", history[0], history[1])]);
      await a.push(APP, [change("topic", null, history[2])]);
    });
    expect(await b.push(APP, [change("mine", null, mine)])).toEqual({ "refs/heads/mine": null });
    expect(seen.decisions).toBe(1);
    expect(await versionsOf(cluster)).toEqual(["1 repo001", "2 repo001", "3 repo001", "4 repo002"]);
    expect(appliedBy(b)).toBe(4n);
    expect(await b.refs(APP)).toMatchObject({
      [MAIN]: history[1],
      "refs/heads/topic": history[2],
      "refs/heads/mine": mine,
    });
    expect((await writes(cluster)).map(({ status }) => status)).toEqual(Array(4).fill("landed"));
    await expectWell(a, b);
  });

  it("is told to fetch first, without another decision, if that was to the same ref", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, history } = await pair(cluster);
    const mine = await b.commit(APP, "mine", { parents: [history[0]!] });
    const seen = beforeDecision(b, () => a.push(APP, [change("main", history[0], history[1])]));
    expect(await b.push(APP, [change("main", history[0], mine)])).toEqual({ [MAIN]: "fetch first" });
    expect(seen.decisions).toBe(1);
    await expectWell(a, b);
  });

  it("has both at once also if its git is killed then, with locks on refs", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, history } = await pair(cluster);
    const mine = await b.commit(APP, "mine");
    beforeDecision(b, async () => {
      await a.push(APP, [change("main", history[0], history[1])]);
      const holder = (await processesAt(b.gitDir(APP))).find((line) => line.includes("update-ref"))!;
      process.kill(Number(holder.split(" ")[0]), "SIGKILL");
      await vi.waitFor(async () => expect(await processesAt(b.gitDir(APP))).not.toContain(holder), SOON);
      expect(await b.leftovers(APP)).toContain("refs/heads/mine.lock");
    });
    expect(await b.push(APP, [change("mine", null, mine)])).toEqual({ "refs/heads/mine": null });
    expect(appliedBy(b)).toBe(3n);
    await expectWell(a, b);
  });

  it("lands its other refs if it is not atomic, and none if it is", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, history } = await pair(cluster);
    const mine = await b.commit(APP, "mine", { parents: [history[0]!] });
    const updates = (name: string) => [change("main", history[0], mine), change(name, null, mine)];
    beforeDecision(b, () => a.push(APP, [change("main", history[0], history[1])]));
    expect(await b.push(APP, updates("one"))).toEqual({ [MAIN]: "fetch first", "refs/heads/one": null });
    beforeDecision(b, () => a.push(APP, [change("main", history[1], history[0])]));
    expect(await b.push(APP, [change("main", history[1], mine), change("two", null, mine)], { atomic: true })).toEqual({
      [MAIN]: "fetch first",
      "refs/heads/two": "atomic push failure",
    });
    await expectWell(a, b);
  });

  it.each<[string, string, string]>([
    ["above", "x", "x/y"],
    ["below", "x/y", "x"],
  ])("is refused as git refuses it when that made a ref %s its own", async (_, theirs, ours) => {
    await using cluster = await TestCluster.make();
    const { a, b, history } = await pair(cluster);
    beforeDecision(b, () => a.push(APP, [change(theirs, null, history[0])]));
    expect(await b.push(APP, [change(ours, null, history[0]), change("other", null, history[0])])).toEqual({
      [`refs/heads/${ours}`]: "conflicts with an existing ref",
      "refs/heads/other": null,
    });
    await expectWell(a, b);
  });

  it("finds the room that a deletion on another device has made", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, history } = await pair(cluster);
    await a.push(APP, [change("x", null, history[0])]);
    await b.read(APP);
    let staged = 0;
    b.onStatement = async (text, run) => {
      if (text.includes("stage_write(") && ++staged === 1) await a.push(APP, [change("x", history[0], null)]);
      return await run();
    };
    expect(await b.push(APP, [change("x/y", null, history[0])])).toEqual({ "refs/heads/x/y": null });
    await expectWell(a, b);
  });

  it("does not follow an alias to where it led before", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, history } = await pair(cluster);
    await a.push(APP, [change("other", null, history[0])]);
    const point = async (target: string) => {
      const { path, token } = await beginSession(a, APP);
      await run("git", ["symbolic-ref", "refs/heads/alias", target], { env: { ...process.env, GIT_DIR: path } });
      await bumpSession(a, APP, token);
    };
    await point(MAIN);
    await b.read(APP);
    // The first attempt learns that the ref is an alias, the second one is overtaken in its decision.
    beforeDecision(b, () => point("refs/heads/other"));
    const two = await b.commit(APP, "two", { parents: [history[0]!] });
    expect(await b.push(APP, [change("alias", history[0], two)])).toEqual({ "refs/heads/alias": null });
    expect(await a.read(APP).then(() => a.refs(APP))).toMatchObject({
      [MAIN]: history[0],
      "refs/heads/other": two,
      "refs/heads/alias": "ref: refs/heads/other",
    });
    await expectWell(a, b);
  });
});

describe("a repository whose writes land one at a time", () => {
  it("lands on the head only if a reference-transaction hook looks on", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, history } = await pair(cluster);
    const hook = join(b.gitDir(APP), "hooks", "reference-transaction");
    const told = join(cluster.dir, "told");
    await writeFile(hook, `#!/bin/sh\nwhile read old new ref; do echo "$1 $ref" >>'${told}'; done\n`, { mode: 0o755 });
    const seen = beforeDecision(b, () => a.push(APP, [change("main", history[0], history[1])]));
    expect(await b.push(APP, [change("mine", null, history[0])])).toEqual({ "refs/heads/mine": null });
    expect(seen.decisions).toBe(2);
    expect(await readFile(told, "utf8")).toContain("committed refs/heads/mine\n");
    await expectWell(a, b);
  });

  it("lets a push try again that another device overtook", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, history } = await pair(cluster);
    await cluster.sql("update lockstep.repository set serial = true");
    const seen = beforeDecision(b, () => a.push(APP, [change("main", history[0], history[1])]));
    expect(await b.push(APP, [change("mine", null, history[0])])).toEqual({ "refs/heads/mine": null });
    expect(seen.decisions).toBe(2);
    expect((await writes(cluster)).map(({ drop_reason }) => drop_reason)).toContain("not landed: stale");
    await expectWell(a, b);
  });
});
