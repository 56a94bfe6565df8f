// A clock that a test can set: processes get their time from libfaketime. Timers follow the monotonic clock, and the
// kernel writes the times of files, so neither changes.
import { rename, writeFile } from "node:fs/promises";
import { findProgram } from "../support/programs.ts";

const LIBRARY = `/usr/lib/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu/faketime/libfaketimeMT.so.1`;
/** Seconds until a process notices a change of its clock. */
const NOTICED = 1;

export class SettableClock {
  readonly #file: string;
  /** Variables for the environment of each process that follows this clock. */
  readonly env: Readonly<Record<string, string>>;
  /** The reason why this clock cannot be set, or undefined. */
  readonly missing: string | undefined;

  /** Makes a clock. Every user can read `file`, which has the offset of the clock. */
  static async create(file: string): Promise<SettableClock> {
    const clock = new SettableClock(file);
    await clock.set(0);
    return clock;
  }

  private constructor(file: string) {
    this.#file = file;
    // The library is in the package of the program.
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

  /** Sets the clock `seconds` ahead of the system's clock, or behind it if negative. */
  async set(seconds: number): Promise<void> {
    await writeFile(`${this.#file}.new`, `${seconds < 0 ? "" : "+"}${seconds}\n`, { mode: 0o644 });
    await rename(`${this.#file}.new`, this.#file);
  }
}
