// What a load balancer does: after failures a device is left alone for a moment.
import type { Result } from "./history.ts";

const AWAY_MS = 1_500;
/** Refusals are answers; that many failures one after another are a device that is down. */
const PATIENCE = 2;

export class Balancer {
  readonly #devices: readonly string[];
  readonly #failures = new Map<string, { count: number; at: number }>();

  constructor(devices: readonly string[]) {
    this.#devices = devices;
  }

  /** The device that is wanted, or the next one that is not known to be down; the wanted one where all are. */
  choose(wanted: string): string {
    const at = this.#devices.indexOf(wanted);
    const inTurn = [...this.#devices.slice(at), ...this.#devices.slice(0, at)];
    return inTurn.find((device) => !this.#isDown(device)) ?? wanted;
  }

  note(device: string, result: Result): void {
    if (result === "ok") this.#failures.delete(device);
    else this.#failures.set(device, { count: (this.#failures.get(device)?.count ?? 0) + 1, at: performance.now() });
  }

  #isDown(device: string): boolean {
    const failures = this.#failures.get(device);
    return failures !== undefined && failures.count >= PATIENCE && performance.now() - failures.at < AWAY_MS;
  }
}
