// The credentials of this device while the process runs. The files are looked at twice a second. New ones are used when
// they fit, and the old ones stay otherwise. The log warns before a certificate ends.
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import type { Config } from "../config.ts";
import { describe } from "../errors.ts";
import { WAITS } from "../waits.ts";
import { type DeviceCredentials, expiryOf, faultOf, readTls, stampOf } from "./device-files.ts";
import { instant } from "./peer-certificate.ts";

const DAY_MS = 86_400_000;
const WARN_DAYS = [1, 7, 30];
/**
 * No warning comes before this part of the lifetime is left. Programs such as cert-manager renew when a third is left,
 * and the new file needs some time to arrive.
 */
const WARN_PART = 0.3;

/** One certificate and its end, for the metrics and the warnings. */
export interface Expiry {
  readonly file: "tls-cert" | "tls-ca";
  readonly beginsAt: number;
  readonly endsAt: number;
}

export class WatchedCredentials {
  readonly #config: Config;
  readonly #log: Pick<Logger, "info" | "warn" | "error">;
  readonly #listeners = new Set<(credentials: DeviceCredentials) => void>();
  #current: DeviceCredentials;
  #stamp: string | undefined;
  /** Why the newest files are not used, and since when (as `performance.now()`). */
  #refused: { why: string; since: number; told: boolean } | undefined;
  /** The certificates whose end was told, with the days. */
  readonly #told = new Set<string>();

  constructor(config: Config, current: DeviceCredentials, log: Pick<Logger, "info" | "warn" | "error">) {
    this.#config = config;
    this.#current = current;
    this.#log = log;
  }

  /** Returns why these credentials may not be used yet, as a sentence. The other devices may not know a new key. */
  mayTake: (read: DeviceCredentials) => Promise<string | undefined> = async () => undefined;

  get current(): DeviceCredentials {
    return this.#current;
  }

  /** The sentences for an operator: a certificate that ends soon or has ended, files that do not fit. */
  get warnings(): string[] {
    const now = Date.now();
    const refused = this.#refused?.told ? [this.#refusal(this.#refused.why)] : [];
    return [...this.#endings(now).map(({ sentence }) => sentence), ...refused];
  }

  get expiries(): Expiry[] {
    const { beginsAt, endsAt, authority } = this.#current;
    const ofAuthority = authority && {
      file: "tls-ca" as const,
      beginsAt: Date.parse(authority.validFrom),
      endsAt: Date.parse(authority.validTo),
    };
    return [{ file: "tls-cert", beginsAt, endsAt }, ...(ofAuthority ? [ofAuthority] : [])];
  }

  /** Calls `listener` with each new set of credentials that is used from then on. */
  onChange(listener: (credentials: DeviceCredentials) => void): void {
    this.#listeners.add(listener);
  }

  /** Looks at the files until `signal` aborts. */
  async keepLooking(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.look();
      // The kernel's notifications do not reach a mount over the network, nor the target of a link.
      await sleep(WAITS.credentialsLookMs, undefined, { signal }).catch(() => {});
    }
  }

  /** Looks at the files once. */
  async look(): Promise<void> {
    this.#tellEndings();
    const stamp = await stampOf(this.#config);
    // Files that were refused are read again, since time alone may make them fit.
    if (stamp === this.#stamp && this.#refused === undefined) return;
    try {
      const read = await readTls(this.#config, this.#current.device);
      // Files that change while they are read may be halves of two sets.
      if ((await stampOf(this.#config)) !== stamp) return;
      this.#stamp = stamp;
      const fault = this.#faultOf(read) ?? (this.#isCurrent(read) ? undefined : await this.mayTake(read));
      if (fault === undefined) this.#take(read);
      else this.#refuse(fault);
    } catch (error) {
      this.#stamp = stamp;
      this.#refuse(describe(error));
    }
  }

  /** Returns why new files may not take the place of the old ones, or undefined. */
  #faultOf(read: DeviceCredentials): string | undefined {
    const { trustDomain } = this.#current;
    if (this.#isCurrent(read)) return undefined;
    return read.trustDomain === trustDomain
      ? faultOf(read, Date.now())
      : `The certificate is of the trust domain ${read.trustDomain}, not ${trustDomain}.`;
  }

  #isCurrent({ tls }: DeviceCredentials): boolean {
    const { cert, key, ca } = this.#current.tls;
    return cert === tls.cert && key === tls.key && ca === tls.ca;
  }

  #take(read: DeviceCredentials): void {
    this.#refused = undefined;
    if (this.#isCurrent(read)) return;
    this.#current = read;
    this.#log.info({ until: instant(read.endsAt) }, "uses new certificate files");
    for (const listener of this.#listeners) listener(read);
  }

  #refuse(why: string): void {
    const now = performance.now();
    if (this.#refused?.why !== why) this.#refused = { why, since: now, told: false };
    if (this.#refused.told || now - this.#refused.since < WAITS.credentialsSettleMs) return;
    this.#refused.told = true;
    this.#log.warn({ err: this.#refusal(why) }, "the new certificate files are not used");
  }

  #refusal(why: string): string {
    return `${why} Until then the sidecar goes on with the old files, whose certificate is valid until ${instant(this.#current.endsAt)}.`;
  }

  #tellEndings(): void {
    for (const { key, sentence, ended } of this.#endings(Date.now())) {
      if (this.#told.has(key)) continue;
      this.#told.add(key);
      if (ended) this.#log.error({ err: sentence }, "a certificate has ended");
      else this.#log.warn({ err: sentence }, "a certificate ends soon");
    }
  }

  /** The certificates that end soon or have ended. `key` differs at 30, 7 and 1 days, and at the end. */
  #endings(now: number): { key: string; sentence: string; ended: boolean }[] {
    return this.expiries.flatMap(({ file, beginsAt, endsAt }) => {
      const left = endsAt - now;
      const days = WARN_DAYS.find((each) => left < each * DAY_MS);
      if (days === undefined || left > (endsAt - beginsAt) * WARN_PART) return [];
      const ended = left < 0;
      const key = `${file} ${endsAt} ${ended ? "ended" : days}`;
      const whose =
        file === "tls-cert" ? `The certificate of device ${this.#current.device}` : "The authority of --tls-ca";
      const sentence = ended
        ? file === "tls-cert"
          ? (expiryOf(this.#current, now) ?? "")
          : `${whose} ended at ${instant(endsAt)}; renew it, and give the new one to every device.`
        : `${whose} ends at ${instant(endsAt)}, in ${leftText(left)}; put a new one in the place of --${file}, it is read without a restart.`;
      return [{ key, sentence, ended }];
    });
  }
}

function leftText(ms: number): string {
  if (ms > 2 * DAY_MS) return `${Math.floor(ms / DAY_MS)} days`;
  if (ms > 7_200_000) return `${Math.floor(ms / 3_600_000)} hours`;
  return ms > 120_000 ? `${Math.floor(ms / 60_000)} minutes` : "a minute";
}
