// Tests that sit out waits of the sidecar (src/waits.ts) shorten them to a third.
import { shortenWaits } from "../../src/waits.ts";

const FACTOR = 1 / 3;

/** The environment of a process of the sidecar or of its command line whose waits are short. */
export const SHORT_WAITS: Readonly<Record<string, string>> = { LOCKSTEP_WAITS_FACTOR: String(FACTOR) };

/** Shortens the waits of the devices in this process until it is disposed of, or until the test file ends. */
export function shortWaits(): Disposable {
  shortenWaits(FACTOR);
  return { [Symbol.dispose]: () => shortenWaits(1) };
}
