// Prepares a push that is decided at once: by one statement, which makes the row of the write as landed. Others see no
// row before. So only a push that is ready in a moment goes this way (docs/decisions/0053-one-statement-for-a-push.md).
import { setTimeout as sleep } from "node:timers/promises";
import type { RefUpdate } from "../../domain.ts";
import type { Stopwatch } from "../../telemetry/stopwatch.ts";
import type { Replica } from "../device/replica.ts";
import type { LockedEarly, Prepared } from "./prepare-refs.ts";

/** A write that takes longer than this is staged, so that others see it. Stops and drains of devices wait for it. */
const UNSEEN_MS = 250;

/** A write that may be decided without a row before, or several of them. */
interface UnseenWrite {
  readonly atOnce?: boolean | undefined;
  readonly request: { readonly updates: readonly RefUpdate[] };
  readonly clock: Pick<Stopwatch, "lap">;
}

/** A write whose refs are locked, and whose objects are on disk. */
export interface AtOnce {
  readonly prepared: Prepared & { outcome: "prepared" };
  /** The key of digests. */
  readonly digestKey: Buffer;
}

/**
 * Returns when git has locked all refs of a push with the pusher's old values, and `synced` has resolved. undefined:
 * the write must be staged. It needs copies, or git refuses a ref, or it takes too long. A key of digests, and a rule
 * of copies, are known once a write was staged here.
 */
export async function readyAtOnce(
  { digestKey, copiesRule }: Replica,
  { atOnce, request, clock }: UnseenWrite,
  early: LockedEarly | undefined,
  synced: Promise<void>,
): Promise<AtOnce | undefined> {
  if (!atOnce || digestKey === undefined || copiesRule.atLeast > 1 || early === undefined) return undefined;
  const { transaction, updates, afterwards, refusal } = early;
  // git checks the refs in `updates` now. It checks neither unchanged refs nor those in `afterwards`, so such a push is
  // staged.
  if (updates.length < request.updates.length || afterwards.size > 0) return undefined;
  using late = new Patience(UNSEEN_MS);
  const locked = await late.unless(refusal.then((refused) => refused === undefined));
  if (!locked) return undefined;
  clock.lap("prepareMs");
  const durable = await late.unless(synced.then(() => true));
  return durable
    ? { prepared: { outcome: "prepared", transaction, updates: [...updates], afterwards }, digestKey }
    : undefined;
}

/** Gives up what takes too long. */
class Patience implements Disposable {
  readonly #ended = new AbortController();
  readonly #late: Promise<false>;

  constructor(ms: number) {
    this.#late = sleep(ms, false as const, { signal: this.#ended.signal }).catch(() => false as const);
  }

  /** Returns what `work` returns. false: it failed, or the time is over. */
  async unless(work: Promise<boolean>): Promise<boolean> {
    return await Promise.race([work.catch(() => false), this.#late]);
  }

  [Symbol.dispose](): void {
    this.#ended.abort();
  }
}
