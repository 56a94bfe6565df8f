// Files among the refs of a replica that are no refs: copies such as "main 2" and "main~", editors' and file managers' files, links, pipes.
// git takes some for broken refs, which make clones and pushes fail, and waits for ever at a pipe.
import type { Dirent } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { nameFromLatin1, type RefName } from "../../domain.ts";
import { inside, setAside } from "./aside.ts";
import { missingRightsError } from "./rights.ts";

export interface Foreign {
  /** Below the replica's directory, as of a ref. */
  readonly name: RefName;
  /** Why it is no ref. */
  readonly why: string;
}

/** What git reads: the name of another ref, or an id that is not all zeros. */
const READABLE = {
  sha1: /^(?:ref:\s*\S|(?!0{40})[0-9a-f]{40}(?:\s|$))/i,
  sha256: /^(?:ref:\s*\S|(?!0{64})[0-9a-f]{64}(?:\s|$))/i,
};

/** Files read at once. */
const BATCH = 32;

/**
 * Moves what is no ref, and what git cannot read as one, out of `refs/` to `aside`, and says what it was. Lock files stay. The caller holds the replica's mutex. Costs a walk over loose refs. Throws PREREQUISITE_MISSING where it may not look.
 */
export async function moveForeignFiles(
  { gitDir, objectFormat }: { gitDir: string; objectFormat: "sha1" | "sha256" },
  aside: string,
): Promise<Foreign[]> {
  const found: Found[] = [];
  await look(gitDir, "refs", READABLE[objectFormat], found);
  const moved: Foreign[] = [];
  for (const { name, why } of found)
    if (await setAside(gitDir, name, aside)) moved.push({ name: nameFromLatin1(name), why });
  return moved;
}

/** Whether there is something to move, by names and kinds: no file is opened. Needs no mutex. Costs a walk over the directories. */
export async function hasForeignFiles(gitDir: string): Promise<boolean> {
  const found: Found[] = [];
  await look(gitDir, "refs", undefined, found);
  return found.length > 0;
}

type Found = { name: string; why: string };

/** `readable`: files whose content does not match are none; undefined: files are not opened. */
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
  // A file that somebody on the network has open was deleted.
  if (part.startsWith(".nfs")) return undefined;
  if (entry.isSymbolicLink()) return "a link";
  if (!entry.isFile() && !entry.isDirectory()) return "neither a file nor a directory";
  if (entry.isFile() && part.endsWith(".lock")) return undefined;
  return isNamePart(part) ? undefined : "not the name of a ref";
}

/** As git check-ref-format has it, of one part. */
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
