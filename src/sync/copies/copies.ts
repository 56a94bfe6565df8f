// Puts the objects of a write on several devices before it lands (docs/mechanisms.md, "Copies"). If one disk is lost
// afterwards, another one has them.
import { once } from "node:events";
import { crashPoint } from "../../crash-points.ts";
import { objectIds, type RefUpdate } from "../../domain.ts";
import { describe, LockstepError } from "../../errors.ts";
import type { HoldRequestBody } from "../../git/peers/pack-requests.ts";
import { Silence } from "../../git/silence.ts";
import { linkSignals } from "../../io/signals.ts";
import { type ReplicaRow, replicasOf } from "../../store/replica/replicas.ts";
import type { CopiesRule } from "../../store/write/writes.ts";
import { WAITS } from "../../waits.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";
import { chooseSources } from "../objects/sources.ts";
import { holdRequests } from "./hold-request.ts";

/** How many more devices are asked than needed, because the slowest decides how long it takes. */
const SPARE = 1;

export interface CopiesRequest {
  readonly updates: readonly RefUpdate[];
  readonly rule: CopiesRule;
  /** Shows a line to the pusher. */
  readonly tell?: (text: string) => void;
}

/**
 * Has other devices fetch and keep the objects of the updates. Returns the devices that have them, as soon as there are
 * enough. Throws NOT_ENOUGH_COPIES, unless the rule accepts fewer.
 */
export async function makeCopies(
  context: SyncContext,
  replica: Replica,
  { updates, rule, tell }: CopiesRequest,
): Promise<string[]> {
  replica.copiesRule = rule;
  const wanted = rule.atLeast - 1;
  const wants = objectIds(updates.map(({ newValue }) => newValue));
  if (wanted <= 0 || wants.length === 0) return [];
  // Current replicas have the objects on which the new ones build.
  const like = { version: replica.applied ?? 0n, writers: [], prefer: undefined };
  const rows = chooseSources(context, await replicasOf(context.db, replica.id), like);
  const requests = holdRequests(replica.id, updates);
  const refusals: string[] = [];
  // Once there are enough copies, or no more devices to ask, the other devices stop fetching. They catch up later like
  // any device.
  using work = linkSignals([context.signal]);
  const holders = await fastest(rows, wanted, async (row) => {
    try {
      await requestHolds(context, row, requests, work.signal);
      return row.device;
    } catch (error) {
      refusals.push(`${row.device}: ${describe(error)}`);
      return undefined;
    }
  });
  work.abort();
  await crashPoint("copies.made");
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
    `The objects of this write are on ${have} that ${replica.name} requires (${why}); nothing was written, try again when more devices are up.`,
    { details: { repository: replica.name, have: String(holders.length + 1), wanted: String(rule.atLeast) } },
  );
}

async function requestHolds(
  context: SyncContext,
  row: ReplicaRow,
  requests: readonly HoldRequestBody[],
  wanted: AbortSignal,
): Promise<void> {
  using silence = new Silence(WAITS.copySilentMs);
  using link = linkSignals([wanted, silence.signal]);
  for (const request of requests) {
    using _ = context.fetchable.offer(request.repositoryId, row.device, request.wants);
    await Promise.race([
      context.requestHold(row, request, link.signal, () => silence.broken()),
      once(link.signal, "abort").then(() => {
        throw new LockstepError("SOURCE_FAILED", `its work has shown nothing new for ${WAITS.copySilentMs / 1000} s`);
      }),
    ]);
  }
}

/**
 * Asks the first devices, and the next one whenever one refuses or none has answered for a while. Resolves with the
 * first `wanted` devices that did not refuse, or with fewer when all have answered.
 */
async function fastest(
  rows: readonly ReplicaRow[],
  wanted: number,
  ask: (row: ReplicaRow) => Promise<string | undefined>,
): Promise<string[]> {
  const waiting = [...rows];
  const holders: string[] = [];
  let hedge: NodeJS.Timeout | undefined;
  try {
    return await new Promise((resolve) => {
      let running = 0;
      let spare = SPARE;
      const next = () => {
        if (holders.length >= wanted || (running === 0 && waiting.length === 0)) return resolve([...holders]);
        while (running < wanted + spare - holders.length) {
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
      hedge = setInterval(() => {
        spare += 1;
        next();
      }, WAITS.copyHedgeMs);
      next();
    });
  } finally {
    clearInterval(hedge);
  }
}
