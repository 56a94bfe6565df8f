// The keys of ssh that are trusted, by this sidecar's copy of the registry: those of devices, and those of the sshds
// that they ask.
import type { LockstepError } from "../../errors.ts";
import { keyLine, parsePublicKey } from "../../ssh/public-key.ts";
import type { Registry } from "./registry.ts";
import { type KnownStanding, refusalError } from "./registry-errors.ts";

/** A device and the fingerprint of the ssh key with which it came. */
interface Caller {
  readonly device: string;
  readonly fingerprint: string;
}

/** Returns the check of devices that come over ssh. */
export function sshTrustOf(registry: Registry) {
  return {
    /** Returns why a device with this key is not let in, or undefined. Throws DATABASE_UNAVAILABLE. */
    async check(caller: Caller): Promise<LockstepError | undefined> {
      const stale = registry.stalenessError();
      if (stale !== undefined) return stale;
      if (standingOf(registry, caller) === "waiting") await registry.look();
      const refused = refusedCallerError(registry, caller);
      if (refused === undefined) registry.noteSeen({ role: "device", name: caller.device }, caller.fingerprint);
      return refused;
    },
    /** Returns why its connection is to be cut, as far as the copy knows, or undefined. */
    revokedError: (caller: Caller) => refusedCallerError(registry, caller),
    onChange: (listener: () => void) => registry.onChange(listener),
  };
}

function refusedCallerError(registry: Registry, caller: Caller): LockstepError | undefined {
  const { device: name, fingerprint } = caller;
  return refusalError({ identity: { role: "device", name }, key: { fingerprint } }, standingOf(registry, caller));
}

function standingOf(registry: Registry, { device, fingerprint }: Caller): KnownStanding {
  if (registry.isRemoved(device)) return "removed";
  const key = registry.sshKeys(device).find((each) => each.kind === "ssh" && each.fingerprint === fingerprint);
  return key?.state ?? "waiting";
}

/** Returns the trusted host keys of a device's sshd, each as a line of type and key. */
export function hostKeysOf(registry: Registry, device: string): string[] {
  const keys = registry.sshKeys(device).filter(({ kind, state }) => kind === "ssh-host" && state === "trusted");
  return keys.flatMap(({ publicKey }) => {
    const key = parsePublicKey(publicKey ?? "");
    return key === undefined ? [] : [keyLine(key)];
  });
}
