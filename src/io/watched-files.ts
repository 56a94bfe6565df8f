// Files that are read again while the process runs. New ones are used when they fit. Otherwise the log says why, and
// the old ones stay.
import { stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { describe } from "../errors.ts";
import { WAITS } from "../waits.ts";

type Log = Readonly<Record<"info" | "warn", (fields: Record<string, unknown>, message: string) => void>>;

export interface WatchedOptions<Content> {
  readonly paths: readonly string[];
  /** Throws an error with a sentence when the files do not fit. */
  readonly read: () => Promise<Content>;
  readonly log: Log;
  /** Such as "certificate files": the log uses these words. */
  readonly what: string;
  /** The fields of the log when new files are used. */
  readonly fields: (content: Content) => Record<string, unknown>;
  /** Returns true if the new files hold what is in use. Default: never. */
  readonly isSame?: (content: Content, current: Content) => boolean;
  /** Returns why the new content may not be used yet, as a sentence. Default: it may. */
  readonly faultOf?: (content: Content, current: Content) => Promise<string | undefined>;
  /** What the process does while new files do not fit, as a sentence. */
  readonly meanwhile: (current: Content) => string;
  /** Called before each look. */
  readonly beforeLook?: (current: Content) => void;
}

/** What some files hold, as long as the process runs. */
export class WatchedFiles<Content> {
  readonly #options: WatchedOptions<Content>;
  readonly #listeners = new Set<(content: Content) => void>();
  #current: Content;
  #stamp: string | undefined;
  /** Why the newest files are not used, and since when (as `performance.now()`). */
  #refused: { why: string; since: number; told: boolean } | undefined;

  /** `current`: what the files held when they were read. Without `stamp` the first look reads them again. */
  constructor(options: WatchedOptions<Content>, current: Content, stamp?: string) {
    this.#options = options;
    this.#current = current;
    this.#stamp = stamp;
  }

  /** Reads the files. Throws the error of `read`. */
  static async open<Content>(options: WatchedOptions<Content>): Promise<WatchedFiles<Content>> {
    const stamp = await stampOf(options.paths);
    return new WatchedFiles(options, await options.read(), stamp);
  }

  get current(): Content {
    return this.#current;
  }

  /** Why the newest files are not used, once the log has said so. undefined: they are used. */
  get refusal(): string | undefined {
    return this.#refused?.told ? this.#sentence(this.#refused.why) : undefined;
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
    const { paths, read, beforeLook } = this.#options;
    beforeLook?.(this.#current);
    const stamp = await stampOf(paths);
    // Files that were refused are read again, since time alone may make them fit.
    if (stamp === this.#stamp && this.#refused === undefined) return;
    try {
      const content = await read();
      // Files that change while they are read may be halves of two sets.
      if ((await stampOf(paths)) !== stamp) return;
      this.#stamp = stamp;
      await this.#consider(content);
    } catch (error) {
      this.#stamp = stamp;
      this.#refuse(describe(error));
    }
  }

  async #consider(content: Content): Promise<void> {
    const { isSame, faultOf, log, what, fields } = this.#options;
    const same = isSame?.(content, this.#current) ?? false;
    const fault = same ? undefined : await faultOf?.(content, this.#current);
    if (fault !== undefined) return this.#refuse(fault);
    this.#refused = undefined;
    if (same) return;
    this.#current = content;
    log.info(fields(content), `uses new ${what}`);
    for (const listener of this.#listeners) listener(content);
  }

  #refuse(why: string): void {
    const now = performance.now();
    if (this.#refused?.why !== why) this.#refused = { why, since: now, told: false };
    // Key and certificate are rarely replaced in one step.
    if (this.#refused.told || now - this.#refused.since < WAITS.credentialsSettleMs) return;
    this.#refused.told = true;
    this.#options.log.warn({ err: this.#sentence(why) }, `the new ${this.#options.what} are not used`);
  }

  #sentence(why: string): string {
    return `${why} ${this.#options.meanwhile(this.#current)}`;
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
