// Objects on several devices before the write that needs them lands (docs/architecture.md, "Copies"): whatever disk is lost afterwards,
// another one has them.
import { reach } from "../crash-points.ts";
import { objectIds, type RefUpdate, toLatin1 } from "../domain.ts";
import { describe, LockstepError } from "../errors.ts";
import { type ReplicaRow, replicasOf } from "../store/replicas.ts";
import type { CopiesRule } from "../store/writes.ts";
import type { SyncContext } from "./context.ts";
import { chooseSources } from "./fetch-objects.ts";
import type { Replica } from "./replica.ts";

/** A pusher waits no longer than this for copies. */
const PATIENCE_MS = 20_000;
/** Asked beyond those that are needed, as the slowest of them decides how long it takes. */
const SPARE = 1;

export interface CopiesRequest {
  readonly updates: readonly RefUpdate[];
  readonly rule: CopiesRule;
  /** Tells the one who pushes. */
  readonly tell?: (text: string) => void;
}

/**
 * Has other devices fetch what the updates need and keep it; returns those that have it, as soon as there are enough. Throws
 * NOT_ENOUGH_COPIES, unless fewer will do.
 */
export async function makeCopies(
  context: SyncContext,
  replica: Replica,
  { updates, rule, tell }: CopiesRequest,
): Promise<string[]> {
  replica.copies = rule;
  const wanted = rule.atLeast - 1;
  const wants = objectIds(updates.map(({ newValue }) => newValue));
  if (wanted <= 0 || wants.length === 0) return [];
  // Those that are current have what the objects build on.
  const like = { version: replica.applied ?? 0n, writers: [], prefer: undefined };
  const rows = chooseSources(context, await replicasOf(context.db, replica.id), like);
  const haves = objectIds(updates.map(({ oldValue }) => oldValue));
  const patience = AbortSignal.any([context.signal, AbortSignal.timeout(PATIENCE_MS)]);
  const refs = updates.filter(({ oldValue }) => oldValue !== null).map(({ name }) => toLatin1(name));
  const body = { repositoryId: replica.id, wants, haves, refs };
  const refusals: string[] = [];
  const holders = await fastest(rows, wanted, async (row) => {
    try {
      await context.requestHold(row, body, patience);
      return row.device;
    } catch (error) {
      refusals.push(`${row.device}: ${describe(error)}`);
      return undefined;
    }
  });
  await reach("copies.made");
  if (holders.length >= wanted) return holders;
  const have = `${holders.length + 1} of ${rule.atLeast} devices`;
  if (rule.orFewer) {
    context.log.warn(
      { repository: replica.name, have: holders.length + 1, wanted: rule.atLeast, refusals },
      "fewer copies",
    );
    tell?.(`this push is on ${have} only`);
    return holders;
  }
  const why = refusals.length > 0 ? refusals.join("; ") : "no other one is live";
  throw new LockstepError(
    "NOT_ENOUGH_COPIES",
    `The objects of this write are on ${have} that ${replica.name} wants them on (${why}); nothing was written, try again when more devices are up.`,
    { details: { repository: replica.name, have: String(holders.length + 1), wanted: String(rule.atLeast) } },
  );
}

/** Asks the first few, and the next one whenever one refuses; resolves with the first `wanted` that did not, or all of them. */
async function fastest(
  rows: readonly ReplicaRow[],
  wanted: number,
  ask: (row: ReplicaRow) => Promise<string | undefined>,
): Promise<string[]> {
  const waiting = [...rows];
  const holders: string[] = [];
  return await new Promise((resolve) => {
    let running = 0;
    const next = () => {
      if (holders.length >= wanted || (running === 0 && waiting.length === 0)) return resolve([...holders]);
      while (running < wanted + SPARE - holders.length) {
        const row = waiting.shift();
        if (row === undefined) return;
        running += 1;
        void ask(row).then((device) => {
          running -= 1;
          if (device !== undefined) holders.push(device);
          next();
        });
      }
    };
    next();
  });
}
