// Public keys of ssh, as a line of id_ed25519.pub or of ssh_host_ed25519_key.pub has them.
import { createHash } from "node:crypto";

/** The types of keys that sshd may show. */
const TYPES = /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)|sk-ssh-ed25519@openssh\.com)$/;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

export interface SshPublicKey {
  /** Such as ssh-ed25519. */
  readonly type: string;
  readonly base64: string;
  /** As `ssh-keygen -l` prints it. */
  readonly fingerprint: string;
}

/** Returns the key in a line of type, key and an optional comment. undefined: it is no such line. */
export function parsePublicKey(line: string): SshPublicKey | undefined {
  const [type = "", base64 = "", ...comment] = line.trim().split(" ");
  if (!TYPES.test(type) || !BASE64.test(base64) || /[\r\n]/.test(comment.join(" "))) return undefined;
  const blob = Buffer.from(base64, "base64");
  // The key says its type too.
  const length = blob.length > 4 ? blob.readUInt32BE(0) : 0;
  if (blob.toString("latin1", 4, 4 + length) !== type) return undefined;
  const digest = createHash("sha256").update(blob).digest("base64").replace(/=+$/, "");
  return { type, base64, fingerprint: `SHA256:${digest}` };
}

/** Returns the key as a line without a comment. */
export function keyLine({ type, base64 }: Pick<SshPublicKey, "type" | "base64">): string {
  return `${type} ${base64}`;
}
