// A view of the packs of a replica: an object directory of links, in which git sees the objects of one moment. Files
// that git writes there reach nobody until they are moved into the replica, and go with the view.
import { copyFile, mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { namesIn } from "../../io/disk.ts";
import type { ObjectPlace } from "../command/operations.ts";
import { QUARANTINE_PREFIX } from "../objects/quarantine.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../objects/temporary-directory.ts";
import { type Pack, readPacks } from "./packs.ts";

/** Begins the name of a view. To git and to recovery it is a quarantine. */
export const VIEW_PREFIX = `${QUARANTINE_PREFIX}gc-`;

export interface PackView extends TemporaryDirectory {
  /** With these, git uses the view. */
  readonly place: ObjectPlace;
  readonly packs: readonly Pack[];
  /** Loose objects: their paths below `objects/`, such as `ab/cdef`. */
  readonly loose: readonly string[];
}

/**
 * Makes a view of all packs and loose objects except the packs in `without`. Nobody may remove packs meanwhile. If the
 * process dies, recovery removes the view like a quarantine.
 */
export async function viewPacks(gitDir: string, without: ReadonlySet<string> = new Set()): Promise<PackView> {
  const objects = join(gitDir, "objects");
  const directory = await temporaryDirectory(objects, VIEW_PREFIX);
  const { path } = directory;
  try {
    await mkdir(join(path, "pack"));
    await mkdir(join(path, "info"));
    const packs = (await readPacks(join(objects, "pack"))).filter(({ name }) => !without.has(name));
    const names = new Set(packs.map(({ name }) => name));
    for (const file of await namesIn(join(objects, "pack")))
      if (names.has(file.replace(/\.\w+$/, ""))) await symlink(join(objects, "pack", file), join(path, "pack", file));
    const loose: string[] = [];
    for (const directory of await namesIn(objects)) {
      if (!/^[0-9a-f]{2}$/.test(directory)) continue;
      await symlink(join(objects, directory), join(path, directory));
      for (const file of await namesIn(join(objects, directory)))
        if (/^[0-9a-f]{38}([0-9a-f]{24})?$/.test(file)) loose.push(join(directory, file));
    }
    // With the graph of last time git need not read all commits again. A copy, since git would write through a link.
    await copyFile(join(objects, "info", "commit-graph"), join(path, "info", "commit-graph")).catch(() => {});
    const place = { GIT_OBJECT_DIRECTORY: path };
    return { ...directory, place, packs, loose };
  } catch (error) {
    await directory[Symbol.asyncDispose]();
    throw error;
  }
}
