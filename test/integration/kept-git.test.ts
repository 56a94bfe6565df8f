// The git that stays between two ref transactions of a replica (src/git/transactions/kept-git.ts).
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { refAuthor } from "../../src/domain.ts";
import { KeptGit } from "../../src/git/transactions/kept-git.ts";
import { type RefCommand, RefTransaction } from "../../src/git/transactions/ref-transaction.ts";
import { StartedTransaction } from "../../src/git/transactions/started-transaction.ts";
import { processesAt } from "../support/git.ts";
import { type Repository, repository, set } from "../support/ref-sandbox.ts";
import { update } from "../support/refs.ts";
import { SOON, soon } from "../support/soon.ts";

const MAIN = "refs/heads/main";

/** A repository whose transactions share a git. */
async function withKeptGit({ format, idleMs = 100_000 }: { format?: string; idleMs?: number } = {}) {
  const repo = await repository(format);
  const kept = new KeptGit(idleMs);
  const prepare = async (commands: readonly RefCommand[], author = refAuthor("ada"), dir = repo.dir) => {
    const transaction = new RefTransaction(repo.context, dir, { count: commands.length, author, kept });
    return { transaction, refusal: await transaction.prepare(commands) };
  };
  return {
    ...repo,
    kept,
    prepare,
    /** Writes refs, and returns the refusal in git's words, if there is one. */
    async write(
      commands: readonly RefCommand[],
      author?: ReturnType<typeof refAuthor>,
      dir?: string,
    ): Promise<string | undefined> {
      const { transaction, refusal } = await prepare(commands, author, dir);
      await using _ = transaction;
      if (refusal === undefined) await transaction.commit();
      return refusal?.message;
    },
    async [Symbol.asyncDispose]() {
      kept.end();
      await repo[Symbol.asyncDispose]();
    },
  };
}

/** Returns the process ids of the gits that write refs in a repository. */
async function writers({ dir }: Repository | { dir: string }): Promise<string[]> {
  const processes = await processesAt(dir);
  return processes.filter((each) => each.includes("update-ref")).map((each) => each.split(" ")[0]!);
}

async function only(repo: { dir: string }): Promise<string> {
  const pids = await writers(repo);
  expect(pids).toHaveLength(1);
  return pids[0]!;
}

describe("the git of a busy replica", () => {
  it.each(["sha1", "sha256"])("writes the refs of one transaction after another (%s)", async (format) => {
    await using repo = await withKeptGit({ format });
    const { one, two } = repo;
    expect(await repo.write([update(MAIN, null, one)])).toBeUndefined();
    const pid = await only(repo);
    expect(await repo.write([update(MAIN, one, two), update("refs/tags/v1", null, one)])).toBeUndefined();
    expect(await repo.write([update("refs/tags/v1", one, null)], refAuthor("olga"))).toBeUndefined();
    expect(await only(repo)).toBe(pid);
    expect(await repo.refs()).toEqual({ HEAD: `ref: ${MAIN}`, [MAIN]: two });
    expect(await repo.locks()).toEqual([]);
  });

  it("ends when nobody has written for a moment", async () => {
    await using repo = await withKeptGit({ idleMs: 1 });
    await repo.write([update(MAIN, null, repo.one)]);
    await vi.waitFor(async () => expect(await writers(repo)).toEqual([]), soon());
    expect(repo.kept.isLikely).toBe(false);
  });

  it("is not started early while one is kept", async () => {
    await using repo = await withKeptGit();
    await repo.write([update(MAIN, null, repo.one)]);
    const pid = await only(repo);
    await using started = new StartedTransaction(repo.context, repo.dir, { kept: repo.kept });
    expect(await only(repo)).toBe(pid);
    expect(started.take(repo.dir, 1)).toBeUndefined();
  });

  it("sees refs that others have changed since, loose and packed", async () => {
    await using repo = await withKeptGit();
    const { one, two, sandbox, dir } = repo;
    await repo.write([update(MAIN, null, one)]);
    const pid = await only(repo);
    await sandbox.git(["update-ref", MAIN, two], { cwd: dir });
    await sandbox.git(["update-ref", "refs/heads/a", one], { cwd: dir });
    await sandbox.git(["pack-refs", "--all", "--prune"], { cwd: dir });
    expect(await repo.write([update(MAIN, two, one), update("refs/heads/a", one, two)])).toBeUndefined();
    await sandbox.git(["update-ref", "-d", "refs/heads/a"], { cwd: dir });
    // The name is free now for refs below it.
    expect(await repo.write([update("refs/heads/a/b", null, one)])).toBeUndefined();
    expect(await only(repo)).toBe(pid);
    await sandbox.git(["update-ref", "-d", "refs/heads/a/b"], { cwd: dir });
    await sandbox.git(["update-ref", "refs/heads/a", one], { cwd: dir });
    expect(await repo.write([update("refs/heads/a/b", null, one)])).toMatch(/exists; cannot create/);
    expect(await repo.refs()).toEqual({ HEAD: `ref: ${MAIN}`, [MAIN]: one, "refs/heads/a": one });
  });

  it("sees objects that came since", async () => {
    await using repo = await withKeptGit();
    const { one, sandbox, dir } = repo;
    await repo.write([update(MAIN, null, one)]);
    const pid = await only(repo);
    const tree = await sandbox.git(["rev-parse", `${one}^{tree}`], { cwd: dir });
    const three = await sandbox.git(["commit-tree", tree, "-m", "three", "-p", one], { cwd: dir });
    await sandbox.git(["repack", "-a", "-d", "-q"], { cwd: dir });
    await sandbox.git(["prune-packed", "-q"], { cwd: dir });
    expect(await repo.write([update(MAIN, one, three)])).toBeUndefined();
    expect(await only(repo)).toBe(pid);
  });

  it("ends when it has refused refs, and the next one writes", async () => {
    await using repo = await withKeptGit();
    const { one, two } = repo;
    await repo.write([update(MAIN, null, one)]);
    const pid = await only(repo);
    expect(await repo.write([update(MAIN, two, one)])).toMatch(/is at .* but expected/);
    expect(await writers(repo)).toEqual([]);
    expect(await repo.write([update(MAIN, one, two)])).toBeUndefined();
    expect(await only(repo)).not.toBe(pid);
  });

  it("gives its locks back when the transaction is given up", async () => {
    await using repo = await withKeptGit();
    const { one, two } = repo;
    await repo.write([update(MAIN, null, one)]);
    const { transaction, refusal } = await repo.prepare([update(MAIN, one, two)]);
    expect(refusal).toBeUndefined();
    await transaction[Symbol.asyncDispose]();
    expect(await repo.locks()).toEqual([]);
    expect(await repo.write([update(MAIN, one, two)])).toBeUndefined();
  });

  it("is replaced when it has died, also if it dies after the next transaction has taken it", async () => {
    await using repo = await withKeptGit();
    const { one, two, context, dir, kept } = repo;
    await repo.write([update(MAIN, null, one)]);
    // This process has not heard of the end yet.
    process.kill(Number(await only(repo)), "SIGKILL");
    expect(await repo.write([update(MAIN, one, two)])).toBeUndefined();
    const pid = await only(repo);
    await using transaction = new RefTransaction(context, dir, { author: refAuthor("ada"), kept });
    expect(await only(repo)).toBe(pid);
    process.kill(Number(pid), "SIGKILL");
    await vi.waitFor(async () => expect(await writers(repo)).toEqual([]), soon());
    expect(await transaction.prepare([update(MAIN, two, one)])).toBeUndefined();
    await transaction.commit();
    expect(await repo.refs()).toMatchObject({ [MAIN]: one });
  });
});

describe("the git of a busy replica is not used", () => {
  it("where another directory has come to the place of the replica", async () => {
    await using repo = await withKeptGit();
    await using other = await repository("sha256");
    const { one, dir, sandbox } = repo;
    await repo.write([update(MAIN, null, one)]);
    const moved = join(sandbox.dir, "moved.git");
    await rename(dir, moved);
    await rename(other.dir, dir);
    expect(await repo.write([update("refs/heads/new", null, other.one)])).toBeUndefined();
    expect(await repo.refs()).toMatchObject({ "refs/heads/new": other.one });
    expect(await sandbox.git(["for-each-ref", "--format=%(refname)"], { cwd: moved })).toBe(MAIN);
  });

  it("where the replica has moved to another path", async () => {
    await using repo = await withKeptGit();
    const { one, two, dir, sandbox } = repo;
    await repo.write([update(MAIN, null, one)]);
    const before = await only(repo);
    const moved = join(sandbox.dir, "moved.git");
    await rename(dir, moved);
    await repo.write([update(MAIN, one, two)], refAuthor("ada"), moved);
    // A git that was killed puts the replica in doubt by the path where it was started.
    await vi.waitFor(async () => expect(await only({ dir: moved })).not.toBe(before), SOON);
    expect(await sandbox.git(["rev-parse", MAIN], { cwd: moved })).toBe(two);
    expect(existsSync(dir)).toBe(false);
  });

  it("where a hook of an operator is to be asked", async () => {
    await using repo = await withKeptGit();
    const { one, two, dir } = repo;
    await repo.write([update(MAIN, null, one)]);
    await mkdir(join(dir, "hooks"), { recursive: true });
    await writeFile(join(dir, "hooks", "reference-transaction"), '#!/bin/sh\n[ "$1" != prepared ]\n', { mode: 0o755 });
    expect(await repo.write([update(MAIN, one, two)])).toMatch(/aborted by hook/);
    expect(await repo.refs()).toMatchObject({ [MAIN]: one });
  });

  it("where git notes the author of each change", async () => {
    await using repo = await withKeptGit();
    const { one, two, dir, sandbox } = repo;
    await sandbox.git(["config", "core.logAllRefUpdates", "always"], { cwd: dir });
    await repo.write([update(MAIN, null, one)], refAuthor("ada"));
    await repo.write([update(MAIN, one, two)], refAuthor("olga"));
    const log = await readFile(join(dir, "logs", MAIN), "utf8");
    expect(log.split("\n").map((line) => /(\w+) <(\w+)>/.exec(line)?.[1])).toEqual(["ada", "olga", undefined]);
  });

  it("the kept git is not used for so many refs that git does not sync each of them", async () => {
    await using repo = await withKeptGit();
    await repo.write([update(MAIN, null, repo.one)]);
    await only(repo);
    await repo.write(Array.from({ length: 300 }, (_, index) => set(`refs/tags/v${index}`, repo.one)));
    // Neither is kept: the second one syncs no ref.
    await vi.waitFor(async () => expect(await writers(repo)).toEqual([]), soon());
  });

  it("where the replica leads git to another directory", async () => {
    await using repo = await withKeptGit();
    const { one, two, dir } = repo;
    await repo.write([update(MAIN, null, one)]);
    await writeFile(join(dir, "objects", "info", "alternates"), "/elsewhere/objects\n");
    await expect(repo.write([update(MAIN, one, two)])).rejects.toMatchObject({ code: "REPLICA_BORROWS" });
    await writeFile(join(dir, "objects", "info", "alternates"), "");
  });
});
