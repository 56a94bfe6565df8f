// Spreads a new version as a tree. A device sends the version to the first few devices that ask, and names those to the
// devices that ask later.
import type { Version } from "../../domain.ts";

/** To how many devices one device sends a version. The others get it from those. */
export const FAN_OUT = 4;
/** After this time every device that was going to ask has asked. */
const CROWD_MS = 10_000;

interface Wave {
  readonly version: Version;
  readonly devices: Set<string>;
  readonly until: number;
}

/** Chooses, for each version, the devices that get it from here. */
export class FanOut {
  readonly #waves = new Map<string, Wave>();

  /**
   * Returns the devices that `asker` should ask instead: they have been given at least `version` of a repository, or
   * are being given it. undefined: `asker` is one of the first devices, and counted as such. `now` is in milliseconds.
   */
  refer(repositoryId: string, version: Version, asker: string, now: number): string[] | undefined {
    const wave = this.#waves.get(repositoryId);
    if (wave === undefined || wave.version < version || wave.until < now) {
      this.#forget(now);
      // Moves the entry behind the others, so that the oldest come first.
      this.#waves.delete(repositoryId);
      this.#waves.set(repositoryId, { version, devices: new Set([asker]), until: now + CROWD_MS });
      return undefined;
    }
    if (wave.devices.size >= FAN_OUT && !wave.devices.has(asker)) return [...wave.devices];
    wave.devices.add(asker);
    return undefined;
  }

  #forget(now: number): void {
    for (const [repositoryId, { until }] of this.#waves) {
      if (until >= now) return;
      this.#waves.delete(repositoryId);
    }
  }
}
