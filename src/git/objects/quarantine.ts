// Objects arrive in a quarantine: an object directory of its own whose alternate is the replica's. They move into the
// replica only after a check that the new tips are connected. Until then no reader of the replica sees them.
import { mkdir, readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { crashPoint } from "../../crash-points.ts";
import { LockstepError } from "../../errors.ts";
import { sync } from "../../io/disk.ts";
import type { ObjectPlace } from "../command/operations.ts";
import type { GitContext } from "../process.ts";
import { startWalk } from "./connectivity.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

/** git's own name for a quarantine, so that git's housekeeping removes one that a crash left. */
export const QUARANTINE_PREFIX = "tmp_objdir-lockstep-";

/** Objects that are to come into a replica, by any transport. */
export interface Incoming {
  /** Tips that must be whole afterwards. */
  readonly wants: readonly string[];
  /** Tips that are whole already: the walk ends there. */
  readonly haves: readonly string[];
  /** True when the objects of the replica cannot be trusted: then the new objects must be whole by themselves. */
  readonly alone?: boolean;
  readonly signal: AbortSignal;
  /** Called while git walks from the new tips to the old ones. */
  readonly onWork?: () => void;
}

/** A directory for new objects. git writes there, and also reads the replica's objects. */
export interface Quarantine {
  readonly path: string;
  readonly objects: ObjectPlace;
}

/**
 * Calls `bring`, which puts objects into a quarantine. Moves them into the replica if all `wants` are then connected.
 * Throws SOURCE_FAILED when objects are missing, and passes on errors of `bring`: then the replica is as before.
 */
export async function quarantined<Result>(
  context: GitContext,
  gitDir: string,
  { wants, haves, alone, signal, onWork = () => {} }: Incoming,
  bring: (quarantine: Quarantine) => Promise<Result>,
): Promise<Result> {
  const home = join(gitDir, "objects");
  await using directory = await temporaryDirectory(home, QUARANTINE_PREFIX);
  const { path } = directory;
  await mkdir(join(path, "pack"));
  const alternates = alone ? "" : quoteAlternate(home);
  const objects = { GIT_OBJECT_DIRECTORY: path, GIT_ALTERNATE_OBJECT_DIRECTORIES: alternates };
  const bringing = bring({ path, objects });
  // The walk may not start. Nobody awaits this then.
  bringing.catch(() => {});
  // The walk starts while the objects still arrive: starting a process takes longer than walking a push.
  await using walk = startWalk(context, gitDir, { objects, signal, onWork });
  const result = await bringing;
  if (!(await walk.isConnected(wants, haves))) {
    throw new LockstepError("SOURCE_FAILED", "The source sent a pack that does not hold everything the new refs need.");
  }
  await crashPoint("catch-up.arrived");
  await migrate(join(path, "pack"), join(home, "pack"));
  return result;
}

/** Moves packs, each before its index: readers see a pack once its index is there. */
async function migrate(from: string, to: string): Promise<void> {
  const files = await readdir(from);
  const isIndex = (file: string) => Number(file.endsWith(".idx"));
  for (const file of files.sort((a, b) => isIndex(a) - isIndex(b))) await rename(join(from, file), join(to, file));
  await sync(to);
}

/** Quotes a path for the variable: git splits it at colons, and takes names in double quotes with C escapes. */
function quoteAlternate(path: string): string {
  return `"${path.replace(/["\\]/g, "\\$&")}"`;
}
