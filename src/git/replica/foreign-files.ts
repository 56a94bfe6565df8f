// Files among the refs of a replica that are not refs: copies such as "main 2" and "main~", editors' and file managers'
// files, links, pipes. git takes some for broken refs, which make clones and pushes fail. At a pipe git waits for ever.
import type { Dirent } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { nameFromLatin1, type RefName, toLatin1 } from "../../domain.ts";
import { inside, setAside } from "./aside.ts";
import { missingRightsError } from "./rights.ts";

/** A foreign file that was moved. */
export interface Foreign {
  /** The path in the replica, in the form of a ref name. */
  readonly name: RefName;
  /** The reason why it is not a ref. */
  readonly why: string;
}

/** Matches the content of a ref that git can read: the name of another ref, or an id that is not all zeros. */
const READABLE = {
  sha1: /^(?:ref:\s*\S|(?!0{40})[0-9a-f]{40}(?:\s|$))/i,
  sha256: /^(?:ref:\s*\S|(?!0{64})[0-9a-f]{64}(?:\s|$))/i,
};

/** The number of files read at once. */
const BATCH = 32;

/**
 * Moves files that are not refs, or that git cannot read as refs, from `refs/` to `aside`. Returns what it moved. Lock
 * files stay. The caller holds the replica's mutex. Costs a walk over loose refs. Throws PREREQUISITE_MISSING where the
 * rights to look are missing.
 */
export async function moveForeignFiles(replica: Repository, aside: string): Promise<Foreign[]> {
  const moved: Foreign[] = [];
  for (const found of await findForeignFiles(replica))
    if (await setAside(replica.gitDir, toLatin1(found.name), aside)) moved.push(found);
  return moved;
}

/** Returns the files that `moveForeignFiles` would move. Changes nothing. */
export async function findForeignFiles({ gitDir, objectFormat }: Repository): Promise<Foreign[]> {
  const found: Found[] = [];
  await look(gitDir, "refs", READABLE[objectFormat], found);
  return found.map(({ name, why }) => ({ name: nameFromLatin1(name), why }));
}

interface Repository {
  readonly gitDir: string;
  readonly objectFormat: "sha1" | "sha256";
}

/**
 * Returns true when there are foreign files, by name and kind: it opens no file. Needs no mutex. Costs a walk over the
 * directories.
 */
export async function hasForeignFiles(gitDir: string): Promise<boolean> {
  const found: Found[] = [];
  await look(gitDir, "refs", undefined, found);
  return found.length > 0;
}

type Found = { name: string; why: string };

/**
 * Adds the foreign files below `directory` to `found`. Files whose content does not match `readable` count as foreign;
 * if it is undefined, no file is opened.
 */
async function look(gitDir: string, directory: string, readable: RegExp | undefined, found: Found[]): Promise<void> {
  const path = inside(gitDir, directory);
  const entries = await readdir(path, { withFileTypes: true, encoding: "buffer" }).catch(
    (error: NodeJS.ErrnoException) => {
      // git removes directories that have become empty.
      if (error.code === "ENOENT") return [];
      throw missingRightsError(path.toString(), error) ?? error;
    },
  );
  const files: string[] = [];
  for (const entry of entries) {
    const part = entry.name.toString("latin1");
    const name = `${directory}/${part}`;
    const why = whyNot(entry, part);
    if (why !== undefined) found.push({ name, why });
    else if (entry.isDirectory()) await look(gitDir, name, readable, found);
    else if (!part.endsWith(".lock")) files.push(name);
  }
  for (let at = 0; readable && at < files.length; at += BATCH) {
    const batch = files.slice(at, at + BATCH);
    const why = await Promise.all(batch.map((name) => whyUnreadable(inside(gitDir, name), readable)));
    for (const [index, name] of batch.entries()) if (why[index]) found.push({ name, why: why[index] });
  }
}

function whyNot(entry: Dirent<Buffer>, part: string): string | undefined {
  // NFS keeps such a file in place of a deleted one that somebody on the network has open.
  if (part.startsWith(".nfs")) return undefined;
  if (entry.isSymbolicLink()) return "a link";
  if (!entry.isFile() && !entry.isDirectory()) return "neither a file nor a directory";
  if (entry.isFile() && part.endsWith(".lock")) return undefined;
  return isNamePart(part) ? undefined : "not the name of a ref";
}

/** Checks one part of a name as `git check-ref-format` does. */
function isNamePart(part: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: git refuses them.
  return !/[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{|^\.|\.$|\.lock$/.test(part);
}

async function whyUnreadable(path: Buffer, readable: RegExp): Promise<string | undefined> {
  try {
    return readable.test(await readFile(path, "latin1")) ? undefined : "a file that holds no ref";
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    return `a file that cannot be read (${code})`;
  }
}
