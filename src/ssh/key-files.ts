// Reads the files of --ssh-key and --ssh-host-key.
import { execFile } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import { promisify } from "node:util";
import { LockstepError } from "../errors.ts";
import { parsePublicKey, type SshPublicKey } from "./public-key.ts";

/** The keys of this device for ssh. undefined: it has none. */
export interface OwnSshKeys {
  readonly ssh: SshPublicKey | undefined;
  readonly "ssh-host": SshPublicKey | undefined;
}

const run = promisify(execFile);
const PATIENCE_MS = 10_000;

/** The private key of this device, as its file has it, and the public key. */
export interface DeviceKeyPair {
  readonly secret: string;
  readonly key: SshPublicKey;
}

/**
 * Returns the device's private key. Throws USAGE if others may use the file, if it is no ed25519 key, or if it needs a
 * passphrase. `path`: the programs that may be run. `known`: a pair that was read before, and costs no program again.
 */
export async function readDeviceKey(file: string, path: string, known?: DeviceKeyPair): Promise<DeviceKeyPair> {
  const { mode, uid } = await stat(file).catch(throwNotReadError);
  if ((mode & 0o077) !== 0)
    throw new LockstepError(
      "USAGE",
      `Other users of this machine may use the private key ${file} of --ssh-key; take the rights away with \`chmod go= ${file}\`.`,
    );
  const secret = await readFile(file, "utf8").catch(throwNotReadError);
  if (secret === known?.secret) return known;
  const options = { env: { PATH: path, LC_ALL: "C" }, timeout: PATIENCE_MS };
  // Without a passphrase on the command line ssh-keygen would ask for one.
  const { stdout } = await run("ssh-keygen", ["-y", "-P", "", "-f", file], options).catch((cause: Error) => {
    throw unreadableError(file, uid, cause);
  });
  const key = parsePublicKey(stdout);
  if (key?.type === "ssh-ed25519") return { secret, key };
  throw new LockstepError(
    "USAGE",
    `The file ${file} of --ssh-key is no ed25519 key; make one with \`ssh-keygen -t ed25519 -N "" -f FILE\`.`,
  );
}

function throwNotReadError(cause: Error): never {
  throw new LockstepError("USAGE", `The file of --ssh-key cannot be read (${cause.message}); correct its path.`, {
    cause,
  });
}

function unreadableError(
  file: string,
  uid: number,
  cause: Error & { code?: unknown; stderr?: unknown },
): LockstepError {
  if (cause.code === "ENOENT")
    return new LockstepError(
      "PREREQUISITE_MISSING",
      "The program ssh-keygen is missing, and --ssh-key needs it; install OpenSSH's client.",
      { cause },
    );
  const said =
    String(cause.stderr ?? cause.message)
      .trim()
      .split("\n")
      .at(-1) ?? "";
  return new LockstepError(
    "USAGE",
    `The file ${file} of --ssh-key is no private key that this user (its owner is ${uid}) can use without a passphrase (${said}); make one with \`ssh-keygen -t ed25519 -N "" -f FILE\`.`,
    { cause },
  );
}

/** Returns the public key of this machine's sshd. Throws USAGE if the file holds none. */
export async function readHostKey(file: string): Promise<SshPublicKey> {
  const text = await readFile(file, "utf8").catch((cause: Error) => {
    throw new LockstepError(
      "USAGE",
      `The file of --ssh-host-key cannot be read (${cause.message}); give the public part, such as /etc/ssh/ssh_host_ed25519_key.pub.`,
      { cause },
    );
  });
  const key = parsePublicKey(text);
  if (key !== undefined) return key;
  throw new LockstepError(
    "USAGE",
    `The file ${file} of --ssh-host-key holds no public key of ssh; give the public part, such as /etc/ssh/ssh_host_ed25519_key.pub.`,
  );
}
