// The keys of this device for ssh while the process runs. Their files are looked at twice a second. ssh reads a file
// for each connection, so it gets a copy of the private key. The copy stays when a new key does not fit.
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { replaceFile } from "../io/disk.ts";
import { WatchedFiles } from "../io/watched-files.ts";
import { type DeviceKeyPair, type OwnSshKeys, readDeviceKey, readHostKey } from "./key-files.ts";
import type { SshPublicKey } from "./public-key.ts";

type Log = Readonly<Record<"info" | "warn", (fields: Record<string, unknown>, message: string) => void>>;

interface ReadKeys extends OwnSshKeys {
  readonly pair: DeviceKeyPair | undefined;
}

export interface SshKeyFiles {
  readonly sshKeyFile: string | undefined;
  readonly sshHostKeyFile: string | undefined;
}

export interface WatchedSshOptions {
  /** Where the copy of the private key lies, in a directory that only this user may enter. */
  readonly directory: string;
  /** Where programs are looked for. */
  readonly path: string;
  readonly log: Log;
}

const PRIVATE = 0o600;
const COPIES = /^ssh-[A-Za-z0-9]{6}$/;

export class WatchedSshKeys implements OwnSshKeys, AsyncDisposable {
  readonly #files: WatchedFiles<ReadKeys>;
  /** The directory of the copy. */
  readonly #copies: string;
  /** The file of the private key that ssh uses. undefined: this device has none. */
  readonly keyFile: string | undefined;

  /** Returns why these keys may not be used yet, as a sentence. The other devices may not know a new key. */
  mayTake: (read: OwnSshKeys) => Promise<string | undefined> = async () => undefined;

  private constructor(files: SshKeyFiles, copies: string, current: ReadKeys, { path, log }: WatchedSshOptions) {
    this.#copies = copies;
    this.keyFile = files.sshKeyFile === undefined ? undefined : join(copies, "key");
    let last = current;
    const options = {
      paths: [files.sshKeyFile, files.sshHostKeyFile].flatMap((each) => each ?? []),
      read: async () => (last = await readKeys(files, path, last)),
      ...{ log, what: "ssh keys", isSame },
      fields: ({ ssh, "ssh-host": host }: ReadKeys) => ({ keys: [ssh, host].flatMap((key) => key?.fingerprint ?? []) }),
      faultOf: async (read: ReadKeys) => {
        const fault = await this.mayTake(read);
        if (fault === undefined) await this.#copy(read);
        return fault;
      },
      meanwhile: () => "Until then the sidecar goes on with the old ssh keys.",
    };
    this.#files = new WatchedFiles(options, current);
  }

  /** Reads the files, and makes the copy. Throws USAGE. No other process may use the directory. */
  static async open(files: SshKeyFiles, options: WatchedSshOptions): Promise<WatchedSshKeys> {
    const read = await readKeys(files, options.path);
    const { directory } = options;
    // A process that was killed has left its copy.
    for (const name of await readdir(directory))
      if (COPIES.test(name)) await rm(join(directory, name), { recursive: true, force: true });
    const keys = new WatchedSshKeys(files, await mkdtemp(join(directory, "ssh-")), read, options);
    await keys.#copy(read);
    return keys;
  }

  get ssh(): SshPublicKey | undefined {
    return this.#files.current.ssh;
  }

  get "ssh-host"(): SshPublicKey | undefined {
    return this.#files.current["ssh-host"];
  }

  /** The sentences for an operator: files that do not fit. */
  get warnings(): string[] {
    const { refusal } = this.#files;
    return refusal === undefined ? [] : [refusal];
  }

  /** Calls `listener` when other keys are used from then on. */
  onChange(listener: () => void): void {
    this.#files.onChange(listener);
  }

  /** Looks at the files until `signal` aborts. */
  async keepLooking(signal: AbortSignal): Promise<void> {
    await this.#files.keepLooking(signal);
  }

  /** Looks at the files once. */
  async look(): Promise<void> {
    await this.#files.look();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#copies, { recursive: true, force: true });
  }

  async #copy({ pair }: ReadKeys): Promise<void> {
    if (this.keyFile !== undefined && pair !== undefined) await replaceFile(this.keyFile, pair.secret, PRIVATE);
  }
}

async function readKeys({ sshKeyFile, sshHostKeyFile }: SshKeyFiles, path: string, last?: ReadKeys): Promise<ReadKeys> {
  const pair = sshKeyFile === undefined ? undefined : await readDeviceKey(sshKeyFile, path, last?.pair);
  const host = sshHostKeyFile === undefined ? undefined : await readHostKey(sshHostKeyFile);
  return { pair, ssh: pair?.key, "ssh-host": host };
}

function isSame(read: ReadKeys, used: ReadKeys): boolean {
  return read.pair?.secret === used.pair?.secret && read["ssh-host"]?.fingerprint === used["ssh-host"]?.fingerprint;
}
