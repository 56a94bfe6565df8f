// The lines with which sshd lets other devices in. Each forces lockstep-shell with the name of the device and its key,
// so the other side cannot choose its name.

/** A trusted ssh key of a device. */
export interface DeviceKey {
  readonly device: string;
  readonly fingerprint: string;
  /** Type and key, as in id_ed25519.pub. */
  readonly line: string;
}

/** Returns the line of authorized_keys for a key. `shell`: the command words that start lockstep-shell. */
export function authorizedKey({ device, fingerprint, line }: DeviceKey, shell: readonly string[]): string {
  const words = [...shell, "--device", device, "--key", fingerprint].map(shellQuoted).join(" ");
  return `restrict,command="${words.replaceAll('"', '\\"')}" ${line} device ${device}`;
}

/** Quotes a word for sh. */
function shellQuoted(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
