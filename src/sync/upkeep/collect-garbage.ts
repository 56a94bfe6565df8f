// gc of one replica: packs everything anew beside reads and pushes, and lets unreachable objects go after two weeks
// (docs/decisions/0022-what-gc-removes.md). It holds the replica's mutex only for the moment in which such objects go.
import { statfs } from "node:fs/promises";
import { join } from "node:path";
import { crashPoint } from "../../crash-points.ts";
import { LockstepError } from "../../errors.ts";
import { countExpired } from "../../git/packs/cruft.ts";
import { KEEP_UNREACHABLE_MS, readPackNeed, recordPackedAll } from "../../git/packs/pack-need.ts";
import { type PackView, viewPacks } from "../../git/packs/pack-view.ts";
import { choosePacks, type Pack, readPacks, removeHalves } from "../../git/packs/packs.ts";
import { putInPlace, type Repacked, repackAll, repackSome } from "../../git/packs/repack.ts";
import { readTips } from "../../git/refs/tips.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";
import { beforeRead } from "../read/before-read.ts";
import { packLooseRefs } from "../replica/pack-loose-refs.ts";
import { removeExpired } from "../replica/remove-expired.ts";

/** Below this many loose refs, packing them saves nobody a millisecond. */
const LOOSE_REFS_LIMIT = 50;
/** Room on the disk that gc leaves to pushes. */
const ROOM_BYTES = 64 << 20;

export interface GcOptions {
  readonly signal: AbortSignal;
  /** True: pack all objects anew, whatever the packs need. */
  readonly all?: boolean;
  /** Unreachable objects that gc has known for this long may go. */
  readonly keepUnreachableMs?: number;
}

/** What a gc did. */
export interface GcOutcome {
  /** `all`: every object was packed anew. `some`: only small packs were. */
  readonly packed: "all" | "some";
  readonly packsBefore: number;
  readonly packsAfter: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  readonly bitmap: boolean;
  /** The number of old unreachable objects that were removed. */
  readonly removedObjects: number;
  /** Why old unreachable objects stay for now; empty: there were none, or they are gone. */
  readonly postponed: string;
  readonly durationMs: number;
}

/**
 * Collects garbage in the replica of `name` on this device, whether or not it needs that. Idempotent. A kill at any
 * point leaves a replica with all its objects. Throws what `beforeRead` throws, GIT_FAILED, and PREREQUISITE_MISSING
 * when the disk has no room for a second copy of the packs.
 */
export async function collectGarbage(context: SyncContext, name: string, options: GcOptions): Promise<GcOutcome> {
  const { replica } = await beforeRead(context, name, { signal: options.signal });
  return await replica.collecting.runExclusive(async () => {
    const startedAt = performance.now();
    const done = await collect(context, replica, options);
    const outcome = { ...done, durationMs: Math.round(performance.now() - startedAt) };
    context.log.info({ repository: replica.name, ...outcome }, "collected garbage");
    return outcome;
  });
}

async function collect(
  context: SyncContext,
  replica: Replica,
  { signal, all = false, keepUnreachableMs = KEEP_UNREACHABLE_MS }: GcOptions,
): Promise<Omit<GcOutcome, "durationMs">> {
  const { git } = context;
  const { gitDir } = replica;
  const startedAt = Date.now();
  const version = String(replica.applied ?? "");
  await packLooseRefs(context, replica, LOOSE_REFS_LIMIT);
  // Before the packs: so everything that these reach is in the packs of the view.
  const tips = await readTips(git, gitDir, signal);
  await using view = await takePacks(replica);
  try {
    await assertRoom(gitDir, view);
    const expiry = new Date(startedAt - keepUnreachableMs);
    const how = await choose(gitDir, view, { all, expiry });
    const options = { ...context.upkeep, signal, tips };
    const repacked =
      how.packed === "all"
        ? await repackAll(git, gitDir, view, { ...options, expiry })
        : await repackSome(git, gitDir, view, { ...options, chosen: how.chosen });
    await crashPoint("gc.made");
    signal.throwIfAborted();
    const later = new Set(how.oldCruft.filter((name) => !repacked.made.includes(name)));
    await replica.tidying.runExclusive(() => putInPlace(gitDir, view, repacked, later));
    const postponed = await removeExpired(context, replica, { packs: later, tips, signal });
    if (how.packed === "all" && postponed === "") await recordPackedAll(gitDir, startedAt, version);
    return {
      ...(await compared(gitDir, view, repacked)),
      packed: how.packed,
      removedObjects: postponed === "" ? how.expired : 0,
      postponed,
    };
  } finally {
    replica.packsOfGc = new Set();
  }
}

/** Makes a view of all packs, which nobody else rolls up until gc has ended. */
async function takePacks(replica: Replica): Promise<PackView> {
  return await replica.tidying.runExclusive(async () => {
    await removeHalves(replica.gitDir);
    const view = await viewPacks(replica.gitDir);
    replica.packsOfGc = new Set(view.packs.map(({ name }) => name));
    return view;
  });
}

async function assertRoom(gitDir: string, { packs }: PackView): Promise<void> {
  const { bavail, bsize } = await statfs(gitDir);
  const needed = ROOM_BYTES + packs.reduce((sum, { bytes }) => sum + bytes, 0);
  if (bavail * bsize >= needed) return;
  const megabytes = Math.ceil(needed / 2 ** 20);
  throw new LockstepError(
    "PREREQUISITE_MISSING",
    `gc of ${gitDir} needs ${megabytes} MiB of free disk for a second copy of its packs; make room, and run it again.`,
  );
}

/** `oldCruft`: packs with objects that may go, `expired` of them in all. */
type Choice = { packed: "all" | "some"; chosen: Pack[]; oldCruft: string[]; expired: number };

/**
 * Chooses the packs to make anew: all or the small ones. All, when that is asked for, when most of them are small, when
 * loose objects have come, or when unreachable ones may be due.
 */
async function choose(
  gitDir: string,
  view: PackView,
  { all, expiry }: { all: boolean; expiry: Date },
): Promise<Choice> {
  const mine = view.packs.filter(({ kept, cruft }) => !kept && !cruft);
  const chosen = choosePacks(mine);
  const { packedAllAt } = await readPackNeed(gitDir);
  const due = packedAllAt < Date.now() - KEEP_UNREACHABLE_MS;
  if (!all && !due && view.loose.length === 0 && chosen.length < mine.length)
    return { packed: "some", chosen, oldCruft: [], expired: 0 };
  const oldCruft: string[] = [];
  let expired = 0;
  for (const { name, cruft, kept } of view.packs) {
    const count = cruft && !kept ? await countExpired(join(view.path, "pack"), name, expiry) : 0;
    if (count > 0) oldCruft.push(name);
    expired += count;
  }
  return { packed: "all", chosen: mine, oldCruft, expired };
}

async function compared(
  gitDir: string,
  view: PackView,
  { bitmap }: Repacked,
): Promise<Pick<GcOutcome, "packsBefore" | "packsAfter" | "bytesBefore" | "bytesAfter" | "bitmap">> {
  const bytes = (packs: readonly Pack[]) => packs.reduce((sum, pack) => sum + pack.bytes, 0);
  const after = await readPacks(join(gitDir, "objects", "pack"));
  return {
    packsBefore: view.packs.length,
    packsAfter: after.length,
    bytesBefore: bytes(view.packs),
    bytesAfter: bytes(after),
    bitmap,
  };
}
