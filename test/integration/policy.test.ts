import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isFastForward, ReceivePolicies } from "../../src/git/policy.ts";
import type { GitContext } from "../../src/git/process.ts";
import { type GitSandbox, gitSandbox } from "../support/git.ts";

async function repository(sandbox: GitSandbox): Promise<{ dir: string; context: GitContext }> {
  return { dir: await sandbox.bare("repo.git"), context: { path: sandbox.env.PATH!, home: sandbox.dir, lockFd: null } };
}

const DEFAULTS = { denyDeletes: false, denyNonFastForwards: false, denyDeleteCurrent: "refuse" };

describe("the policy of a repository", () => {
  it("is git's own where nothing is set", async () => {
    await using sandbox = await gitSandbox();
    const { dir, context } = await repository(sandbox);
    expect(await new ReceivePolicies(context).read(dir)).toEqual(DEFAULTS);
  });

  it.each([
    ["denyDeletes = true", { denyDeletes: true }],
    ["denyDeletes", { denyDeletes: true }],
    ["denyDeletes = YES", { denyDeletes: true }],
    ["denyDeletes = 1", { denyDeletes: true }],
    ["denyDeletes = off", {}],
    ["denyDeletes = ", {}],
    ["DENYDELETES = on", { denyDeletes: true }],
    ["denyDeletes = true\n\tdenyDeletes = false", {}],
    ["denyNonFastForwards = true", { denyNonFastForwards: true }],
    ["denyNonFastForwards = no", {}],
    ["denyDeleteCurrent = refuse", {}],
    ["denyDeleteCurrent = true", {}],
    ["denyDeleteCurrent = warn", { denyDeleteCurrent: "warn" }],
    ["denyDeleteCurrent = ignore", { denyDeleteCurrent: "ignore" }],
    ["denyDeleteCurrent = false", { denyDeleteCurrent: "ignore" }],
  ])("reads [receive] %j as git does", async (line, expected) => {
    await using sandbox = await gitSandbox();
    const { dir, context } = await repository(sandbox);
    const config = join(dir, "config");
    await writeFile(config, `${await readFile(config, "utf8")}[receive]\n\t${line}\n`);
    expect(await new ReceivePolicies(context).read(dir)).toEqual({ ...DEFAULTS, ...expected });
  });

  it("does not come from the user or the machine", async () => {
    await using sandbox = await gitSandbox();
    const { dir, context } = await repository(sandbox);
    await writeFile(join(sandbox.dir, ".gitconfig"), "[receive]\n\tdenyDeletes = true\n");
    expect(await new ReceivePolicies(context).read(dir)).toEqual(DEFAULTS);
  });

  it("costs a git process only when the file has changed", async () => {
    await using sandbox = await gitSandbox();
    const { dir, context } = await repository(sandbox);
    const bin = join(sandbox.dir, "bin");
    const count = join(sandbox.dir, "count");
    await mkdir(bin);
    await writeFile(join(bin, "git"), `#!/bin/sh\nPATH='${context.path}'\necho x >> '${count}'\nexec git "$@"\n`);
    await chmod(join(bin, "git"), 0o755);
    const policies = new ReceivePolicies({ ...context, path: `${bin}:${context.path}` });
    for (let time = 0; time < 3; time += 1) expect(await policies.read(dir)).toEqual(DEFAULTS);
    expect(await readFile(count, "utf8")).toBe("x\n");
    await sandbox.git(["config", "receive.denyDeletes", "true"], { cwd: dir });
    for (let time = 0; time < 3; time += 1) {
      expect(await policies.read(dir)).toEqual({ ...DEFAULTS, denyDeletes: true });
    }
    expect(await readFile(count, "utf8")).toBe("x\nx\n");
  });

  it("of a repository that is gone cannot be read", async () => {
    await using sandbox = await gitSandbox();
    const { dir, context } = await repository(sandbox);
    const policies = new ReceivePolicies(context);
    await policies.read(dir);
    await rm(dir, { recursive: true });
    await expect(policies.read(dir)).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe("a fast-forward", () => {
  it("contains what was there, which is also true of the same commit", async () => {
    await using sandbox = await gitSandbox();
    const { context } = await repository(sandbox);
    const work = await sandbox.workTree("work");
    const one = await sandbox.commit(work, "one");
    const two = await sandbox.commit(work, "two");
    await sandbox.git(["checkout", "--quiet", "--orphan", "other"], { cwd: work });
    const other = await sandbox.commit(work, "other");
    const dir = join(work, ".git");
    expect(await isFastForward(context, dir, one, two)).toBe(true);
    expect(await isFastForward(context, dir, two, two)).toBe(true);
    expect(await isFastForward(context, dir, two, one)).toBe(false);
    expect(await isFastForward(context, dir, one, other)).toBe(false);
    expect(await isFastForward(context, dir, "12".repeat(20), two)).toBe(false);
  });
});
