// A new version spreads as a tree: a device sends it to a few others and names those to whoever comes later.
import type { Version } from "../../domain.ts";

/** To how many devices one device sends a version; the others get it from those. */
export const FAN_OUT = 4;
/** After so long there is no crowd any more, and everyone has had it who was going to. */
const CROWD_MS = 10_000;

interface Wave {
  readonly version: Version;
  readonly devices: Set<string>;
  readonly until: number;
}

export class FanOut {
  readonly #waves = new Map<string, Wave>();

  /**
   * Devices that have been given at least `version` of a repository, or are being given it, and that `asker` should turn to;
   * undefined: it is one of the first, and counted as such. `now` is in milliseconds.
   */
  refer(repositoryId: string, version: Version, asker: string, now: number): string[] | undefined {
    const wave = this.#waves.get(repositoryId);
    if (wave === undefined || wave.version < version || wave.until < now) {
      this.#forget(now);
      // Behind the others, so that the oldest are found first.
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
