import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { KeptAnswer } from "../../src/telemetry/kept-answer.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A question that takes so long, and answers with how often it was asked. */
function question(tookMs: number) {
  let asked = 0;
  return vi.fn(async () => {
    asked += 1;
    await new Promise((done) => setTimeout(done, tookMs));
    return asked;
  });
}

const get = async (kept: KeptAnswer<number>, ms: number) => {
  const got = kept.get();
  await vi.advanceTimersByTimeAsync(ms);
  return await got;
};

it("asks once for callers that come at once, and keeps the answer for a while", async () => {
  const ask = question(10);
  const kept = new KeptAnswer({ ask, keepMs: 1_000, patienceMs: 500 });
  const both = Promise.all([kept.get(), kept.get()]);
  await vi.advanceTimersByTimeAsync(10);
  expect(await both).toEqual([1, 1]);
  await vi.advanceTimersByTimeAsync(900);
  expect(await kept.get()).toBe(1);
  await vi.advanceTimersByTimeAsync(200);
  expect(await get(kept, 10)).toBe(2);
  expect(ask).toHaveBeenCalledTimes(2);
});

it("keeps an answer the longer the more it cost", async () => {
  const kept = new KeptAnswer({ ask: question(100), keepMs: 1_000, timesKept: 50, patienceMs: 500 });
  expect(await get(kept, 100)).toBe(1);
  await vi.advanceTimersByTimeAsync(4_900);
  expect(await kept.get()).toBe(1);
  await vi.advanceTimersByTimeAsync(200);
  expect(await get(kept, 100)).toBe(2);
});

it("waits no longer than its patience, and gives the last answer then unless that is too old", async () => {
  const ask = question(10);
  const kept = new KeptAnswer({ ask, keepMs: 100, patienceMs: 500, oldestMs: 2_000 });
  expect(await get(kept, 10)).toBe(1);
  ask.mockImplementation(() => new Promise(() => {}));
  await vi.advanceTimersByTimeAsync(200);
  expect(await get(kept, 500)).toBe(1);
  await vi.advanceTimersByTimeAsync(1_500);
  expect(await get(kept, 500)).toBeUndefined();
  // The question that hangs is not asked again beside itself.
  expect(ask).toHaveBeenCalledTimes(2);
});

it("has no answer after a failure, whatever it knew before, and asks again later", async () => {
  const ask = question(10);
  const kept = new KeptAnswer({ ask, keepMs: 100, patienceMs: 500, oldestMs: 60_000 });
  expect(await get(kept, 10)).toBe(1);
  ask.mockImplementationOnce(() => {
    throw new Error("away");
  });
  await vi.advanceTimersByTimeAsync(200);
  expect(await get(kept, 10)).toBeUndefined();
  expect(await get(kept, 10)).toBeUndefined();
  expect(ask).toHaveBeenCalledTimes(2);
  await vi.advanceTimersByTimeAsync(200);
  expect(await get(kept, 10)).toBe(2);
});

it("rests after a question that failed late, for a minute at most", async () => {
  const ask = vi.fn(async () => {
    await new Promise((done) => setTimeout(done, 15_000));
    throw new Error("too slow");
  });
  const kept = new KeptAnswer({ ask, keepMs: 100, timesKept: 50, patienceMs: 500 });
  expect(await get(kept, 15_000)).toBeUndefined();
  await vi.advanceTimersByTimeAsync(59_000);
  expect(await kept.get()).toBeUndefined();
  expect(ask).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(2_000);
  await get(kept, 500);
  expect(ask).toHaveBeenCalledTimes(2);
});
