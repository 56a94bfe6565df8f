// Delivers events to webhooks: at least once, and one after another for each hook. The row of a hook says which
// incarnation of a device delivers it, and behind which event it is. If that device dies, another one takes the hook
// over and goes on there. A delivery that fails is repeated until it succeeds, and later events of that hook wait.
import { setTimeout as sleep } from "node:timers/promises";
import { crashPoint } from "../../crash-points.ts";
import { describe, LockstepError } from "../../errors.ts";
import { originOf } from "../../io/hook-url.ts";
import { linkSignals } from "../../io/signals.ts";
import { visible } from "../../io/visible.ts";
import { type ClaimedHook, claimHooks, recordHookFailure, recordHookProgress } from "../../store/watch/hooks.ts";
import type { Landed } from "../../store/watch/landed.ts";
import { WAITS } from "../../waits.ts";
import type { SyncContext } from "../device/context.ts";
import { tellFailure } from "../lease/tell-outage.ts";
import { beginWatch } from "../watch/begin-watch.ts";
import { FROM_BEGINNING, FROM_NOW } from "../watch/cursor.ts";
import { postEvent } from "./post-event.ts";

const ERROR_LIMIT = 500;

/** Another incarnation has the hook, or it was removed. */
class HookGone extends Error {}

/** Delivers the events of this device's hooks until `stopping` aborts. A delivery under way may end. */
export async function deliverHooks(context: SyncContext, stopping: AbortSignal): Promise<void> {
  const running = new Map<string, { readonly stop: AbortController; readonly done: Promise<void> }>();
  while (!stopping.aborted) {
    try {
      const claimed = new Map((await claimHooks(context.db, context.me)).map((hook) => [hook.id, hook]));
      for (const [id, { stop }] of running) if (!claimed.has(id)) stop.abort(new HookGone());
      for (const [id, hook] of claimed) {
        if (running.has(id) || stopping.aborted) continue;
        const stop = new AbortController();
        const done = deliverHook(context, hook, { stopping, gone: stop.signal }).finally(() => running.delete(id));
        running.set(id, { stop, done });
      }
    } catch (error) {
      if (!stopping.aborted) tellFailure(context, error, "could not look for webhooks");
    }
    await sleep(WAITS.hookClaimMs * (0.8 + 0.4 * Math.random()), undefined, { signal: stopping }).catch(() => {});
  }
  await Promise.all([...running.values()].map(({ done }) => done));
}

/** Delivers the events of one hook until it is gone. Never rejects: after a failure the next claim begins anew. */
async function deliverHook(
  context: SyncContext,
  hook: ClaimedHook,
  { stopping, gone }: { stopping: AbortSignal; gone: AbortSignal },
): Promise<void> {
  using ended = linkSignals([stopping, gone, context.signal]);
  using cut = linkSignals([gone, context.signal]);
  const delivery = new HookDelivery(context, hook, { ended: ended.signal, cut: cut.signal });
  try {
    await delivery.run();
  } catch (error) {
    if (ended.signal.aborted || error instanceof HookGone) return;
    tellFailure(context, error, "could not deliver the events of a webhook, trying again");
    await sleep(WAITS.hookRetryMs, undefined, { signal: ended.signal }).catch(() => {});
  }
}

class HookDelivery {
  readonly #context: SyncContext;
  readonly #hook: ClaimedHook;
  /** No further delivery begins. */
  readonly #ended: AbortSignal;
  /** A delivery under way is broken off. */
  readonly #cut: AbortSignal;
  /** As in the row. */
  #cursor: string;
  #delivered: bigint;
  #attempts: number;

  constructor(context: SyncContext, hook: ClaimedHook, { ended, cut }: { ended: AbortSignal; cut: AbortSignal }) {
    this.#context = context;
    this.#hook = hook;
    this.#ended = ended;
    this.#cut = cut;
    this.#cursor = hook.cursor;
    this.#delivered = hook.delivered;
    this.#attempts = hook.attempts;
  }

  /** Throws HookGone, DATABASE_UNAVAILABLE, and the reason of the signals. */
  async run(): Promise<void> {
    await crashPoint("hook.claimed");
    await this.#pause(this.#hook.waitMs);
    const watcher = await this.#watch();
    for await (const { cursor, event } of watcher.events()) {
      if (event === undefined && cursor === this.#cursor) continue;
      if (event !== undefined) await this.#deliver(event);
      await this.#record(cursor, { isDelivery: event !== undefined, missed: false });
      if (event !== undefined) await crashPoint("hook.recorded");
    }
  }

  async #watch() {
    const { repositories, visible } = this.#hook;
    const from = (cursor: string) => beginWatch(this.#context, { cursor, repositories, visible }, this.#ended);
    try {
      return await from(this.#cursor);
    } catch (error) {
      if (!(error instanceof LockstepError && error.code === "CURSOR_EXPIRED")) throw error;
      this.#context.log.error({ hook: this.#hook.id, err: describe(error) }, "a webhook may have missed events");
      // An older copy of the database has no events that this hook did not get.
      const watcher = await from(error.details.ahead === undefined ? FROM_BEGINNING : FROM_NOW);
      await this.#record(watcher.cursor, { isDelivery: false, missed: true });
      return watcher;
    }
  }

  /** Posts an event until the receiver has accepted it. */
  async #deliver(event: Landed): Promise<void> {
    for (;;) {
      this.#ended.throwIfAborted();
      await this.#mayDeliver();
      await crashPoint("hook.delivering");
      const startedAt = performance.now();
      const how = { allowed: this.#context.hookAddresses, signal: this.#cut };
      const error = await postEvent(this.#hook, event, how).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      this.#cut.throwIfAborted();
      this.#context.metrics.hookDelivered(
        error === undefined ? "ok" : "failed",
        (performance.now() - startedAt) / 1000,
      );
      if (error === undefined) return await crashPoint("hook.delivered");
      await this.#fail(error);
    }
  }

  /**
   * Returns when the lease of this device lasts longer than a delivery may take. So no other device delivers the same
   * hook at the same time, unless this process is stopped in between.
   */
  async #mayDeliver(): Promise<void> {
    while (this.#context.lease.provenForMs < WAITS.hookDeliveryMs) {
      await this.#context.lease.renewSoon();
      if (this.#context.lease.provenForMs < WAITS.hookDeliveryMs) await this.#pause(WAITS.hookRetryMs);
    }
  }

  async #fail(error: unknown): Promise<void> {
    this.#attempts += 1;
    const waitMs = backOffMs(this.#attempts);
    const told = visible(describe(error)).slice(0, ERROR_LIMIT);
    const { id, url } = this.#hook;
    this.#context.log.warn(
      { hook: id, to: originOf(url), attempts: this.#attempts, waitMs, err: told },
      "a webhook did not accept an event",
    );
    const failure = { cursor: this.#cursor, attempts: this.#attempts, waitMs, error: told };
    const { db, me } = this.#context;
    if (!(await recordHookFailure(db, me, id, failure))) throw new HookGone();
    await this.#pause(waitMs);
  }

  /** Records the progress. If the row belongs to another incarnation by now, that one goes on from its cursor. */
  async #record(cursor: string, how: { isDelivery: boolean; missed: boolean }): Promise<void> {
    const { db, me } = this.#context;
    const delivered = this.#delivered + (how.isDelivery ? 1n : 0n);
    const progress = { before: this.#cursor, cursor, delivered, ...how };
    if (!(await recordHookProgress(db, me, this.#hook.id, progress))) throw new HookGone();
    this.#cursor = cursor;
    this.#delivered = delivered;
    this.#attempts = 0;
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#ended }).catch(() => this.#ended.throwIfAborted());
  }
}

/** Returns the pause after so many failed attempts in a row. */
function backOffMs(attempts: number): number {
  const whole = Math.min(WAITS.hookBackOffMs * 2 ** Math.min(attempts - 1, 20), WAITS.hookBackOffLimitMs);
  return Math.round(whole * (0.5 + 0.5 * Math.random()));
}
