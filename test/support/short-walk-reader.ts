// A repository, and the git that reads its objects for short walks.
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { KeptReader } from "../../src/git/reading/kept-reader.ts";
import { isWholeNearby } from "../../src/git/reading/short-walk.ts";
import { processesAt } from "./git.ts";
import { type Repository, repository } from "./ref-sandbox.ts";

export const MAIN = "refs/heads/main";
export const PERSON = "Ada <ada@example.com> 1 +0000";

/** A repository whose main holds a commit with some files, and a reader of it. */
export async function withReader({ format, idleMs = 100_000 }: { format?: string; idleMs?: number } = {}) {
  const repo = await repository(format);
  const kept = new KeptReader(idleMs);
  const git = (args: string[], input = "") => repo.sandbox.git(args, { cwd: repo.dir, input });
  const hash = (type: string, content: string) =>
    git(["hash-object", "--literally", "-t", type, "-w", "--stdin"], content);
  const tree = (entries: readonly string[]) =>
    git(["mktree", "--missing"], entries.map((each) => `${each}\n`).join(""));
  const commitOf = (treeId: string, parents: readonly string[] = [], message = "a message") =>
    hash(
      "commit",
      `tree ${treeId}\n${parents.map((id) => `parent ${id}\n`).join("")}author ${PERSON}\ncommitter ${PERSON}\n\n${message}\n`,
    );
  /** Makes a tree of any entries, also of those that git would not make. */
  const anyTree = async (entries: readonly (readonly [mode: string, name: string, id: string])[]) => {
    const path = join(repo.sandbox.dir, "tree");
    await writeFile(
      path,
      Buffer.concat(entries.flatMap(([mode, name, id]) => [Buffer.from(`${mode} ${name}\0`), Buffer.from(id, "hex")])),
    );
    return await git(["hash-object", "--literally", "-t", "tree", "-w", path]);
  };
  const blob = (content: string) => hash("blob", content);
  const files = async (count: number) =>
    await Promise.all(
      Array.from({ length: count }, async (_, index) => `100644 blob ${await blob(`${index}`)}\tf${index}`),
    );
  const inner = await tree(await files(3));
  const root = await tree([`100644 blob ${await blob("read me")}\tREADME`, `040000 tree ${inner}\tsrc`]);
  const base = await commitOf(root);
  await git(["update-ref", MAIN, base]);
  return {
    ...repo,
    kept,
    git,
    hash,
    tree,
    anyTree,
    commitOf,
    blob,
    files,
    root,
    inner,
    base,
    reader: () => kept.get(repo.context, repo.dir),
    isWhole: async (tips: readonly string[], ends: readonly string[] = [MAIN]) =>
      await isWholeNearby(kept.get(repo.context, repo.dir), tips, ends),
    /** Takes a loose object away. */
    lose: async (id: string) => await rm(join(repo.dir, "objects", id.slice(0, 2), id.slice(2)), { force: true }),
    async [Symbol.asyncDispose]() {
      kept.end();
      await repo[Symbol.asyncDispose]();
    },
  };
}

export async function readers({ dir }: Pick<Repository, "dir">): Promise<string[]> {
  return (await processesAt(dir)).filter((each) => each.includes("cat-file")).map((each) => each.split(" ")[0]!);
}
