import { describe, expect, it } from "vitest";
import { FAN_OUT, FanOut } from "../../src/sync/objects/fan-out.ts";

const first = Array.from({ length: FAN_OUT }, (_, index) => `early${index}`);

/** What has been given version 5 of `app` as often as it is given at the time 0. */
function full(): FanOut {
  const fanOut = new FanOut();
  for (const device of first) expect(fanOut.refer("app", 5n, device, 0)).toBeUndefined();
  return fanOut;
}

describe("a device that sends a version to others", () => {
  it("sends it to a few, and sends the others to those", () => {
    expect(full().refer("app", 5n, "late", 0)).toEqual(first);
  });

  it("sends it to the same one again", () => {
    expect(full().refer("app", 5n, "early0", 0)).toBeUndefined();
  });

  it("also redirects devices that would be content with an older version", () => {
    expect(full().refer("app", 3n, "late", 0)).toEqual(first);
  });

  it("begins anew with a newer version, and with another repository", () => {
    const fanOut = full();
    expect(fanOut.refer("other", 5n, "late", 0)).toBeUndefined();
    expect(fanOut.refer("app", 6n, "late", 0)).toBeUndefined();
    expect(fanOut.refer("app", 6n, "early0", 0)).toBeUndefined();
  });

  it("sends it to any device once the crowd must have gone", () => {
    const fanOut = full();
    expect(fanOut.refer("app", 5n, "late", 9_000)).toEqual(first);
    expect(fanOut.refer("app", 5n, "late", 11_000)).toBeUndefined();
  });
});
