// Brings this device's ssh key, and the host key of its sshd, into the registry.
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import type { OwnSshKeys } from "../../ssh/key-files.ts";
import { keyLine, type SshPublicKey } from "../../ssh/public-key.ts";
import type { Database } from "../../store/database/database.ts";
import { enrollKey } from "../../store/registry/registry.ts";
import { WAITS } from "../../waits.ts";
import { tellFailure } from "../lease/tell-outage.ts";

export interface OwnSsh {
  readonly device: string;
  /** The id of the root, as in enroll-self.ts. */
  readonly root: string | undefined;
  readonly sshKeys: OwnSshKeys;
}

/** Enrols the keys if the rules allow that (enroll_key.sql). Returns those that are not trusted now. */
export async function enrollSshKeys(
  db: Database,
  { device, sshKeys: keys, root }: OwnSsh,
  log: Logger,
): Promise<SshPublicKey[]> {
  const refused: SshPublicKey[] = [];
  for (const kind of ["ssh", "ssh-host"] as const) {
    const key = keys[kind];
    if (key === undefined) continue;
    const shown = { role: "device" as const, name: device, by: device, open: false };
    const publicKey = keyLine(key);
    const { outcome, how } = await enrollKey(db, {
      ...{ ...shown, kind, fingerprint: key.fingerprint, publicKey },
      self: { root: root ?? null, tokenHash: null },
    });
    if (how !== null) log.info({ key: key.fingerprint, kind, by: how }, "a key of this device is trusted from now on");
    if (outcome !== "trusted") refused.push(key);
  }
  return refused;
}

/** Returns when the keys are trusted, or `signal` aborts. */
export async function untilSshTrusted(db: Database, own: OwnSsh, log: Logger, signal: AbortSignal): Promise<void> {
  let said = "";
  while (!signal.aborted) {
    const refused = await enrollSshKeys(db, own, log).catch((error: unknown) => {
      tellFailure({ db, log }, error, "could not ask whether the ssh keys of this device are trusted");
      return undefined;
    });
    if (refused?.length === 0) return;
    const keys = refused?.map(({ fingerprint }) => fingerprint).join(" ") ?? said;
    if (keys !== said)
      log.warn(
        { keys },
        `the other devices do not use ssh with this one until an operator says yes on any device: lockstep device trust ${own.device}`,
      );
    said = keys;
    await sleep(WAITS.enrollLookMs, undefined, { signal }).catch(() => {});
  }
}
