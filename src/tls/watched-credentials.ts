// The credentials of this device while the process runs. Their files are looked at twice a second. The log warns before
// a certificate ends.
import type { Logger } from "pino";
import { WatchedFiles } from "../io/watched-files.ts";
import type { Config } from "../settings/config.ts";
import { type DeviceCredentials, expiryOf, faultOf, readTls, TLS_FILES } from "./device-files.ts";
import { EndingTeller, type Expiring, endingsOf } from "./endings.ts";
import { instant } from "./peer-certificate.ts";

/** One certificate and its end, for the metrics. */
export interface Expiry {
  readonly file: "tls-cert" | "tls-ca";
  readonly beginsAt: number;
  readonly endsAt: number;
}

export class WatchedCredentials {
  readonly #files: WatchedFiles<DeviceCredentials>;

  constructor(config: Config, current: DeviceCredentials, log: Pick<Logger, "info" | "warn" | "error">) {
    const teller = new EndingTeller(log);
    const options = {
      paths: TLS_FILES.flatMap((name) => config[name] ?? []),
      read: async () => await readTls(config, current.device),
      ...{ log, what: "certificate files", isSame },
      fields: ({ endsAt }: DeviceCredentials) => ({ until: instant(endsAt) }),
      faultOf: async (read: DeviceCredentials, used: DeviceCredentials) =>
        domainFault(read, used) ?? faultOf(read, Date.now()) ?? (await this.mayTake(read)),
      meanwhile: ({ endsAt }: DeviceCredentials) =>
        `Until then the sidecar goes on with the old files, whose certificate is valid until ${instant(endsAt)}.`,
      beforeLook: () => teller.tell(this.#expiring(Date.now())),
    };
    this.#files = new WatchedFiles(options, current);
  }

  /** Returns why these credentials may not be used yet, as a sentence. The other devices may not know a new key. */
  mayTake: (read: DeviceCredentials) => Promise<string | undefined> = async () => undefined;

  get current(): DeviceCredentials {
    return this.#files.current;
  }

  /** The sentences for an operator: a certificate that ends soon or has ended, files that do not fit. */
  get warnings(): string[] {
    const now = Date.now();
    const { refusal } = this.#files;
    const endings = endingsOf(this.#expiring(now), now).map(({ sentence }) => sentence);
    return refusal === undefined ? endings : [...endings, refusal];
  }

  get expiries(): Expiry[] {
    const { beginsAt, endsAt, authority } = this.current;
    const ofAuthority = authority && {
      file: "tls-ca" as const,
      beginsAt: Date.parse(authority.validFrom),
      endsAt: Date.parse(authority.validTo),
    };
    return [{ file: "tls-cert", beginsAt, endsAt }, ...(ofAuthority ? [ofAuthority] : [])];
  }

  /** Calls `listener` with each new set of credentials that is used from then on. */
  onChange(listener: (credentials: DeviceCredentials) => void): void {
    this.#files.onChange(listener);
  }

  /** Looks at the files until `signal` aborts. */
  async keepLooking(signal: AbortSignal): Promise<void> {
    await this.#files.keepLooking(signal);
  }

  #expiring(now: number): Expiring[] {
    return this.expiries.map(({ file, beginsAt, endsAt }) => {
      const ofDevice = file === "tls-cert";
      const whose = ofDevice ? `The certificate of device ${this.current.device}` : "The authority of --tls-ca";
      const ended = ofDevice
        ? (expiryOf(this.current, now) ?? "")
        : `${whose} ended at ${instant(endsAt)}; renew it, and give the new one to every device.`;
      const remedy = `put a new one in the place of --${file}, it is read without a restart`;
      return { key: file, whose, remedy, ended, beginsAt, endsAt };
    });
  }
}

function isSame({ tls: read }: DeviceCredentials, { tls: used }: DeviceCredentials): boolean {
  return read.cert === used.cert && read.key === used.key && read.ca === used.ca;
}

/** Returns why credentials of another trust domain may not take the place of those in use, or undefined. */
function domainFault({ trustDomain }: DeviceCredentials, used: DeviceCredentials): string | undefined {
  if (trustDomain === used.trustDomain) return undefined;
  return `The certificate is of the trust domain ${trustDomain}, not ${used.trustDomain}.`;
}
