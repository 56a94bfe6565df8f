// Brings refused credentials to the audit. An attacker may be refused a thousand times a second, so equal refusals are
// counted and written a few times a minute. Nobody waits for that.
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import type { Database } from "../../store/database/database.ts";
import { type Act, insertAudit } from "../../store/registry/audit.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import type { Refused } from "../../tls/trust.ts";
import { tellFailure } from "../lease/tell-outage.ts";

/** Equal refusals make one row in this time. */
const EACH_MS = 20_000;
/** After the first refusal, so that several that come together are written together. */
const SOON_MS = 200;
const GOODBYE_MS = 1_000;
/** Beyond so many different refusals in that time, the others are counted in one row. */
const KINDS_LIMIT = 200;

interface Kind {
  refused: Refused;
  count: number;
  writtenAt: number;
}

export interface RefusalsOptions {
  readonly db: Database;
  readonly device: string;
  readonly metrics: Pick<Metrics, "refused">;
  readonly log: Logger;
}

export class Refusals implements AsyncDisposable {
  readonly #options: RefusalsOptions;
  readonly #kinds = new Map<string, Kind>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RefusalsOptions) {
    this.#options = options;
  }

  /** Counts refused credentials. They are in the audit soon. */
  readonly note = (refused: Refused): void => {
    this.#options.metrics.refused(refused.code);
    const key = `${refused.from} ${refused.code} ${refused.who}`;
    let kind = this.#kinds.get(key);
    if (kind === undefined && this.#kinds.size >= KINDS_LIMIT) {
      const others = { ...refused, who: "", from: "many addresses" };
      kind = this.#kinds.get("") ?? { refused: others, count: 0, writtenAt: Number.NEGATIVE_INFINITY };
      this.#kinds.set("", kind);
    } else if (kind === undefined) {
      kind = { refused, count: 0, writtenAt: Number.NEGATIVE_INFINITY };
      this.#kinds.set(key, kind);
    }
    kind.count += 1;
    kind.refused = kind.refused.from === "many addresses" ? kind.refused : refused;
    this.#timer ??= setTimeout(() => void this.#write(EACH_MS), SOON_MS).unref();
  };

  /** Writes what was counted, for a second at most. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.race([this.#write(0), sleep(GOODBYE_MS, undefined, { ref: false })]);
  }

  async #write(eachMs: number): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const now = performance.now();
    for (const [key, kind] of this.#kinds) {
      if (kind.count === 0 && now - kind.writtenAt >= EACH_MS) this.#kinds.delete(key);
    }
    const due = [...this.#kinds.values()].filter(({ count, writtenAt }) => count > 0 && now - writtenAt >= eachMs);
    const counted = due.map((kind) => [kind, kind.count] as const);
    for (const kind of due) [kind.count, kind.writtenAt] = [0, now];
    try {
      if (counted.length > 0)
        await insertAudit(
          this.#options.db,
          counted.map(([kind, count]) => this.#actOf(kind, count)),
        );
    } catch (error) {
      for (const [kind, count] of counted) kind.count += count;
      tellFailure(this.#options, error, "could not write refused credentials to the audit");
    }
    const waits = [...this.#kinds.values()].some(({ count }) => count > 0);
    if (waits && eachMs > 0) this.#timer ??= setTimeout(() => void this.#write(EACH_MS), EACH_MS).unref();
  }

  #actOf({ refused: { who, from, code, why } }: Kind, count: number): Act {
    return {
      author: who || "unknown",
      action: "refused",
      device: this.#options.device,
      result: code,
      detail: { from, why, count },
    };
  }
}
