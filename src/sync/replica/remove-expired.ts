// Removes objects that no ref has reached for two weeks: the only step of gc that removes objects for good
// (docs/decisions/0022-what-gc-removes.md).
import { join } from "node:path";
import { crashPoint } from "../../crash-points.ts";
import { isConnected } from "../../git/objects/connectivity.ts";
import { viewPacks } from "../../git/packs/pack-view.ts";
import { hidePacks, removeHalves } from "../../git/packs/packs.ts";
import { readTips } from "../../git/refs/tips.ts";
import { STATE_DIR } from "../../git/root/root-record.ts";
import { hasScratch } from "../../git/scratch/scratch.ts";
import { linkSignals } from "../../io/signals.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";

/** How often to try, and how long to wait each time until no write is under way. */
const TRIES = 10;
const PATIENCE_MS = 5_000;

/**
 * Removes `packs`, which hold old unreachable objects and copies of younger ones. `tips`: the refs that gc saw. Other
 * packs have all objects that these refs reach. The packs stay when a write, a session or a ref may need an object in
 * them; the next gc tries again. Returns why they stay; an empty text when they are gone, or when there were none.
 *
 * A write relies on objects from its look at them until its ref is there, and has a claim all that time. So the refs
 * are read while nobody has a claim. If what they reach now is whole without the packs, and nobody has had a claim
 * since, then nobody needs the packs.
 */
export async function removeExpired(
  context: SyncContext,
  replica: Replica,
  { packs, tips, signal }: { packs: ReadonlySet<string>; tips: readonly string[]; signal: AbortSignal },
): Promise<string> {
  if (packs.size === 0) return "";
  const { objects } = replica;
  for (let left = TRIES; left > 0; left -= 1) {
    using patience = linkSignals([signal], PATIENCE_MS);
    await objects.untilIdle(patience.signal);
    signal.throwIfAborted();
    if (!objects.idle) continue;
    const { taken } = objects;
    if (!(await isWholeWithout(context, replica, { packs, tips, signal }))) return "a ref has come to need one of them";
    await crashPoint("gc.pruning");
    const outcome = await replica.tidying.runExclusive(() => remove(context, replica, packs, taken));
    if (outcome === "removed") return "";
    if (outcome === "session") return "a write session is open";
  }
  return "writes were under way all the time";
}

async function isWholeWithout(
  { git }: SyncContext,
  { gitDir, tidying }: Replica,
  { packs, tips, signal }: { packs: ReadonlySet<string>; tips: readonly string[]; signal: AbortSignal },
): Promise<boolean> {
  const before = new Set(tips);
  const now = (await readTips(git, gitDir, signal)).filter((id) => !before.has(id));
  await using view = await tidying.runExclusive(() => viewPacks(gitDir, packs));
  return await isConnected(git, gitDir, now, tips, { signal, objects: view.place });
}

async function remove(
  context: SyncContext,
  replica: Replica,
  packs: ReadonlySet<string>,
  taken: number,
): Promise<"removed" | "busy" | "session"> {
  const { gitDir, objects, keptReader } = replica;
  const hide = async () => {
    await hidePacks(gitDir, [...packs]);
    keptReader.end();
  };
  const outcome = await replica.mutex.runExclusive(async () => {
    // In doubt: recovery may find objects here that its refs will need.
    if (replica.applied === undefined || replica.outOfService) return "busy";
    // The refs of a write that has landed are not here yet.
    if (replica.applied < replica.landed) return "busy";
    // A session may build on any object that its scratch sees, and it begins under the mutex.
    if (await hasScratch(join(context.root, STATE_DIR), gitDir)) return "session";
    return (await objects.removeSince(taken, hide)) ? "removed" : "busy";
  });
  if (outcome === "removed") await removeHalves(gitDir);
  return outcome;
}
