// Finds the bare repositories below a root. Never follows a symbolic link, and changes nothing.
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

const ENDING = ".git";

/** A directory that looks like a bare repository. */
export interface BareDirectory {
  readonly path: string;
  /** Its path below the root without the ending `.git`. It need not be an acceptable name. */
  readonly repository: string;
}

/**
 * Yields the bare repositories below `root`, in the order of the bytes of their paths. Skips directories whose names
 * begin with a dot, work trees, and everything inside a repository. Skips what it may not read.
 */
export async function* findRepositories(root: string, below = ""): AsyncGenerator<BareDirectory> {
  const entries = await readdir(join(root, below), { withFileTypes: true }).catch(() => []);
  // A directory is ordered as its paths are: with a slash at its end.
  const places = entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .map(({ name }) => ({ name, isCandidate: name.endsWith(ENDING) }))
    .map((place) => ({ ...place, key: Buffer.from(place.isCandidate ? place.name : `${place.name}/`) }))
    .sort((a, b) => Buffer.compare(a.key, b.key));
  // A work tree has a .git of its own.
  if (below !== "" && entries.some(({ name }) => name === ENDING)) return;
  for (const { name, isCandidate } of places) {
    const path = below === "" ? name : `${below}/${name}`;
    if (!isCandidate) yield* findRepositories(root, path);
    else if (await looksBare(join(root, path)))
      yield { path: join(root, path), repository: path.slice(0, -ENDING.length) };
  }
}

/** Returns true when a directory has the parts by which git recognises a repository. */
async function looksBare(path: string): Promise<boolean> {
  const [head, objects, refs] = await Promise.all(
    ["HEAD", "objects", "refs"].map((name) => stat(join(path, name)).catch(() => undefined)),
  );
  return head !== undefined && objects?.isDirectory() === true && refs?.isDirectory() === true;
}
