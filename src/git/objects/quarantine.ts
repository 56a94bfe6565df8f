// Objects arrive in a quarantine: an object directory of its own whose alternate is the replica's. They become the replica's
// only when the new tips are known to be connected; until then nothing that reads the replica can see them.
import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { crashPoint } from "../../crash-points.ts";
import { LockstepError } from "../../errors.ts";
import { sync } from "../../io/disk.ts";
import type { GitContext } from "../process.ts";
import { startWalk } from "./connectivity.ts";

/** git's own name for it, so that git's housekeeping removes one that a crash left. */
export const QUARANTINE_PREFIX = "tmp_objdir-lockstep-";

/** What is to come into a replica, by whatever transport. */
export interface Incoming {
  /** Tips that must be whole afterwards. */
  readonly wants: readonly string[];
  /** Tips that are whole already: the walk ends there. */
  readonly haves: readonly string[];
  /** What is in the replica is not to be relied on: what comes must be whole by itself. */
  readonly alone?: boolean;
  readonly signal: AbortSignal;
  /** git walks from what came down to what was here. */
  readonly onWork?: () => void;
}

/** Where a transport puts objects, and the environment that makes git put them there and see the replica's too. */
export interface Quarantine {
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Lets `bring` put objects into a quarantine, and takes them into the replica if with them every one of `wants` is connected.
 * Throws SOURCE_FAILED when objects are missing, and what `bring` throws: then the replica is as before.
 */
export async function quarantined<Result>(
  context: GitContext,
  gitDir: string,
  { wants, haves, alone, signal, onWork = () => {} }: Incoming,
  bring: (quarantine: Quarantine) => Promise<Result>,
): Promise<Result> {
  const objects = join(gitDir, "objects");
  const path = await mkdtemp(join(objects, QUARANTINE_PREFIX));
  try {
    await mkdir(join(path, "pack"));
    const alternates = alone ? "" : quoteAlternate(objects);
    const env = { GIT_OBJECT_DIRECTORY: path, GIT_ALTERNATE_OBJECT_DIRECTORIES: alternates };
    const bringing = bring({ path, env });
    // Started while the objects still come: a process takes longer to start than to walk a push.
    await using walk = startWalk(context, gitDir, { env, signal, onWork });
    const result = await bringing;
    if (!(await walk.isConnected(wants, haves))) {
      throw new LockstepError(
        "SOURCE_FAILED",
        "The source sent a pack that does not hold everything the new refs need.",
      );
    }
    await crashPoint("catch-up.arrived");
    await migrate(join(path, "pack"), join(objects, "pack"));
    return result;
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}

/** The index last: a pack is there for readers when its index is. */
async function migrate(from: string, to: string): Promise<void> {
  const files = await readdir(from);
  const isIndex = (file: string) => Number(file.endsWith(".idx"));
  for (const file of files.sort((a, b) => isIndex(a) - isIndex(b))) await rename(join(from, file), join(to, file));
  await sync(to);
}

/** git splits the variable at colons and takes names in double quotes with C escapes. */
function quoteAlternate(path: string): string {
  return `"${path.replace(/["\\]/g, "\\$&")}"`;
}
