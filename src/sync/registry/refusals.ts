// Brings refused credentials to the audit. Equal refusals are counted and written a few times a minute.
import type { Logger } from "pino";
import type { Database } from "../../store/database/database.ts";
import { type Act, insertAudit } from "../../store/registry/audit.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import { type Counted, Tally } from "../../telemetry/tally.ts";
import type { Refused } from "../../tls/trust.ts";
import { tellFailure } from "../lease/tell-outage.ts";

/** Beyond so many different refusals in 20 seconds, the others are counted in one row. */
const KINDS_LIMIT = 200;
const GOODBYE_MS = 1_000;

export interface RefusalsOptions {
  readonly db: Database;
  readonly device: string;
  readonly metrics: Pick<Metrics, "refused">;
  readonly log: Logger;
}

export class Refusals implements AsyncDisposable {
  readonly #options: RefusalsOptions;
  readonly #tally: Tally<Refused>;

  constructor(options: RefusalsOptions) {
    this.#options = options;
    this.#tally = new Tally({
      kindOf: ({ from, code, who, way = "" }) => `${from} ${code} ${way} ${who}`,
      kinds: KINDS_LIMIT,
      rest: (refused) => ({ ...refused, who: "", from: "many addresses" }),
      handOver: (counted) => insertAudit(options.db, counted.map(this.#actOf)),
      onFailure: (error) => tellFailure(options, error, "could not write refused credentials to the audit"),
      goodbyeMs: GOODBYE_MS,
    });
  }

  /** Counts refused credentials. They are in the audit soon. */
  readonly note = (refused: Refused, times = 1): void => {
    this.#options.metrics.refused(refused.code, times);
    this.#tally.note(refused, times);
  };

  /** Writes what was counted, for a second at most. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tally[Symbol.asyncDispose]();
  }

  readonly #actOf = ({ thing: { who, from, code, why, way }, count }: Counted<Refused>): Act => ({
    author: who || "unknown",
    action: "refused",
    device: this.#options.device,
    result: code,
    detail: { from, ...(way !== undefined && { way }), why, count },
  });
}
