import { describe, expect, it, vi } from "vitest";
import type { DeviceCredentials } from "../../src/tls/device-files.ts";
import { WatchedCredentials } from "../../src/tls/watched-credentials.ts";

const DAY = 86_400_000;

/** Returns the warnings of a certificate that lives for `days`, when `left` days of them are left. */
function warnings(days: number, left: number): string[] {
  const now = Date.now();
  const credentials = { device: "repo001", beginsAt: now - (days - left) * DAY, endsAt: now + left * DAY };
  const log = { info: vi.fn(), warn: vi.fn(), error: vi.fn() };
  return new WatchedCredentials({}, credentials as unknown as DeviceCredentials, log).warnings;
}

describe("a certificate that ends", () => {
  it.each([
    [365, 29, true],
    [365, 31, false],
    [90, 26, true],
    // cert-manager renews when a third is left, and the new file takes some time.
    [90, 29.9, false],
    [30, 10, false],
    [30, 8.9, true],
    [1, 0.33, false],
    [1, 0.29, true],
    [1 / 24, 0.01, true],
    [90, -1, true],
  ])("after %d days is warned of when %d days are left: %s", (days, left, isWarned) => {
    expect(warnings(days, left)).toEqual(
      isWarned ? [expect.stringMatching(/^The certificate of device repo001 end/)] : [],
    );
  });
});
