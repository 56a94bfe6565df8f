// Warnings of certificates that end soon or have ended.
import { instant } from "./peer-certificate.ts";

const DAY_MS = 86_400_000;
const WARN_DAYS = [1, 7, 30];
/**
 * No warning comes before this part of the lifetime is left. Programs such as cert-manager renew when a third is left,
 * and the new file needs some time to arrive.
 */
const WARN_PART = 0.3;

/** The lifetime of a certificate, or of a certificate with its authorities, in milliseconds since 1970. */
export interface Lifespan {
  readonly beginsAt: number;
  readonly endsAt: number;
}

/** A certificate that is warned of. */
export interface Expiring extends Lifespan {
  /** Differs between the certificates of one process. */
  readonly key: string;
  /** Such as "The certificate of device repo001". */
  readonly whose: string;
  /** What an operator does before the end. */
  readonly remedy: string;
  /** The sentence after the end. */
  readonly ended: string;
}

/** `key` differs at 30, 7 and 1 days, and at the end. */
interface Ending {
  readonly key: string;
  readonly sentence: string;
  readonly ended: boolean;
}

type Log = Readonly<Record<"warn" | "error", (fields: Record<string, unknown>, message: string) => void>>;

/** Returns the number of days of the warning that is due, which is 30, 7 or 1. undefined: none is. */
export function daysOfWarning({ beginsAt, endsAt }: Lifespan, now: number): number | undefined {
  const left = endsAt - now;
  return left > (endsAt - beginsAt) * WARN_PART ? undefined : WARN_DAYS.find((each) => left < each * DAY_MS);
}

/** Returns the certificates that end soon or have ended, each with the sentence for an operator. */
export function endingsOf(certificates: readonly Expiring[], now: number): Ending[] {
  return certificates.flatMap((certificate) => {
    const { key, whose, remedy, endsAt } = certificate;
    const days = daysOfWarning(certificate, now);
    if (days === undefined) return [];
    const ended = endsAt < now;
    const soon = `${whose} ends at ${instant(endsAt)}, in ${leftText(endsAt - now)}; ${remedy}.`;
    const sentence = ended ? certificate.ended : soon;
    return [{ key: `${key} ${endsAt} ${ended ? "ended" : days}`, sentence, ended }];
  });
}

/** Tells the log of each ending once. */
export class EndingTeller {
  readonly #log: Log;
  readonly #told = new Set<string>();

  constructor(log: Log) {
    this.#log = log;
  }

  tell(certificates: readonly Expiring[]): void {
    for (const { key, sentence, ended } of endingsOf(certificates, Date.now())) {
      if (this.#told.has(key)) continue;
      this.#told.add(key);
      if (ended) this.#log.error({ err: sentence }, "a certificate has ended");
      else this.#log.warn({ err: sentence }, "a certificate ends soon");
    }
  }
}

function leftText(ms: number): string {
  if (ms > 2 * DAY_MS) return `${Math.floor(ms / DAY_MS)} days`;
  if (ms > 7_200_000) return `${Math.floor(ms / 3_600_000)} hours`;
  return ms > 120_000 ? `${Math.floor(ms / 60_000)} minutes` : "a minute";
}
