// Files of certificates that are read again while the process runs. New ones are used when they fit. Otherwise the log
// says why, and the old ones stay.
import { stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { describe } from "../errors.ts";
import { WAITS } from "../waits.ts";

type Log = Readonly<Record<"info" | "warn", (fields: Record<string, unknown>, message: string) => void>>;

/** What some files hold, as long as the process runs. */
export class WatchedFiles<Content> {
  readonly #paths: readonly string[];
  readonly #read: () => Promise<Content>;
  readonly #log: Log;
  readonly #listeners = new Set<(content: Content) => void>();
  #current: Content;
  #stamp: string;
  /** Why the newest files are not used, and since when (as `performance.now()`). */
  #refused: { why: string; since: number; told: boolean } | undefined;

  private constructor(
    paths: readonly string[],
    read: () => Promise<Content>,
    log: Log,
    stamp: string,
    content: Content,
  ) {
    this.#paths = paths;
    this.#read = read;
    this.#log = log;
    this.#stamp = stamp;
    this.#current = content;
  }

  /** Reads the files. `read` throws an error with a sentence when they do not fit. */
  static async open<Content>(
    paths: readonly string[],
    read: () => Promise<Content>,
    log: Log,
  ): Promise<WatchedFiles<Content>> {
    const stamp = await stampOf(paths);
    return new WatchedFiles(paths, read, log, stamp, await read());
  }

  get current(): Content {
    return this.#current;
  }

  /** Calls `listener` with the content of new files that fit. */
  onChange(listener: (content: Content) => void): void {
    this.#listeners.add(listener);
  }

  /** Looks at the files until `signal` aborts. */
  async keepLooking(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.look();
      // The kernel's notifications do not reach a mount over the network, nor the target of a link.
      await sleep(WAITS.credentialsLookMs, undefined, { signal }).catch(() => {});
    }
  }

  /** Looks at the files once. */
  async look(): Promise<void> {
    const stamp = await stampOf(this.#paths);
    // Files that were refused are read again, since time alone may make them fit.
    if (stamp === this.#stamp && this.#refused === undefined) return;
    try {
      const content = await this.#read();
      // Files that change while they are read may be halves of two sets.
      if ((await stampOf(this.#paths)) !== stamp) return;
      this.#stamp = stamp;
      this.#refused = undefined;
      this.#current = content;
      this.#log.info({ files: this.#paths }, "uses new certificate files");
      for (const listener of this.#listeners) listener(content);
    } catch (error) {
      this.#stamp = stamp;
      this.#refuse(describe(error));
    }
  }

  #refuse(why: string): void {
    const now = performance.now();
    if (this.#refused?.why !== why) this.#refused = { why, since: now, told: false };
    // Key and certificate are rarely replaced in one step.
    if (this.#refused.told || now - this.#refused.since < WAITS.credentialsSettleMs) return;
    this.#refused.told = true;
    this.#log.warn({ err: `${why} Until then the old files are used.` }, "the new certificate files are not used");
  }
}

/** Returns a text that changes whenever one of the files does, also when a link leads to another file. */
async function stampOf(paths: readonly string[]): Promise<string> {
  const stamps = paths.map(async (path) => {
    const found = await stat(path, { bigint: true }).catch(() => undefined);
    return found && [found.dev, found.ino, found.size, found.mtimeNs, found.ctimeNs].join(":");
  });
  return (await Promise.all(stamps)).join(" ");
}
