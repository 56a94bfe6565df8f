// Refs that hold nothing git can read, which power loss leaves and a hand may: git neither lists, nor changes, nor deletes them. They are
// looked for by bytes, in the files themselves: what git says of them is meant for people.
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { nameFromBytes, type RefName, refName } from "../domain.ts";
import { isReftable } from "./durability.ts";
import { findFiles } from "./leftovers.ts";
import type { GitContext } from "./process.ts";
import { readHead } from "./symbolic-refs.ts";

/** A ref's file, but for a lock. */
const REF = /(?<!\.lock)$/;
/** What git reads: the name of another ref, or an id that is not all zeros. */
const READABLE = {
  sha1: /^(?:ref:\s*\S|(?!0{40})[0-9a-f]{40}(?:\s|$))/i,
  sha256: /^(?:ref:\s*\S|(?!0{64})[0-9a-f]{64}(?:\s|$))/i,
};

/**
 * Removes broken refs and returns their names. Of a reftable that git cannot read nothing is kept. Costs a walk over all refs that
 * are not packed.
 */
export async function removeBrokenRefs(
  context: GitContext,
  { gitDir, objectFormat }: { gitDir: string; objectFormat: "sha1" | "sha256" },
): Promise<RefName[]> {
  if (isReftable(gitDir)) {
    // Of a broken table git says nothing, and lists nothing; HEAD is in it too.
    if ((await readHead(context, gitDir)) !== null) return [];
    await writeFile(join(gitDir, "reftable", "tables.list"), "");
    return [refName("refs/")];
  }
  const removed: RefName[] = [];
  for (const path of await findFiles(Buffer.from(join(gitDir, "refs")), REF)) {
    const content = await readFile(path, "latin1").catch((error: NodeJS.ErrnoException) => {
      // Deleted, or packed, since the directory was read.
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    if (content === undefined || READABLE[objectFormat].test(content)) continue;
    await rm(path, { force: true });
    removed.push(nameFromBytes(path.subarray(Buffer.byteLength(gitDir) + 1)));
  }
  return removed;
}
