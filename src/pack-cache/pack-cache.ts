// Packs that were made for one client and are given to others who ask for the same. So a hundred runners that clone one
// commit cost one pack. The files lie below the root for some minutes, and a new process removes them.
import { mkdir, rm, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import { describe } from "../errors.ts";
import { readPackNeed } from "../git/packs/pack-need.ts";
import type { GitContext } from "../git/process.ts";
import { STATE_DIR } from "../git/root/root-record.ts";
import { keyOf, type PackRequest } from "./pack-request.ts";
import { SharedPack } from "./shared-pack.ts";

/** A pack is kept for so long after it was made. */
const KEEP_MS = 5 * 60_000;
/** How many requests of clients that have a part are remembered. */
const REMEMBERED = 10_000;

/** The facts of a replica that decide about a pack. */
export interface PackSource {
  readonly id: string;
  readonly gitDir: string;
  /** When a ref below refs/tags/ may last have changed. */
  readonly tagsAt: number;
}

/** The settings of a cache. */
export interface PackCacheOptions {
  readonly root: string;
  readonly git: GitContext;
  /** How many bytes all packs together may have; 0: nothing is kept. */
  readonly limit: number;
  readonly log: Logger;
  /** Aborts at the end of the process. */
  readonly signal: AbortSignal;
  readonly keepMs?: number;
  /** Called for each request. "alone": the client's own git makes the pack. */
  readonly count?: (how: "made" | "shared" | "alone") => void;
}

/** A pack for one client, until the client disposes of it. */
export interface PackReading extends Disposable {
  /** The file, which may still grow. The words of git are in the file beside it, with `.words`. */
  readonly path: string;
  /** Resolves with the exit code of git, when the file is whole. Rejects when git could not be started. */
  readonly ended: Promise<number>;
}

/** Keeps packs by their requests. */
export class PackCache {
  readonly #options: PackCacheOptions;
  readonly #directory: string;
  /** The oldest comes first. */
  readonly #packs = new Map<string, SharedPack>();
  /** When a client that has a part first sent a request, by key. The oldest comes first. */
  readonly #seen = new Map<string, number>();
  #number = 0;

  private constructor(options: PackCacheOptions) {
    this.#options = options;
    this.#directory = join(options.root, STATE_DIR, "packs");
  }

  /** Opens an empty cache: the packs of an earlier process are removed. */
  static async open(options: PackCacheOptions): Promise<PackCache> {
    const cache = new PackCache(options);
    await rm(cache.#directory, { recursive: true, force: true });
    if (options.limit > 0) await mkdir(cache.#directory, { recursive: true, mode: 0o700 });
    return cache;
  }

  get #keepMs(): number {
    return this.#options.keepMs ?? KEEP_MS;
  }

  /** The bytes of all packs that can be given out, and of those that are being made. */
  get bytes(): number {
    return [...this.#packs.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /**
   * Returns the pack for a request; git may still be making it. undefined: the client's own git has to make it. The
   * repository is too large for the cache then, or nobody else is likely to ask for this pack.
   */
  async read(source: PackSource, request: PackRequest): Promise<PackReading | undefined> {
    const key = keyOf(request, source.id, source.tagsAt);
    this.#removeOld();
    const known = this.#packs.get(key);
    const pack = known ?? (this.#isWorthwhile(key, request) ? this.#make(key, source, request) : undefined);
    if (pack) pack.readers += 1;
    const isThere = pack !== undefined && (await pack.started);
    this.#options.count?.(!isThere ? "alone" : known ? "shared" : "made");
    if (!isThere) return undefined;
    return {
      path: pack.path,
      ended: pack.ended,
      [Symbol.dispose]: () => {
        pack.readers -= 1;
        // Nobody waits for it any more.
        if (pack.readers === 0 && !pack.hasEnded) this.#remove(key, pack);
      },
    };
  }

  /** Returns true for the pack of a clone, and for one that was asked for before: others will probably ask too. */
  #isWorthwhile(key: string, { isClone }: PackRequest): boolean {
    if (this.#options.limit === 0) return false;
    if (isClone || this.#seen.has(key)) return true;
    this.#seen.set(key, performance.now());
    return false;
  }

  #make(key: string, source: PackSource, request: PackRequest): SharedPack {
    const { git, signal } = this.#options;
    const { gitDir } = source;
    this.#number += 1;
    const path = join(this.#directory, String(this.#number));
    const pack = new SharedPack({ git, gitDir, request, path, findRoom: () => this.#findRoom(gitDir), signal });
    this.#packs.set(key, pack);
    void this.#keep(key, pack).catch((error: unknown) => {
      this.#remove(key, pack);
      this.#options.log.warn({ gitDir, err: describe(error) }, "could not make a pack for several clients");
    });
    return pack;
  }

  /** Keeps a pack that git has made whole. Others are given only to the clients that wait for them now. */
  async #keep(key: string, pack: SharedPack): Promise<void> {
    const code = (await pack.started) ? await pack.ended : undefined;
    if (code !== 0) return this.#remove(key, pack);
    pack.bytes = (await stat(pack.path)).size;
    pack.madeAt = performance.now();
    this.#makeRoom(0);
    setTimeout(() => this.#removeOld(), this.#keepMs + 1).unref();
  }

  /** Returns the bytes that a pack may have: those of all packs of its repository. undefined: they have no room. */
  async #findRoom(gitDir: string): Promise<number | undefined> {
    const { limit } = this.#options;
    const { bytes } = await readPackNeed(gitDir);
    const { bavail, bsize } = await statfs(this.#directory);
    // Pushes need the disk more than readers need this cache.
    const fits = bavail * bsize - bytes > limit && this.#makeRoom(bytes);
    return fits ? bytes : undefined;
  }

  /** Removes the oldest packs until there is room for so many bytes. Returns false when there cannot be. */
  #makeRoom(bytes: number): boolean {
    const { limit } = this.#options;
    for (const [key, pack] of this.#packs) {
      if (this.bytes + bytes <= limit) break;
      if (pack.madeAt !== undefined) this.#remove(key, pack);
    }
    return this.bytes + bytes <= limit;
  }

  #removeOld(): void {
    const before = performance.now() - this.#keepMs;
    for (const [key, pack] of this.#packs) if ((pack.madeAt ?? Infinity) < before) this.#remove(key, pack);
    for (const [key, at] of this.#seen) {
      if (at >= before && this.#seen.size <= REMEMBERED) break;
      this.#seen.delete(key);
    }
  }

  #remove(key: string, pack: SharedPack): void {
    if (this.#packs.get(key) === pack) this.#packs.delete(key);
    pack.remove().catch((error: unknown) => {
      this.#options.log.warn({ path: pack.path, err: describe(error) }, "could not remove a pack for several clients");
    });
  }
}
