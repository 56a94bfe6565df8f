// A clock that can be set: libfaketime stands between processes and the system's. Timers, which go by the monotonic clock, and the
// times of files, which the kernel writes, are as ever.
import { rename, writeFile } from "node:fs/promises";
import { findProgram } from "../support/programs.ts";

const LIBRARY = `/usr/lib/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu/faketime/libfaketimeMT.so.1`;
/** Seconds until a process finds out. */
const NOTICED = 1;

export class SettableClock {
  readonly #file: string;
  /** To be added to the environment of whatever goes by this clock. */
  readonly env: Readonly<Record<string, string>>;
  /** Why it cannot be set. */
  readonly missing: string | undefined;

  /** `file` is made, for all to read; it says how far off the clock is. */
  static async create(file: string): Promise<SettableClock> {
    const clock = new SettableClock(file);
    await clock.set(0);
    return clock;
  }

  private constructor(file: string) {
    this.#file = file;
    // The library is of the same package.
    const found = findProgram("faketime", "faketime");
    this.missing = "missing" in found ? found.missing : undefined;
    this.env =
      this.missing !== undefined
        ? {}
        : {
            LD_PRELOAD: LIBRARY,
            FAKETIME_TIMESTAMP_FILE: file,
            FAKETIME_CACHE_DURATION: String(NOTICED),
            FAKETIME_DONT_FAKE_MONOTONIC: "1",
            FAKETIME_DISABLE_SHM: "1",
            NO_FAKE_STAT: "1",
          };
  }

  /** Seconds ahead of the system's clock, or behind it. */
  async set(seconds: number): Promise<void> {
    await writeFile(`${this.#file}.new`, `${seconds < 0 ? "" : "+"}${seconds}\n`, { mode: 0o644 });
    await rename(`${this.#file}.new`, this.#file);
  }
}
