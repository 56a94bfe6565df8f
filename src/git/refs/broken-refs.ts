// A reftable that git cannot read, which power loss leaves and a hand may: git says nothing of it, and lists nothing.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isReftable } from "../../io/disk.ts";
import type { GitContext } from "../process.ts";
import { readHead } from "./symbolic-refs.ts";

/** Empties a reftable that git cannot read: nothing of it is kept. True: that is what was done. */
export async function emptyBrokenReftable(context: GitContext, gitDir: string): Promise<boolean> {
  // HEAD is in it too.
  if (!isReftable(gitDir) || (await readHead(context, gitDir)) !== null) return false;
  await writeFile(join(gitDir, "reftable", "tables.list"), "");
  return true;
}
