// Reads which other objects an object names.
import type { ObjectRead } from "./object-reader.ts";

/** The objects that an object names. */
export interface Links {
  /** The tree of a commit. */
  readonly tree?: string;
  readonly parents: readonly string[];
  /** The commit or tag that a tag names. */
  readonly target?: { readonly id: string; readonly type: string };
}

/** Returns the objects that a commit or a tag names in its header. A malformed one, or another object, has none. */
export function linksOf({ type, content }: ObjectRead): Links {
  const blank = content.indexOf("\n\n");
  const header = content.toString("latin1", 0, blank < 0 ? content.length : blank);
  if (type === "tag") {
    const [, id, kind] = /^object ([0-9a-f]+)\ntype (commit|tag)\n/.exec(`${header}\n`) ?? [];
    return id === undefined || kind === undefined ? { parents: [] } : { parents: [], target: { id, type: kind } };
  }
  const [, tree, parents = ""] = /^tree ([0-9a-f]+)\n((?:parent [0-9a-f]+\n)*)/.exec(`${header}\n`) ?? [];
  if (type !== "commit" || tree === undefined) return { parents: [] };
  return { tree, parents: [...parents.matchAll(/parent ([0-9a-f]+)\n/g)].map(([, id]) => id as string) };
}

/** An entry of a tree. A "commit" is that of a submodule, which is not in this repository. */
export interface Entry {
  readonly id: string;
  readonly kind: "tree" | "blob" | "commit";
}

/** Returns the entries of a tree by their names, or undefined if it is malformed. */
export function entriesOf({ id: tree, content }: ObjectRead): Map<string, Entry> | undefined {
  const entries = new Map<string, Entry>();
  const idBytes = tree.length / 2;
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(" ", at);
    const nul = content.indexOf(0, space);
    const next = nul + 1 + idBytes;
    if (space < 0 || nul < 0 || next > content.length) return undefined;
    const mode = content.toString("latin1", at, space).replace(/^0+/, "");
    const kind = mode === "40000" ? "tree" : mode === "160000" ? "commit" : "blob";
    // The same name twice must not hide an entry.
    const name = content.toString("latin1", space + 1, nul);
    entries.set(entries.has(name) ? `${name}/${at}` : name, { id: content.toString("hex", nul + 1, next), kind });
    at = next;
  }
  return entries;
}
