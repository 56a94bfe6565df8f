// The known_hosts files of this device: one for each device that it asks, with the host keys of the registry.
import { join } from "node:path";
import { makeDirectory, replaceFile } from "../io/disk.ts";

const PRIVATE = 0o700;

export class HostKeyFiles {
  readonly #directory: string;
  readonly #written = new Map<string, { content: string; done: Promise<void> }>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Returns the file in which the device has exactly these host keys, each a line of type and key. */
  async file(device: string, keys: readonly string[]): Promise<string> {
    const path = join(this.#directory, `${device}.known_hosts`);
    const content = keys.map((key) => `${device} ${key}\n`).join("");
    const before = this.#written.get(device);
    if (before?.content === content) {
      await before.done;
      return path;
    }
    // One after another: each writes the same file aside.
    const done = Promise.resolve(before?.done)
      .catch(() => {})
      .then(() => this.#write(path, content));
    this.#written.set(device, { content, done });
    try {
      await done;
    } catch (error) {
      this.#written.delete(device);
      throw error;
    }
    return path;
  }

  async #write(path: string, content: string): Promise<void> {
    await makeDirectory(this.#directory, PRIVATE);
    await replaceFile(path, content, 0o600);
  }
}
