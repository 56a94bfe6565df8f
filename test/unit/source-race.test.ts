import { getEventListeners } from "node:events";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Source } from "../../src/sync/objects/source-race.ts";
import { firstToSend, type SourceAttempt } from "../../src/sync/objects/source-race.ts";
import { WAITS } from "../../src/waits.ts";

/** Sources that do what a test tells them to. */
class Devices {
  readonly asked: string[] = [];
  readonly refused: string[] = [];
  readonly putBack: string[] = [];
  readonly attempts = new Map<
    string,
    SourceAttempt & { send: (bytes: number) => void; fail: (error: Error) => void }
  >();
  readonly life = new AbortController();
  readonly result: Promise<{ source: Source; bytes: number } | undefined>;
  #waiting: string[];
  readonly #known = new Set<string>();

  constructor(...names: string[]) {
    this.#waiting = names;
    const source = (device: string): Source => ({ device, gitAddress: "", visit: "first" });
    const sources = {
      next: (fresh: boolean) => {
        const name = this.#waiting.find((each) => !fresh || !this.#known.has(each));
        if (name === undefined) return undefined;
        this.#waiting.splice(this.#waiting.indexOf(name), 1);
        this.#known.add(name);
        return source(name);
      },
      putBack: ({ device }: Source) => {
        this.putBack.push(device);
        this.#waiting.push(device);
      },
      refused: ({ device }: Source) => void this.refused.push(device),
    };
    const ask = ({ device }: Source, attempt: SourceAttempt) => {
      this.asked.push(device);
      return new Promise<number>((send, fail) => {
        this.attempts.set(device, { ...attempt, send, fail });
        attempt.signal.addEventListener("abort", () => fail(new Error("hung up on")));
      });
    };
    this.result = firstToSend(sources, ask, this.life.signal);
    this.result.catch(() => {});
  }

  of(device: string) {
    return this.attempts.get(device)!;
  }
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe("the source of a pack", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("is the first one while that shows work, however long it takes, and no other one is asked", async () => {
    const devices = new Devices("a", "b");
    for (let count = 0; count < 60; count += 1) {
      await pass(WAITS.sourceHedgeMs - 1);
      devices.of("a").onWork();
    }
    devices.of("a").onArrival();
    await pass(10 * WAITS.sourceHedgeMs);
    devices.of("a").send(7);
    expect(await devices.result).toMatchObject({ source: { device: "a" }, bytes: 7 });
    expect(devices.asked).toEqual(["a"]);
  });

  it("is raced by a second one when the first shows no work; both go on until one sends", async () => {
    const devices = new Devices("a", "b", "c");
    await pass(WAITS.sourceHedgeMs - 1);
    expect(devices.asked).toEqual(["a"]);
    await pass(1);
    expect(devices.asked).toEqual(["a", "b"]);
    expect(devices.of("a").signal.aborted).toBe(false);
    devices.of("b").onArrival();
    expect(devices.of("a").signal.aborted).toBe(true);
    devices.of("b").send(3);
    expect(await devices.result).toMatchObject({ source: { device: "b" }, bytes: 3 });
    expect(devices.putBack).toEqual(["a"]);
    expect(devices.refused).toEqual([]);
    expect(getEventListeners(devices.life.signal, "abort")).toEqual([]);
  });

  it("is the first one after all if it begins to send before the second", async () => {
    const devices = new Devices("a", "b");
    await pass(WAITS.sourceHedgeMs);
    devices.of("a").onArrival();
    expect(devices.of("b").signal.aborted).toBe(true);
    // Too late: it has been hung up on.
    devices.of("b").onArrival();
    devices.of("a").send(1);
    expect(await devices.result).toMatchObject({ source: { device: "a" } });
  });

  it("is the slower one if the one that sent first fails", async () => {
    const devices = new Devices("a", "b");
    await pass(WAITS.sourceHedgeMs);
    devices.of("b").onArrival();
    devices.of("b").fail(new Error("cut off"));
    await pass(0);
    expect(devices.asked).toEqual(["a", "b", "a"]);
    devices.of("a").send(1);
    expect(await devices.result).toMatchObject({ source: { device: "a" } });
    expect(devices.refused).toEqual(["b"]);
  });

  it("is looked for among the next ones at once if the second one refuses", async () => {
    const devices = new Devices("a", "b", "c", "d", "e");
    await pass(WAITS.sourceHedgeMs);
    devices.of("b").fail(new Error("it has nothing"));
    await pass(0);
    expect(devices.asked).toEqual(["a", "b", "c"]);
    await pass(10 * WAITS.sourceHedgeMs);
    // Three at once, and no more.
    expect(devices.asked).toEqual(["a", "b", "c", "d"]);
    devices.life.abort(new Error("stopping"));
    await expect(devices.result).rejects.toThrow("stopping");
    for (const name of ["a", "c", "d"]) expect(devices.of(name).signal.aborted, name).toBe(true);
  });

  it("is none when all have refused", async () => {
    const devices = new Devices("a", "b");
    for (const name of ["a", "b"]) {
      devices.of(name).fail(new Error("no"));
      await pass(0);
    }
    expect(await devices.result).toBeUndefined();
    expect(devices.refused).toEqual(["a", "b"]);
  });
});
