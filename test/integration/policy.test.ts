import { appendFile, chmod, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import type { GitContext } from "../../src/git/process.ts";
import { isFastForward, ReceivePolicies } from "../../src/git/receive-policy.ts";
import { type GitSandbox, gitSandbox } from "../support/git.ts";
import { gitServer } from "../support/git-server.ts";

async function repository(sandbox: GitSandbox): Promise<{ dir: string; context: GitContext }> {
  return { dir: await sandbox.bare("repo.git"), context: { path: sandbox.env.PATH!, home: sandbox.dir, lockFd: null } };
}

const DEFAULTS = {
  denyDeletes: false,
  denyNonFastForwards: false,
  denyDeleteCurrent: "refuse",
  denyCurrentBranch: "refuse",
  updateHook: undefined,
  hooks: expect.stringMatching(/\/repo\.git\/hooks$/),
};

/** A repository whose git server has a home directory of its own, and one sidecar that asks for its policy. */
async function served(sandbox: GitSandbox) {
  const { dir } = await repository(sandbox);
  const home = join(sandbox.dir, "home");
  await mkdir(home);
  const policies = new ReceivePolicies(join(sandbox.dir, "state"));
  const plain = { PATH: sandbox.env.PATH!, HOME: home, GIT_CONFIG_NOSYSTEM: "1" };
  let asked = 0;
  const read = async (env: Record<string, string> = {}) => {
    const server = gitServer(dir, { ...plain, ...env });
    const runHook: typeof server.runHook = (path, args) => {
      asked += 1;
      return server.runHook(path, args);
    };
    return await policies.read(dir, { ...server, runHook });
  };
  const write = async (path: string, text: string) => {
    await mkdir(dirname(path), { recursive: true });
    await appendFile(path, text);
  };
  return { dir, home, read, write, asked: () => asked, config: join(dir, "config"), state: join(sandbox.dir, "state") };
}

const DENY = "[receive]\n\tdenyDeletes = true\n";
const DENIED = { ...DEFAULTS, denyDeletes: true };

describe("the policy of a repository", () => {
  it("is git's own where nothing is set", async () => {
    await using sandbox = await gitSandbox();
    const { read } = await served(sandbox);
    expect(await read()).toEqual(DEFAULTS);
  });

  it.each([
    ["denyDeletes = true", { denyDeletes: true }],
    ["denyDeletes", { denyDeletes: true }],
    ["denyDeletes = YES", { denyDeletes: true }],
    ["denyDeletes = 1", { denyDeletes: true }],
    ["denyDeletes = off", {}],
    ["denyDeletes = ", {}],
    ["denyDeletes = 0", {}],
    ["DENYDELETES = on", { denyDeletes: true }],
    ["denyDeletes = true\n\tdenyDeletes = false", {}],
    ["denyNonFastForwards = true", { denyNonFastForwards: true }],
    ["denyNonFastForwards = no", {}],
    ["denyDeleteCurrent = refuse", {}],
    ["denyDeleteCurrent = true", {}],
    ["denyDeleteCurrent = updateInstead", {}],
    ["denyDeleteCurrent = warn", { denyDeleteCurrent: "warn" }],
    ["denyDeleteCurrent = ignore", { denyDeleteCurrent: "ignore" }],
    ["denyDeleteCurrent = false", { denyDeleteCurrent: "ignore" }],
    ["denyDeleteCurrent", { denyDeleteCurrent: "ignore" }],
    ["denyCurrentBranch = Warn", { denyCurrentBranch: "warn" }],
  ])("reads [receive] %j as git does", async (line, expected) => {
    await using sandbox = await gitSandbox();
    const { read, write, config } = await served(sandbox);
    await write(config, `[receive]\n\t${line}\n`);
    expect(await read()).toEqual({ ...DEFAULTS, ...expected });
  });

  // Paths and values may begin with the home directory (~) or the repository (.).
  it.each<[string, Record<string, string>, Record<string, string>]>([
    ["of the git server's user", { "~/.gitconfig": DENY }, {}],
    ["of that user, in the other place", { "~/.config/git/config": DENY }, {}],
    ["of XDG_CONFIG_HOME", { "~/x/git/config": DENY }, { XDG_CONFIG_HOME: "~/x" }],
    ["of the machine", { "~/system": DENY }, { GIT_CONFIG_SYSTEM: "~/system", GIT_CONFIG_NOSYSTEM: "0" }],
    ["named by GIT_CONFIG_GLOBAL", { "~/g": DENY }, { GIT_CONFIG_GLOBAL: "~/g" }],
    [
      "in the environment",
      {},
      { GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "receive.denyDeletes", GIT_CONFIG_VALUE_0: "true" },
    ],
    ["included by the repository's", { "./more/rules": DENY, "./config": "[include]\n\tpath = more/rules\n" }, {}],
    ["included by the user's, from there", { "~/rules": DENY, "~/.gitconfig": "[include]\n\tpath = rules\n" }, {}],
    [
      "included by the user's for this directory",
      { "~/rules": DENY, "~/.gitconfig": '[includeIf "gitdir:**/repo.git"]\n\tpath = ~/rules\n' },
      {},
    ],
    [
      "included by an included file",
      {
        "~/b/rules": DENY,
        "~/a": "[include]\n\tpath = b/rules\n",
        "~/.gitconfig": "[include]\n\tpath = ~/a\n",
      },
      {},
    ],
  ])("obeys the configuration %s, whenever it comes there and goes", async (_, files, variables) => {
    await using sandbox = await gitSandbox();
    const at = await served(sandbox);
    for (let time = 0; time < 3; time += 1) expect(await at.read()).toEqual(DEFAULTS);
    const placed = (path: string) => path.replace(/^~(?=\/)/, at.home).replace(/^\.(?=\/)/, at.dir);
    for (const [path, text] of Object.entries(files)) await at.write(placed(path), text);
    const env = Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, placed(value)]));
    for (let time = 0; time < 3; time += 1) expect(await at.read(env)).toEqual(DENIED);
    const asked = at.asked();
    // Nothing has changed: nobody is asked.
    for (let time = 0; time < 3; time += 1) expect(await at.read(env)).toEqual(DENIED);
    expect(at.asked()).toBe(asked);
    await rm(at.home, { recursive: true });
    await rm(join(at.dir, "more"), { recursive: true, force: true });
    expect(await at.read()).toEqual(DEFAULTS);
  });

  it("notices a file that was included before it was there", async () => {
    await using sandbox = await gitSandbox();
    const { dir, home, read, write, config } = await served(sandbox);
    await write(join(home, ".gitconfig"), '[includeIf "onbranch:main"]\n\tpath = main-rules\n');
    await write(config, "[include]\n\tpath = rules\n");
    for (let time = 0; time < 3; time += 1) expect(await read()).toEqual(DEFAULTS);
    await write(join(dir, "rules"), "[receive]\n\tdenyNonFastForwards = true\n");
    expect(await read()).toEqual({ ...DEFAULTS, denyNonFastForwards: true });
    await write(join(home, "main-rules"), DENY);
    expect(await read()).toEqual({ ...DENIED, denyNonFastForwards: true });
    await writeFile(join(dir, "HEAD"), "ref: refs/heads/other\n");
    expect(await read()).toEqual({ ...DEFAULTS, denyNonFastForwards: true });
  });

  it("is that of the user's configuration again once the repository's setting is removed", async () => {
    await using sandbox = await gitSandbox();
    const { home, read, write, config } = await served(sandbox);
    await write(join(home, ".gitconfig"), DENY);
    const before = await readFile(config);
    await write(config, "[receive]\n\tdenyDeletes = false\n");
    for (let time = 0; time < 3; time += 1) expect(await read()).toEqual(DEFAULTS);
    await writeFile(config, before);
    expect(await read()).toEqual(DENIED);
  });

  it("differs between two git servers of one repository, and each is asked once", async () => {
    await using sandbox = await gitSandbox();
    const { home, read, write, asked } = await served(sandbox);
    await write(join(home, "other/.gitconfig"), DENY);
    const other = { HOME: join(home, "other") };
    for (let time = 0; time < 3; time += 1) {
      expect(await read()).toEqual(DEFAULTS);
      expect(await read(other)).toEqual(DENIED);
    }
    const before = asked();
    expect(await read()).toEqual(DEFAULTS);
    expect(await read(other)).toEqual(DENIED);
    expect(asked()).toBe(before);
  });

  it("has the update hook from where git finds hooks, if it can be run", async () => {
    await using sandbox = await gitSandbox();
    const { dir, home, read, write } = await served(sandbox);
    const own = join(dir, "hooks/update");
    await write(own, "#!/bin/sh\n");
    expect((await read()).updateHook).toBeUndefined();
    await chmod(own, 0o755);
    expect((await read()).updateHook).toBe(own);
    await write(join(home, ".gitconfig"), "[core]\n\thooksPath = ~/hooks\n");
    expect((await read()).updateHook).toBeUndefined();
    const shared = join(home, "hooks/update");
    await write(shared, "#!/bin/sh\n");
    await chmod(shared, 0o755);
    expect(await read()).toMatchObject({ updateHook: shared, hooks: dirname(shared) });
    await rm(shared);
    expect((await read()).updateHook).toBeUndefined();
  });

  it("cannot be read where git cannot read its configuration, and nothing is left of the question", async () => {
    await using sandbox = await gitSandbox();
    const { config, read, write, state } = await served(sandbox);
    await write(config, "[receive\n");
    await expect(read()).rejects.toMatchObject({ code: "GIT_FAILED" });
    expect(await readdir(join(state, "asked"))).toEqual([]);
  });
});

describe("a fast-forward", () => {
  it("has the old commit among its ancestors, or is the same commit", async () => {
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
