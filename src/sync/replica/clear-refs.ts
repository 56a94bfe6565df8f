// Moves files that are not refs, or that git cannot read, out of the way before refs are compared.
import { join } from "node:path";
import { displayRef, nameFromLatin1 } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { gitBytes } from "../../git/process.ts";
import { emptyBrokenReftable } from "../../git/refs/broken-refs.ts";
import { placeAside, setAside } from "../../git/replica/aside.ts";
import { type Foreign, moveForeignFiles } from "../../git/replica/foreign-files.ts";
import { exists, isReftable } from "../../io/disk.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";

/**
 * Moves such files aside and returns what they were. The caller holds the mutex and compares the refs afterwards.
 * Throws PREREQUISITE_MISSING when this process may not look.
 */
export async function clearRefs(context: SyncContext, replica: Replica): Promise<Foreign[]> {
  const { git, log } = context;
  const { name, gitDir, id } = replica;
  if (isReftable(gitDir)) {
    if (await emptyBrokenReftable(git, gitDir))
      log.warn({ repository: name }, "emptied a reftable that git cannot read");
    return [];
  }
  const aside = placeAside(context.root, id);
  const moved = await moveForeignFiles(replica, aside);
  if (!(await packedRefsCanBeRead(context, gitDir)) && (await setAside(gitDir, "packed-refs", aside)))
    moved.push({ name: nameFromLatin1("packed-refs"), why: "a file that git cannot read" });
  if (moved.length > 0) {
    const files = moved.slice(0, 20).map((each) => `${displayRef(each.name)} (${each.why})`);
    log.warn({ repository: name, files, aside }, "moved aside files that are no refs");
  }
  return moved;
}

async function packedRefsCanBeRead({ git, signal }: SyncContext, gitDir: string): Promise<boolean> {
  if (!(await exists(join(gitDir, "packed-refs")))) return true;
  try {
    await gitBytes(git, gitDir, ["for-each-ref", "--format="], { signal });
    return true;
  } catch (error) {
    if (error instanceof LockstepError && /packed-refs/.test(error.message)) return false;
    throw error;
  }
}
