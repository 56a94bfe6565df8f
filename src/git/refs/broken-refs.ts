// A reftable that git cannot read, after power loss or an edit by hand. git reports no error and lists no refs.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isReftable } from "../../io/disk.ts";
import type { GitContext } from "../process.ts";
import { readHead } from "./symbolic-refs.ts";

/** Empties a reftable that git cannot read; all its refs are lost. Returns true if it did. */
export async function emptyBrokenReftable(context: GitContext, gitDir: string): Promise<boolean> {
  // A reftable holds HEAD too.
  if (!isReftable(gitDir) || (await readHead(context, gitDir)) !== null) return false;
  await writeFile(join(gitDir, "reftable", "tables.list"), "");
  return true;
}
