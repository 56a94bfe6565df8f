// Keeps the packs of a replica few while pushes and catch-ups leave one each.
import { describe } from "../errors.ts";
import { rollUpPacks } from "../git/roll-up.ts";
import type { SyncContext } from "./context.ts";
import type { Replica } from "./replica.ts";

/** Each pack costs every push some 50 µs, so many of them 2 ms; rolling them up takes a tenth of a second in the background. */
const PACKS_LIMIT = 50;
/** Between looks into the directory. */
const ARRIVALS = 25;

/** Takes note that a pack may have come. Returns at once; where there are many, they are rolled up in the background. */
export function packArrived(context: SyncContext, replica: Replica): void {
  replica.packsArrived += 1;
  if (replica.packsArrived < ARRIVALS) return;
  replica.packsArrived = 0;
  void tidy(context, replica);
}

/** One replica at a time: a push must not find all processors busy. Never rejects: what failed is tried again with later packs. */
async function tidy(context: SyncContext, replica: Replica): Promise<void> {
  await context.replicas.tidying.runExclusive(async () => {
    const startedAt = performance.now();
    try {
      const packs = await rollUpPacks(context.git, replica.gitDir, PACKS_LIMIT, context.signal);
      const durationMs = performance.now() - startedAt;
      if (packs > 0) context.log.info({ repository: replica.name, packs, durationMs }, "rolled packs up into one");
    } catch (error) {
      if (context.signal.aborted) return;
      context.log.warn({ repository: replica.name, err: describe(error) }, "could not roll packs up");
    }
  });
}
