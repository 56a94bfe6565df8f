// Whether the packs of a replica need a gc. Costs a look into a few directories, and no git.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { makeDirectoryBelow, namesIn, replaceFile } from "../../io/disk.ts";
import { listedPacks } from "./multi-pack-index.ts";
import { readPacks } from "./packs.ts";

/** gc when the packs that came since the last one have this share of the bytes that it left. */
const SHARE = 0.1;
/** Fewer bytes than these are no reason: git reads them in no time. */
const SMALL_BYTES = 256 * 1024;
/** The packs that came are rolled up when they are fewer. So many are left only when that fails. */
const MANY_PACKS = 100;
const MANY_LOOSE = 1_000;

/** Unreachable objects go when gc has known them for so long. So a repository that changes needs one as often. */
export const KEEP_UNREACHABLE_MS = 14 * 24 * 60 * 60 * 1000;

const RECORD = join("objects", "info", "lockstep-gc");

/** What a look at the packs found. */
export interface PackNeed {
  readonly packs: number;
  readonly bytes: number;
  /** Packs and bytes that are not in the multi-pack-index. */
  readonly newPacks: number;
  readonly newBytes: number;
  /** The number of loose objects, estimated from one of 256 directories. */
  readonly loose: number;
  /** When all objects were last packed anew (milliseconds since 1970; 0: never here), and the version then. */
  readonly packedAllAt: number;
  readonly packedAllVersion: string;
  readonly cruft: boolean;
}

/** Reads how the objects of a replica are packed. Lists directories, and starts no git. */
export async function readPackNeed(gitDir: string): Promise<PackNeed> {
  const directory = join(gitDir, "objects", "pack");
  const listed = await listedPacks(directory);
  const packs = await readPacks(directory);
  const fresh = packs.filter(({ name }) => !listed.has(name));
  const sum = (each: typeof packs) => each.reduce((bytes, pack) => bytes + pack.bytes, 0);
  const sample = await namesIn(join(gitDir, "objects", "17"));
  return {
    packs: packs.length,
    bytes: sum(packs),
    newPacks: fresh.length,
    newBytes: sum(fresh),
    loose: sample.filter((name) => /^[0-9a-f]{38}/.test(name)).length * 256,
    ...(await readPackedAll(gitDir)),
    cruft: packs.some(({ cruft }) => cruft),
  };
}

/** Returns whether the packs of a replica at `version` need a gc now. */
export function needsGc(need: PackNeed, version: string, now = Date.now()): boolean {
  const { newPacks, newBytes, bytes, loose, packedAllAt, packedAllVersion, cruft } = need;
  if (newBytes > Math.max(SMALL_BYTES, SHARE * (bytes - newBytes))) return true;
  if (newPacks > MANY_PACKS || loose > MANY_LOOSE) return true;
  // A ref that was deleted leaves no trace in the packs, but a version.
  return now - packedAllAt > KEEP_UNREACHABLE_MS && (cruft || (bytes > 0 && packedAllVersion !== version));
}

/** Records that all objects were packed anew at this time and this version. */
export async function recordPackedAll(gitDir: string, at: number, version: string): Promise<void> {
  await makeDirectoryBelow(gitDir, "objects/info");
  await replaceFile(join(gitDir, RECORD), `${at} ${version}\n`);
}

async function readPackedAll(gitDir: string): Promise<Pick<PackNeed, "packedAllAt" | "packedAllVersion">> {
  const text = await readFile(join(gitDir, RECORD), "latin1").catch(() => "");
  const [, at = "0", version = ""] = /^(\d+) (\d+)$/m.exec(text) ?? [];
  return { packedAllAt: Number(at), packedAllVersion: version };
}
