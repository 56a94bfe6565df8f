// A pack with two commits, and the replica that receives it.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { expect, vi } from "vitest";
import { existingObjects } from "../../src/git/objects/connectivity.ts";
import { receivePack } from "../../src/git/objects/receive-pack.ts";
import type { GitContext } from "../../src/git/process.ts";
import { type GitSandbox, gitSandbox, processesAt } from "./git.ts";
import { soon } from "./soon.ts";

export interface Fixture extends AsyncDisposable {
  readonly sandbox: GitSandbox;
  readonly context: GitContext;
  /** The receiving repository. */
  readonly dir: string;
  /** Where the commits are, `one` and its child `two`. */
  readonly source: string;
  readonly one: string;
  readonly two: string;
  pack(options: readonly string[], revisions: readonly string[]): Promise<Buffer>;
  receive(
    pack: Buffer | Parameters<typeof receivePack>[2]["pack"],
    more?: Partial<Parameters<typeof receivePack>[2]>,
  ): Promise<void>;
  has(id: string): Promise<boolean>;
}

export const never = new AbortController().signal;
export const SOON = soon();
/** The git that reads a pack; the one that walks from tip to tip is there as well, and waits for its turn. */
export const receiving = async (f: Fixture) => (await processesAt(f.dir)).filter((line) => line.includes("index-pack"));

export async function fixture(content: { one?: string | Buffer; two?: string | Buffer } = {}): Promise<Fixture> {
  const sandbox = await gitSandbox();
  // Where git splits the list of alternates, and what it takes for quotes and escapes there.
  const dir = await sandbox.bare('a:b/"ü\\.git');
  const source = await sandbox.workTree("source");
  const one = await sandbox.commit(source, "one", { file: content.one ?? "one\n" });
  const two = await sandbox.commit(source, "two", { file: content.two ?? "two\n" });
  const context = { path: sandbox.env.PATH!, home: sandbox.dir, lockFd: null };
  return {
    sandbox,
    context,
    dir,
    source,
    one,
    two,
    pack: async (options, revisions) =>
      (
        await sandbox.run(["pack-objects", "--stdout", "-q", ...options], {
          cwd: source,
          input: `${revisions.join("\n")}\n`,
        })
      ).bytes,
    receive: (pack, more) =>
      receivePack(context, dir, {
        pack: Buffer.isBuffer(pack) ? Readable.from([pack]) : pack,
        wants: [two],
        haves: [],
        signal: never,
        ...more,
      }),
    has: async (id) => (await existingObjects(context, dir, [id], never)).length === 1,
    async [Symbol.asyncDispose]() {
      const quarantines = (await readdir(join(dir, "objects"))).filter((name) => name.startsWith("tmp_objdir"));
      await vi.waitFor(async () => expect(await processesAt(sandbox.dir)).toEqual([]), SOON);
      await sandbox[Symbol.asyncDispose]();
      expect(quarantines).toEqual([]);
    },
  };
}
