// Checks that a root can hold every ref that acceptable-ref.ts lets through, since the cluster may land any of them.
// `serve` checks before it serves, and `doctor` checks too. Otherwise a replica would find out much later, when it
// cannot follow.
import { mkdtemp, open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { PART_LIMIT } from "../../acceptable-ref.ts";
import { LockstepError } from "../../errors.ts";

/**
 * Limit in bytes for the root's path. Below the root come `/`, the name of a repository (200), `.git/`, a ref and
 * `.lock`. The longest ref is one of Lockstep's own (60) that keeps a ref of 1,000. Together with the root that makes
 * 3,300 of Linux's 4,096 bytes, without git's own additions.
 */
export const ROOT_LIMIT = 2_000;

/** Throws PREREQUISITE_MISSING when the path of a root is too long. */
export function checkRootLength(root: string): void {
  const bytes = Buffer.byteLength(root);
  if (bytes <= ROOT_LIMIT) return;
  throw new LockstepError(
    "PREREQUISITE_MISSING",
    `The path of the root has ${bytes} bytes, and at most ${ROOT_LIMIT} leave room for every ref; choose a shorter --root.`,
  );
}

const utf8 = (text: string) => Buffer.from(text);
/** Groups of names that a disk must tell apart and keep unchanged. */
const PROBES: readonly { readonly what: string; readonly names: readonly Buffer[] }[] = [
  {
    what: `takes no name of ${PART_LIMIT + ".lock".length} bytes`,
    names: [utf8(`${"x".repeat(PART_LIMIT)}.lock`)],
  },
  {
    what: "takes no name that is not UTF-8",
    names: [Buffer.from([0x63, 0x61, 0x66, 0xe9]), Buffer.from([0xff, 0xfe])],
  },
  { what: "does not tell upper case from lower case", names: [utf8("main"), utf8("Main")] },
  { what: "does not tell apart two ways to write an accent", names: [utf8("u\u0308"), utf8("\u00fc")] },
];

/**
 * Makes files in `directory`, which is on the root's disk, and removes them again. Throws PREREQUISITE_MISSING when the
 * disk refuses a name or confuses two names.
 */
export async function checkRootNames(directory: string): Promise<void> {
  const probe = await mkdtemp(join(directory, ".lockstep-names-"));
  try {
    for (const { what, names } of PROBES) {
      if (await holds(probe, names)) continue;
      throw new LockstepError(
        "PREREQUISITE_MISSING",
        `The file system of ${directory} ${what}, so it cannot hold every ref; put --root on another one, such as ext4, xfs or btrfs.`,
      );
    }
  } finally {
    await rm(probe, { recursive: true, force: true });
  }
}

/** Error codes of an impossible name: it exists already, is too long, or is not text. */
const REFUSALS = ["EEXIST", "ENAMETOOLONG", "EILSEQ", "EINVAL", "ENOENT"];

async function holds(directory: string, names: readonly Buffer[]): Promise<boolean> {
  for (const name of names) {
    try {
      await (await open(Buffer.concat([utf8(`${directory}/`), name]), "wx")).close();
    } catch (error) {
      if (REFUSALS.includes((error as NodeJS.ErrnoException).code ?? "")) return false;
      throw error;
    }
  }
  const written = await readdir(directory, { encoding: "buffer" });
  return names.every((name) => written.some((each) => each.equals(name)));
}
