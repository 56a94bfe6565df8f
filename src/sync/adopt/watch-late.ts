// Watches adopted replicas while a push of plain git that began before the adoption may go on. Such a push writes refs
// that the next look finds, and recovery lands them (catch-up/land-late.ts). Reads and pushes look by themselves; this
// loop looks at replicas that nobody touches, and deep among their refs.
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { digestOf } from "../../digest.ts";
import { describe } from "../../errors.ts";
import { readRefs } from "../../git/refs/refs.ts";
import { processesBelow } from "../../git/root/processes.ts";
import { exists, namesIn } from "../../io/disk.ts";
import { listLate } from "../../store/adopt/adoption.ts";
import { readDigestKey } from "../../store/log/digests.ts";
import { catchUp } from "../catch-up/catch-up.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";
import { tellFailure } from "../lease/tell-outage.ts";

const TICK_MS = 250;
/** So long after a sign that a push has ended, its refs are compared. It writes refs after its quarantine is gone. */
const AFTER_SIGN_MS = [0, 1_000, 5_000];
/** A push that gives no sign may end at any time. */
const AFTER_ADOPTION_MS = [5_000, 60_000, 10 * 60_000, 60 * 60_000, 24 * 60 * 60_000];
/** The pause between two replicas that are compared. */
const GAP_MS = 20;

interface Watched {
  readonly replica: Replica;
  /** When to compare (milliseconds of the monotonic clock). */
  due: number[];
  /** What ran when the watch began. undefined: nobody has looked yet. */
  signs: Signs | undefined;
}

interface Signs {
  readonly pids: readonly number[];
  readonly quarantines: readonly string[];
}

const watches = new WeakMap<SyncContext, Map<string, Watched>>();

/**
 * Watches a replica that is being adopted. Call it before its refs are read. Then a push that ends later is among the
 * signs, and the refs of one that has ended are read.
 */
export async function watchLate(context: SyncContext, replica: Replica): Promise<void> {
  const watched = watch(context, replica, AFTER_ADOPTION_MS);
  const processes = await processesBelow(context.root);
  watched.signs = await signsOf(replica, processes.get(replica.gitDir) ?? []);
}

function watch(context: SyncContext, replica: Replica, after: readonly number[]): Watched {
  const now = performance.now();
  const watched = { replica, due: after.map((ms) => now + ms), signs: undefined };
  watchesOf(context).set(replica.id, watched);
  return watched;
}

function watchesOf(context: SyncContext): Map<string, Watched> {
  const found = watches.get(context) ?? new Map<string, Watched>();
  watches.set(context, found);
  return found;
}

/** Watches until the context's signal aborts. Begins with the replicas that the last incarnation adopted. */
export async function keepWatching(context: SyncContext): Promise<void> {
  const { signal } = context;
  await load(context);
  while (!signal.aborted) {
    await lookAtWatched(context);
    await sleep(TICK_MS, undefined, { signal }).catch(() => {});
  }
}

async function load(context: SyncContext): Promise<void> {
  while (!context.signal.aborted) {
    try {
      for (const { repositoryId: id, leftMs, ...row } of await listLate(context.db, context.me.device))
        watch(context, context.replicas.get({ id, ...row }), [1_000, leftMs]);
      return;
    } catch (error) {
      if (!context.signal.aborted) tellFailure(context, error, "could not read which replicas were adopted lately");
      await sleep(TICK_MS * 4, undefined, { signal: context.signal }).catch(() => {});
    }
  }
}

/** Looks once for pushes that have ended, and compares the replicas that are due. Never rejects. */
export async function lookAtWatched(context: SyncContext): Promise<void> {
  for (const replica of context.replicas.takenOver.splice(0)) await watchLate(context, replica);
  const all = watchesOf(context);
  const looked = [...all.values()].filter(({ signs }) => signs === undefined || isPending(signs));
  const processes = looked.length > 0 ? await processesBelow(context.root) : new Map<string, number[]>();
  const now = performance.now();
  for (const watched of looked) await lookForEnd(watched, processes.get(watched.replica.gitDir) ?? [], now);
  for (const [id, watched] of all) {
    if (context.signal.aborted) return;
    if (watched.due.some((at) => at <= now)) {
      watched.due = watched.due.filter((at) => at > now);
      await compare(context, watched.replica);
      await sleep(GAP_MS);
    }
    if (watched.due.length === 0 && all.get(id) === watched) all.delete(id);
  }
}

function isPending({ pids, quarantines }: Signs): boolean {
  return pids.length + quarantines.length > 0;
}

async function signsOf({ gitDir }: Replica, pids: readonly number[]): Promise<Signs> {
  const names = await namesIn(join(gitDir, "objects"));
  return { pids, quarantines: names.filter((name) => name.startsWith("tmp_objdir-incoming-")) };
}

/** Has the replica compared when something that ran at the beginning has ended. */
async function lookForEnd(watched: Watched, running: readonly number[], now: number): Promise<void> {
  const objects = join(watched.replica.gitDir, "objects");
  if (watched.signs === undefined) {
    watched.signs = await signsOf(watched.replica, running);
    return;
  }
  const { pids, quarantines } = watched.signs;
  const left: Signs = { pids: pids.filter((pid) => running.includes(pid)), quarantines: [] };
  const there = await Promise.all(quarantines.map((name) => exists(join(objects, name))));
  watched.signs = { ...left, quarantines: quarantines.filter((_, index) => there[index]) };
  if (watched.signs.pids.length + watched.signs.quarantines.length < pids.length + quarantines.length)
    watched.due.push(...AFTER_SIGN_MS.map((ms) => now + ms));
}

/** Compares the refs of a replica with those of its version. If they differ, recovery lands or keeps them. */
async function compare(context: SyncContext, replica: Replica): Promise<void> {
  try {
    const key = await readDigestKey(context.db, replica.id);
    if (key === undefined) return;
    const same = await replica.mutex.runExclusive(async () => {
      if (replica.applied === undefined) return false;
      return digestOf(key, await readRefs(context.git, replica.gitDir)).toString("hex") === replica.appliedDigest;
    });
    if (same) return;
    if (replica.applied !== undefined) await replica.mutex.distrust();
    await catchUp(context, replica, 0n, { signal: context.signal, insist: true });
  } catch (error) {
    if (!context.signal.aborted)
      context.log.warn({ repository: replica.name, err: describe(error) }, "could not compare an adopted replica");
  }
}
