// Brings this device's own key into the registry, when the sidecar starts.
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import { LockstepError } from "../../errors.ts";
import type { OwnSshKeys } from "../../ssh/key-files.ts";
import type { Database } from "../../store/database/database.ts";
import { enrollKey, type PublicKey, type Standing } from "../../store/registry/registry.ts";
import { WAITS } from "../../waits.ts";
import { tellFailure } from "../lease/tell-outage.ts";
import { hashOfToken } from "./enroll-token.ts";

export interface OwnKey {
  readonly device: string;
  readonly key: PublicKey;
  /** This sidecar runs with --trust-ca. */
  readonly trustsCa: boolean;
  /** The device uses another key, and changes to this one once it is trusted. */
  readonly candidate?: boolean;
  /**
   * The id of the root. Before this sidecar has taken the device over, it proves that a changed key is that of the same
   * device. undefined: afterwards.
   */
  readonly root: string | undefined;
  readonly tokenFile: string | undefined;
  /** Its keys for ssh (enroll-ssh.ts). */
  readonly sshKeys: OwnSshKeys;
}

/**
 * Asks whether the other devices let this one in, after enrolling its key if the rules allow that
 * (migrations/functions/enroll_key.sql). Throws USAGE if the file of the token cannot be read although it is needed.
 */
export async function enrollSelf(db: Database, own: OwnKey, log: Logger): Promise<Standing> {
  const { device, key, trustsCa, candidate = false, root, tokenFile } = own;
  const shown = { role: "device" as const, name: device, ...key, by: device, open: trustsCa };
  const self = { root: root ?? null, candidate };
  let { outcome, how } = await enrollKey(db, { ...shown, self: { ...self, tokenHash: null } });
  if (outcome !== "trusted" && tokenFile !== undefined) {
    // A device that is trusted needs no token, so the file may be gone by then.
    const token = await readFile(tokenFile, "utf8").catch((cause: Error) => {
      throw new LockstepError(
        "USAGE",
        `The file of --enroll-token-file cannot be read (${cause.message}); correct its path.`,
        { cause },
      );
    });
    ({ outcome, how } = await enrollKey(db, { ...shown, self: { ...self, tokenHash: hashOfToken(token) } }));
  }
  if (how !== null) log.info({ key: key.fingerprint, by: how }, "the key of this device is trusted from now on");
  return outcome;
}

/** Returns when the key of this device is trusted, or `signal` aborts. */
export async function untilTrusted(db: Database, own: OwnKey, log: Logger, signal: AbortSignal): Promise<void> {
  let said = false;
  while (!signal.aborted) {
    const outcome = await enrollSelf(db, own, log).catch((error: unknown) => {
      tellFailure({ db, log }, error, "could not ask whether the key of this device is trusted");
      return undefined;
    });
    if (outcome === "trusted") return;
    if (outcome !== undefined && !said) {
      said = true;
      log.warn(
        { key: own.key.fingerprint, standing: outcome },
        `the other devices refuse this one until an operator says yes on any device: lockstep device trust ${own.device}`,
      );
    }
    await sleep(WAITS.enrollLookMs, undefined, { signal }).catch(() => {});
  }
}
