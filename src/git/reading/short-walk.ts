// Walks over few new objects through a git that runs already, in place of a `git rev-list --objects` of its own. It
// never says that an object is missing: if the walk is long, or meets anything unusual, rev-list must tell.
import { LockstepError } from "../../errors.ts";
import { type Entry, entriesOf, linksOf } from "./object-links.ts";
import type { ObjectRead, ObjectReader } from "./object-reader.ts";

/** A walk that needs more objects than this is long. */
const OBJECTS_LIMIT = 500;

/** A tree to look through. `base`: a tree that is whole and most likely similar. */
interface TreeToWalk {
  readonly id: string;
  readonly base: string | undefined;
}

/**
 * Returns true if all objects that `tips` need are here, given that everything reachable from `ends` is. false: the
 * walk does not know. `ends` may also be names of refs (in latin1). Throws GIT_HUNG.
 */
export async function isWholeNearby(
  reader: ObjectReader,
  tips: readonly string[],
  ends: readonly string[],
): Promise<boolean> {
  try {
    return await new ShortWalk(reader).isWhole(tips, ends);
  } catch (error) {
    if (error instanceof LockstepError && error.code === "GIT_HUNG") throw error;
    return false;
  }
}

class ShortWalk {
  readonly #reader: ObjectReader;
  /** Objects that are whole, and objects that this walk has met. */
  readonly #seen = new Set<string>();
  /** The trees of the ends, by their ids. */
  readonly #bases = new Map<string, Map<string, Entry>>();
  #count = 0;

  constructor(reader: ObjectReader) {
    this.#reader = reader;
  }

  async isWhole(tips: readonly string[], ends: readonly string[]): Promise<boolean> {
    let base: string | undefined;
    for (const end of await this.#reader.read(ends)) {
      if (end === undefined) return false;
      this.#seen.add(end.id);
      if (end.type !== "commit") continue;
      const { tree } = linksOf(end);
      if (tree === undefined) return false;
      this.#seen.add(tree);
      base ??= tree;
    }
    const trees = await this.#walkCommits(tips);
    return trees !== undefined && (await this.#walkTrees(trees.map((id) => ({ id, base }))));
  }

  /** Follows tags and commits. Returns the trees of those that are new, or undefined. */
  async #walkCommits(tips: readonly string[]): Promise<string[] | undefined> {
    const trees: string[] = [];
    let wanted = tips.map((id) => ({ id, type: "" }));
    while (wanted.length > 0) {
      wanted = wanted.filter(({ id }) => this.#isNew(id));
      const found = await this.#read(wanted.map(({ id }) => id));
      if (found === undefined) return undefined;
      const next: typeof wanted = [];
      for (const [index, object] of found.entries()) {
        const { type } = wanted[index] as { type: string };
        if (type !== "" && object.type !== type) return undefined;
        const { tree, parents, target } = linksOf(object);
        if (target) next.push(target);
        else if (tree === undefined) return undefined;
        else {
          if (this.#isNew(tree)) trees.push(tree);
          next.push(...parents.map((id) => ({ id, type: "commit" })));
        }
      }
      wanted = next;
    }
    return trees;
  }

  /** Walks through trees, level by level. The base at the same path says which entries are here already. */
  async #walkTrees(roots: readonly TreeToWalk[]): Promise<boolean> {
    const blobs: string[] = [];
    let level = roots;
    while (level.length > 0) {
      // git answers both questions in one go.
      const [known, found] = await Promise.all([this.#readBases(level), this.#read(level.map(({ id }) => id))]);
      if (!known || found === undefined) return false;
      const next: TreeToWalk[] = [];
      for (const [index, object] of found.entries()) {
        if (object.type !== "tree") return false;
        const entries = entriesOf(object);
        if (entries === undefined) return false;
        const base = this.#bases.get((level[index] as TreeToWalk).base ?? "");
        for (const [name, { id, kind }] of entries) {
          if (kind === "commit" || !this.#isNew(id)) continue;
          if (kind === "blob") blobs.push(id);
          else next.push({ id, base: treeIn(base, name) });
        }
      }
      level = next;
    }
    this.#count += blobs.length;
    return this.#count <= OBJECTS_LIMIT && (await this.#reader.types(blobs)).every((type) => type === "blob");
  }

  /** Reads the bases of a level. Their entries count as seen when the new trees of the level are looked through. */
  async #readBases(level: readonly TreeToWalk[]): Promise<boolean> {
    const wanted = new Set(level.map(({ base }) => base).filter((id) => id !== undefined && !this.#bases.has(id)));
    const ids = [...wanted] as string[];
    const found = await this.#read(ids);
    for (const [index, object] of found?.entries() ?? []) {
      const entries = object.type === "tree" ? entriesOf(object) : undefined;
      if (entries === undefined) return false;
      this.#bases.set(ids[index] as string, entries);
      for (const { id } of entries.values()) this.#seen.add(id);
    }
    return found !== undefined;
  }

  /** Returns undefined if one is not here, or the walk gets long. */
  async #read(ids: readonly string[]): Promise<ObjectRead[] | undefined> {
    this.#count += ids.length;
    if (this.#count > OBJECTS_LIMIT) return undefined;
    const found = await this.#reader.read(ids);
    return found.every((object) => object !== undefined) ? found : undefined;
  }

  #isNew(id: string): boolean {
    if (this.#seen.has(id)) return false;
    this.#seen.add(id);
    return true;
  }
}

function treeIn(entries: ReadonlyMap<string, Entry> | undefined, name: string): string | undefined {
  const entry = entries?.get(name);
  return entry?.kind === "tree" ? entry.id : undefined;
}
