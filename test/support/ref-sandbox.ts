// A repository with two commits, whose refs a test changes by hand.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, vi } from "vitest";
import type { GitContext } from "../../src/git/process.ts";
import { applyRefs, readRefs } from "../../src/git/refs/refs.ts";
import type { RefCommand } from "../../src/git/transactions/ref-transaction.ts";
import { type GitSandbox, gitSandbox, processesAt } from "./git.ts";
import { planFrom, textOf, update } from "./refs.ts";
import { soon } from "./soon.ts";

export const CAFE = "refs/heads/caf\xe9";

/** Whatever the ref holds now. */
export function set(name: string, newValue: string | null): RefCommand {
  return { ...update(name, null, newValue), oldValue: undefined };
}

export async function apply(context: GitContext, dir: string, plan: ReadonlyMap<string, string | null>): Promise<void> {
  await applyRefs(context, dir, planFrom(plan));
}

export interface Repository extends AsyncDisposable {
  readonly context: GitContext;
  readonly dir: string;
  readonly sandbox: GitSandbox;
  readonly one: string;
  readonly two: string;
  refs(): Promise<Record<string, string>>;
  locks(): Promise<string[]>;
}

export async function repository(format = "sha1"): Promise<Repository> {
  const sandbox = await gitSandbox();
  const dir = join(sandbox.dir, 'ü:"x.git');
  await sandbox.git(["init", "--quiet", "--bare", "--initial-branch=main", `--object-format=${format}`, dir]);
  const context = { path: sandbox.env.PATH!, home: sandbox.dir, lockFd: null };
  const tree = await sandbox.git(["mktree"], { cwd: dir });
  const commit = (...args: string[]) => sandbox.git(["commit-tree", tree, ...args], { cwd: dir });
  const one = await commit("-m", "one");
  const two = await commit("-m", "two", "-p", one);
  return {
    context,
    dir,
    sandbox,
    one,
    two,
    refs: async () => textOf(await readRefs(context, dir)),
    locks: async () => (await readdir(dir, { recursive: true })).filter((name) => name.endsWith(".lock")).sort(),
    async [Symbol.asyncDispose]() {
      await vi.waitFor(async () => expect(await processesAt(sandbox.dir)).toEqual([]), soon());
      await sandbox[Symbol.asyncDispose]();
    },
  };
}
