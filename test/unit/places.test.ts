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

  it("are limited for the addresses of one IPv6 network of 64 bits together, and for IPv4 as ever", async () => {
    const limits = { requests: 100, perAddress: 8, waiting: 0, patienceMs: 1 };
    const served = (addresses: readonly string[]) => {
      const places = new Places(limits);
      return addresses.filter((address) => {
        if (places.roomFor(address) <= 0) return false;
        places.takeFree(address);
        return true;
      }).length;
    };
    const sixteen = (address: (n: number) => string) => served(Array.from({ length: 16 }, (_, n) => address(n)));
    expect(sixteen((n) => `2001:db8:1:2:${n}::1`)).toBe(8);
    expect(sixteen((n) => (n % 2 ? `2001:db8::${n}` : `2001:DB8:0:0:${n}:0:0:1`))).toBe(8);
    expect(sixteen((n) => `2001:db8:1:${n}::1`)).toBe(16);
    expect(sixteen((n) => `fe80::${n}%eth0`)).toBe(8);
    expect(sixteen((n) => `192.0.2.${n}`)).toBe(16);
    expect(sixteen((n) => `::ffff:192.0.2.${n}`)).toBe(16);
    expect(sixteen((n) => ["192.0.2.1", "::ffff:192.0.2.1", "::ffff:c000:201"][n % 3]!)).toBe(8);
    // What is given back is free for the whole network.
    const places = new Places({ ...limits, perAddress: 1, waiting: 1, patienceMs: 60_000 });
    const first = await places.take("2001:db8::1", NEVER);
    const second = places.take("2001:db8::2", NEVER);
    expect(await settled(second)).toBe(false);
    first[Symbol.dispose]();
    expect(await settled(second)).toBe(true);
  });
});
