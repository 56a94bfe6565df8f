import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { applyRefs, difference, readRefs } from "../../src/git/refs/refs.ts";
import { readHead } from "../../src/git/refs/symbolic-refs.ts";
import { KeptGit } from "../../src/git/transactions/kept-git.ts";
import { StartedTransaction } from "../../src/git/transactions/started-transaction.ts";
import { apply, CAFE, repository } from "../support/ref-sandbox.ts";
import { planFrom, refsFrom } from "../support/refs.ts";

describe("applying a plan", () => {
  it("brings any refs to any others, and can be done twice", async () => {
    await using repo = await repository();
    const { context, dir, one, two } = repo;
    const states: Record<string, string>[] = [
      { HEAD: "ref: refs/heads/main" },
      { HEAD: "ref: refs/heads/main", "refs/heads/x": one, "refs/heads/y/z": one, [CAFE]: two },
      { HEAD: "ref: refs/heads/x/y", "refs/heads/x/y": one, "refs/heads/y": two, [`${CAFE}/below`]: two },
      { HEAD: "ref: refs/heads/x/y", "refs/heads/x/y/z": two, "refs/heads/y/z/w": two, "refs/tags/t": one },
      { HEAD: "ref: refs/heads/none", "refs/heads/x": two, "refs/heads/y/z": one },
    ];
    for (const from of states) {
      for (const to of states) {
        await applyRefs(context, dir, difference(await readRefs(context, dir), refsFrom(from)));
        expect(await repo.refs()).toEqual(from);
        const plan = difference(await readRefs(context, dir), refsFrom(to));
        await applyRefs(context, dir, plan);
        await applyRefs(context, dir, plan);
        expect(await repo.refs()).toEqual(to);
      }
    }
  });

  it("uses a git that was started early for the first of two transactions only", async () => {
    await using repo = await repository();
    const { context, dir, one } = repo;
    await apply(context, dir, new Map([["refs/heads/a", one]]));
    // No git stays after a transaction where reflogs lie.
    await mkdir(join(dir, "logs"));
    await using started = new StartedTransaction(context, dir, { kept: new KeptGit() });
    const plan = { "refs/heads/a": null, "refs/heads/a/below": one };
    await applyRefs(context, dir, planFrom(new Map(Object.entries(plan))), { started });
    expect(await repo.refs()).toEqual({ HEAD: "ref: refs/heads/main", "refs/heads/a/below": one });
  });

  it("deletes what is packed, and what is not there", async () => {
    await using repo = await repository();
    const { context, dir, one } = repo;
    await apply(
      context,
      dir,
      new Map([
        ["refs/heads/packed", one],
        ["refs/heads/other", one],
      ]),
    );
    await repo.sandbox.git(["pack-refs", "--all"], { cwd: dir });
    await apply(
      context,
      dir,
      new Map([
        ["refs/heads/packed", null],
        ["refs/heads/never", null],
      ]),
    );
    expect(await repo.refs()).toEqual({ HEAD: "ref: refs/heads/main", "refs/heads/other": one });
  });

  it("throws what git said when objects are missing, and changes nothing", async () => {
    await using repo = await repository();
    const { context, dir, one } = repo;
    const plan = new Map([
      ["refs/heads/good", one],
      ["refs/heads/void", "12".repeat(20)],
    ]);
    await expect(apply(context, dir, plan)).rejects.toMatchObject({
      code: "GIT_FAILED",
      message: expect.stringContaining("nonexistent object"),
    });
    expect(await repo.refs()).toEqual({ HEAD: "ref: refs/heads/main" });
  });
});

describe("reading refs", () => {
  it("leaves out those of Lockstep, and reads symbolic ones as such", async () => {
    await using repo = await repository();
    const { context, dir, one } = repo;
    await apply(
      context,
      dir,
      new Map([
        ["refs/heads/main", one],
        ["refs/lockstep/lost/1", one],
        ["refs/lockstepper", one],
      ]),
    );
    await repo.sandbox.git(["symbolic-ref", "refs/remotes/origin/HEAD", "refs/heads/main"], { cwd: dir });
    expect(await repo.refs()).toEqual({
      HEAD: "ref: refs/heads/main",
      "refs/heads/main": one,
      "refs/lockstepper": one,
      "refs/remotes/origin/HEAD": "ref: refs/heads/main",
    });
  });

  it("reads a HEAD that is detached or holds a name in UTF-8", async () => {
    await using repo = await repository();
    const { context, dir, one } = repo;
    await repo.sandbox.git(["symbolic-ref", "HEAD", "refs/heads/日本"], { cwd: dir });
    expect(await readHead(context, dir)).toBe(`ref: ${Buffer.from("refs/heads/日本").toString("latin1")}`);
    await repo.sandbox.git(["update-ref", "--no-deref", "HEAD", one], { cwd: dir });
    expect(await readHead(context, dir)).toBe(one);
  });
});
