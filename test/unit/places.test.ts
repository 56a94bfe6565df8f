import { describe, expect, it } from "vitest";
import { Places } from "../../src/gate/places.ts";

const LIMITS = { requests: 3, perAddress: 2, waiting: 2, patienceMs: 60_000 };
const NEVER = new AbortController().signal;

/** Returns whether the promise has settled. Waits for what is to happen at once. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  void promise.catch(() => {}).finally(() => (done = true));
  await new Promise(setImmediate);
  return done;
}

describe("the places of a gate", () => {
  it("are given at once up to the limit, and then in the order of arrival", async () => {
    const places = new Places({ ...LIMITS, perAddress: 9 });
    const taken = await Promise.all(["a", "b", "c"].map((address) => places.take(address, NEVER)));
    const [fourth, fifth] = [places.take("d", NEVER), places.take("e", NEVER)];
    expect([await settled(fourth), await settled(fifth)]).toEqual([false, false]);
    taken[1]![Symbol.dispose]();
    // A place that is given back twice is one place.
    taken[1]![Symbol.dispose]();
    expect([await settled(fourth), await settled(fifth)]).toEqual([true, false]);
    taken[0]![Symbol.dispose]();
    expect(await settled(fifth)).toBe(true);
  });

  it("are limited for one address, which holds back no other; requests without one have no such limit", async () => {
    const places = new Places(LIMITS);
    const first = await places.take("192.0.2.1", NEVER);
    await places.take("192.0.2.1", NEVER);
    const third = places.take("192.0.2.1", NEVER);
    expect(await settled(third)).toBe(false);
    expect(await settled(places.take("192.0.2.2", NEVER))).toBe(true);
    first[Symbol.dispose]();
    expect(await settled(third)).toBe(true);
    const local = new Places(LIMITS);
    for (let count = 0; count < LIMITS.requests; count += 1)
      expect(await settled(local.take(undefined, NEVER))).toBe(true);
    expect(await settled(local.take(undefined, NEVER))).toBe(false);
  });

  it("refuse a request when too many wait, when it has waited too long, and let go of one whose client left", async () => {
    const places = new Places({ ...LIMITS, requests: 1, patienceMs: 50 });
    const taken = await places.take("a", NEVER);
    const left = new AbortController();
    const leaving = places.take("a", left.signal);
    const late = places.take("b", NEVER);
    await expect(places.take("c", NEVER)).rejects.toMatchObject({ status: 503, headers: { "Retry-After": "5" } });
    left.abort(new Error("left"));
    await expect(leaving).rejects.toThrow("left");
    await expect(late).rejects.toMatchObject({ status: 503 });
    taken[Symbol.dispose]();
    expect(await settled(places.take("d", NEVER))).toBe(true);
  });
});
