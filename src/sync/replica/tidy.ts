// Keeps the packs of a replica few, and most of its refs in one file. Every push and every catch-up adds to both. This
// is the quick part, every few pushes: it joins the packs that came since the last gc (upkeep/collect-garbage.ts).
import type { Mutex } from "async-mutex";
import { describe } from "../../errors.ts";
import { needsGc, readPackNeed } from "../../git/packs/pack-need.ts";
import { rollUpPacks } from "../../git/packs/roll-up-packs.ts";
import { WAITS } from "../../waits.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";
import { packLooseRefs } from "./pack-loose-refs.ts";
import { lookAfterUploads } from "./uploads.ts";

/**
 * Each pack costs every push some 50 µs, so this many cost 2 ms. To roll them up takes a tenth of a second in the
 * background.
 */
const PACKS_LIMIT = 50;
/**
 * Each loose ref costs a push some 20 µs, so this many cost 20 ms. To pack them takes a fifth of a second in the
 * background.
 */
const LOOSE_REFS_LIMIT = 1_000;
/** How many pushes and catch-ups come between two looks into the directories. */
const ARRIVALS = 25;

/** Counts one arrival of a pack and `refs` refs. Returns at once; tidies in the background when there are many. */
export function countArrival(context: SyncContext, replica: Replica, refs: number): void {
  lookAfterUploads(context, replica);
  context.replicas.noteArrival(replica);
  replica.arrivals += 1;
  if (replica.arrivals < ARRIVALS && refs < LOOSE_REFS_LIMIT) return;
  // The replica waits to be tidied already. That covers this arrival too.
  if (replica.awaitsTidying) return;
  replica.arrivals = 0;
  replica.awaitsTidying = true;
  void runInTime(context.replicas.tidying, () =>
    replica.tidying.runExclusive(async () => {
      replica.awaitsTidying = false;
      await tidy(context, replica);
    }),
  );
}

/** Runs `run` when the mutex is free. Releases the mutex at the end, or after TURN_MS when `run` takes longer. */
async function runInTime(turn: Mutex, run: () => Promise<void>): Promise<void> {
  const release = await turn.acquire();
  const timer = setTimeout(release, WAITS.tidyAloneMs).unref();
  try {
    await run();
  } finally {
    clearTimeout(timer);
    release();
  }
}

/** Rolls packs up and packs refs. Never rejects: after a failure it tries again when more has arrived. */
async function tidy(context: SyncContext, replica: Replica): Promise<void> {
  const { git, log, signal } = context;
  const startedAt = performance.now();
  const said = () => ({ repository: replica.name, durationMs: performance.now() - startedAt });
  try {
    const packs = await rollUpPacks(git, replica.gitDir, PACKS_LIMIT, signal, replica.packsOfGc);
    if (packs > 0) log.info({ ...said(), packs }, "rolled packs up into one");
    const refs = await packLooseRefs(context, replica, LOOSE_REFS_LIMIT);
    if (refs > 0) log.info({ ...said(), refs }, "packed loose refs");
    if (needsGc(await readPackNeed(replica.gitDir), String(replica.applied))) context.replicas.awaitGc.add(replica);
  } catch (error) {
    if (signal.aborted) return;
    log.warn({ ...said(), err: describe(error) }, "could not tidy a replica up");
  }
}
