// This sidecar's copy of the registry. It decides about each connection without asking the database. A notification, or
// a look every few seconds, brings what has changed. A sidecar that cannot look for a minute lets nobody new in: a key
// may have been revoked meanwhile.
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import type { LockstepError } from "../../errors.ts";
import { linkSignals } from "../../io/signals.ts";
import type { Database } from "../../store/database/database.ts";
import {
  type Access,
  enrollKey,
  type Name,
  readRegistry,
  recordSeen,
  type Standing,
} from "../../store/registry/registry.ts";
import type { ShownKey, TrustCheck } from "../../tls/trust.ts";
import { WAITS } from "../../waits.ts";
import { bootClockMs } from "../lease/boot-clock.ts";
import { tellFailure } from "../lease/tell-outage.ts";
import { type Known, type KnownKey, knownNames, nameText } from "./known-names.ts";
import { type KnownStanding, refusalError, staleError } from "./registry-errors.ts";

/** So many keys that were shown are recorded at once; others are recorded when they are shown again. */
const SEEN_LIMIT = 1_000;
/** The answer of the database about a key that this copy lacks counts for so long. */
const ANSWER_MS = 2_000;
const ANSWERS_LIMIT = 1_000;

export interface RegistryOptions {
  readonly db: Database;
  readonly device: string;
  /** Let in a new name with any certificate of the authority, and trust its key from then on. */
  readonly trustsCa: boolean;
  /** A clock in milliseconds. Default: the one of this machine since its start. */
  readonly now?: () => number;
  readonly log: Logger;
}

/** Knows whom the cluster trusts, from what the database said last. */
export class Registry implements TrustCheck {
  readonly #options: RegistryOptions;
  readonly #now: () => number;
  readonly #listeners = new Set<() => void>();
  #known: ReadonlyMap<string, Known> = new Map();
  #lookedAt = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;
  #wakeUp = new AbortController();
  #seen = new Map<string, Name & { fingerprint: string }>();
  readonly #answers = new Map<string, { at: number; standing: Promise<Standing> }>();

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#now = options.now ?? bootClockMs;
  }

  /** Reads the registry. Throws DATABASE_UNAVAILABLE. */
  async look(): Promise<void> {
    this.#looking ??= this.#read().finally(() => {
      this.#looking = undefined;
    });
    await this.#looking;
  }

  async #read(): Promise<void> {
    const askedAt = this.#now();
    const content = await readRegistry(this.#options.db);
    this.#lookedAt = askedAt;
    this.#known = knownNames(content);
    for (const listener of this.#listeners) listener();
  }

  /** Looks soon: something has changed, or may have changed. */
  readonly wake = (): void => {
    this.#wakeUp.abort();
  };

  /** Calls `listener` after each look. Ends when the result is disposed of. */
  onChange(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /**
   * Returns why a connection with this key is not let in, or undefined. A key that this copy lacks is brought to the
   * database: it is enrolled there, or waits for an operator. Throws DATABASE_UNAVAILABLE.
   */
  check(shown: ShownKey): Promise<LockstepError | undefined> | LockstepError | undefined {
    const { identity, key } = shown;
    const stale = shown.isNew ? this.stalenessError() : undefined;
    if (stale !== undefined) return stale;
    const standing = this.#standing(shown);
    if (standing === undefined) return this.#ask(shown).then((answer) => refusalError(shown, answer));
    this.noteSeen(identity, key.fingerprint);
    return refusalError(shown, standing);
  }

  /** Returns why a connection with this key is to be cut, as far as this copy knows. undefined: it need not be. */
  revokedError(shown: ShownKey): LockstepError | undefined {
    const standing = this.#standing(shown);
    return standing === "revoked" || standing === "removed" ? refusalError(shown, standing) : undefined;
  }

  /**
   * Returns why this device asks nothing of a device that shows this key, as far as this copy knows, or undefined.
   */
  serverRefusedError({ identity, key }: Pick<ShownKey, "identity" | "key">): LockstepError | undefined {
    const owner = this.#known.get(nameText(identity));
    const standing = this.#standing({ identity, key });
    if (standing === "trusted" || (owner === undefined && this.#options.trustsCa)) return undefined;
    // It may have been enrolled a moment ago.
    if (standing === undefined) this.wake();
    return refusalError({ identity, key }, standing ?? "waiting");
  }

  #standing({ identity, key }: Pick<ShownKey, "identity" | "key">): KnownStanding | undefined {
    const owner = this.#known.get(nameText(identity));
    return owner?.removed ? "removed" : owner?.keys.get(key.fingerprint);
  }

  /** Returns true if an operator has removed this device. */
  isRemoved(device: string): boolean {
    return this.#known.get(nameText({ role: "device", name: device }))?.removed ?? false;
  }

  /** Returns a text that changes whenever an operator changes what this name may do. */
  limitsOf(name: Name): string {
    const { repositories = [], readOnly = false } = this.accessOf(name) ?? {};
    return JSON.stringify([repositories, readOnly]);
  }

  /** Returns what a front end may use. undefined: the registry does not have it. */
  accessOf(name: Name): Access | undefined {
    return this.#known.get(nameText(name));
  }

  /** Returns the keys of ssh and the host keys of a device, trusted and revoked. Without a name: of all devices. */
  sshKeys(device?: string): KnownKey[] {
    if (device !== undefined) return [...(this.#known.get(nameText({ role: "device", name: device }))?.ssh ?? [])];
    return [...this.#known.values()].flatMap(({ ssh }) => ssh).filter(({ role }) => role === "device");
  }

  /** Returns why nobody new may be let in, or undefined. */
  stalenessError(): LockstepError | undefined {
    return this.#now() - this.#lookedAt > WAITS.registryStaleMs ? staleError(WAITS.registryStaleMs) : undefined;
  }

  /** Looks until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.look();
        await this.#recordSeen();
      } catch (error) {
        tellFailure(this.#options, error, "could not read the registry of keys");
      }
      using either = linkSignals([signal, this.#wakeUp.signal]);
      await sleep(WAITS.registryLookMs, undefined, { signal: either.signal }).catch(() => {});
      this.#wakeUp = new AbortController();
    }
  }

  async #ask(shown: ShownKey): Promise<Standing> {
    const id = `${nameText(shown.identity)} ${shown.key.fingerprint}`;
    const now = performance.now();
    const known = this.#answers.get(id);
    if (known !== undefined && now - known.at < ANSWER_MS) return await known.standing;
    if (this.#answers.size >= ANSWERS_LIMIT) this.#answers.clear();
    const standing = this.#enroll(shown);
    this.#answers.set(id, { at: now, standing });
    standing.catch(() => this.#answers.delete(id));
    return await standing;
  }

  async #enroll({ identity: { role, name }, key, from }: ShownKey): Promise<Standing> {
    const { db, device, trustsCa, log } = this.#options;
    const shown = { role, name, ...key, by: device, open: trustsCa, source: from };
    const { outcome, how } = await enrollKey(db, shown);
    if (how !== null)
      log.info({ caller: `${role} ${name}`, key: key.fingerprint, by: how }, "a key is trusted from now on");
    // Another device has changed the registry, or this one has.
    if (outcome !== "waiting") this.wake();
    // This copy does not know yet what a new name may use.
    if (outcome === "trusted" && !this.#known.has(nameText({ role, name }))) await this.#lookAnew();
    return outcome;
  }

  /** Reads the registry from now on. A look that is under way may have begun too early. */
  async #lookAnew(): Promise<void> {
    await this.#looking?.catch(() => {});
    await this.look();
  }

  /** Notes that a trusted key was shown. The database hears of it soon. */
  noteSeen(name: Name, fingerprint: string): void {
    if (this.#seen.size < SEEN_LIMIT) this.#seen.set(`${nameText(name)} ${fingerprint}`, { ...name, fingerprint });
  }

  async #recordSeen(): Promise<void> {
    const seen = [...this.#seen.values()];
    if (seen.length === 0) return;
    this.#seen = new Map();
    await recordSeen(this.#options.db, seen);
  }
}
