// Combines small packs into larger ones. Every push and every catch-up leaves a pack of its own, and each git process
// looks into all of them. Nothing is pruned: unreachable objects may belong to a push that is about to be decided.
import { join } from "node:path";
import { sync } from "../../io/disk.ts";
import type { LocalArguments } from "../command/operations.ts";
import { type GitContext, gitBytes } from "../process.ts";
import { listedPacks } from "./multi-pack-index.ts";
import { choosePacks, readPacks, removeHalves, removePacks } from "./packs.ts";

/**
 * Rolls up packs when there are at least `limit`, until each pack holds at least twice the objects of all smaller ones.
 * So the number of rewrites of an object grows with the logarithm of what has come. It leaves alone the packs of the
 * multi-pack-index and those in `others`: they belong to gc (repack.ts). Safe beside pushes and reads: the new pack is
 * durable before an old one goes, and git looks again when a pack has gone. Returns how many packs were combined, 0
 * when there was nothing to do. Throws GIT_FAILED; then no pack has gone.
 */
export async function rollUpPacks(
  context: GitContext,
  gitDir: string,
  limit: number,
  signal: AbortSignal,
  others: ReadonlySet<string> = new Set(),
): Promise<number> {
  const directory = join(gitDir, "objects", "pack");
  await removeHalves(gitDir);
  const listed = await listedPacks(directory);
  const loose = (await readPacks(directory)).filter(({ name }) => !listed.has(name) && !others.has(name));
  if (loose.length < limit) return 0;
  const chosen = choosePacks(loose.filter(({ kept, cruft }) => !kept && !cruft)).map(({ name }) => name);
  if (chosen.length < 2) return 0;
  const args: LocalArguments = [
    "pack-objects",
    "--stdin-packs",
    "--quiet",
    "--delta-base-offset",
    "--threads=1",
    "--",
    join(directory, "pack"),
  ];
  const settings = { "pack.packSizeLimit": "0" };
  const input = chosen.map((name) => `${name}.pack\n`).join("");
  const { stdout } = await gitBytes(context, gitDir, args, { settings, input, signal, writes: true });
  await sync(directory);
  const made = `pack-${stdout.toString("latin1").trim()}`;
  await removePacks(
    gitDir,
    chosen.filter((name) => name !== made),
  );
  return chosen.length;
}
