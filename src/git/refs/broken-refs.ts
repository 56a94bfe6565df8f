// A reftable that git cannot read, after power loss or an edit by hand. git reports no error and lists no refs.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LockstepError } from "../../errors.ts";
import { isReftable } from "../../io/disk.ts";
import type { GitContext } from "../process.ts";
import { readSymbolicRecords } from "./reftable.ts";
import { readHead } from "./symbolic-refs.ts";

/** Empties a reftable that git cannot read; all its refs are lost. Returns true if it did. */
export async function emptyBrokenReftable(context: GitContext, gitDir: string): Promise<boolean> {
  if (!isReftable(gitDir) || (await isReadable(context, gitDir))) return false;
  await writeFile(join(gitDir, "reftable", "tables.list"), "");
  return true;
}

async function isReadable(context: GitContext, gitDir: string): Promise<boolean> {
  const isWhole = await readSymbolicRecords(gitDir).then(
    () => true,
    () => false,
  );
  try {
    // A reftable holds HEAD too.
    return (await readHead(context, gitDir)) !== null;
  } catch (error) {
    // Some tables make git 2.47 crash. If the tables are whole, something else killed git.
    if (isWhole || !isUnreadable(error)) throw error;
    return false;
  }
}

/** Returns true for a git that failed, a file that is not a table, and a table that is not there. */
function isUnreadable(error: unknown): boolean {
  if (error instanceof LockstepError) return error.code === "GIT_FAILED";
  return (error as NodeJS.ErrnoException).code === "ENOENT";
}
