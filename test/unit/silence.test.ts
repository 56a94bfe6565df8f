import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { listenForNews } from "../../src/git/progress.ts";
import { Silence } from "../../src/git/silence.ts";
import { WAITS } from "../../src/waits.ts";

describe("a silence", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("ends the wait when nothing new has come for too long", () => {
    using silence = new Silence();
    for (let count = 0; count < 100; count += 1) {
      vi.advanceTimersByTime(WAITS.gitSilentMs - 1);
      silence.broken();
    }
    expect(silence.signal.aborted).toBe(false);
    vi.advanceTimersByTime(WAITS.gitSilentMs);
    expect(silence.signal.aborted).toBe(true);
  });

  it("may have a shorter limit once something has come", () => {
    using silence = new Silence();
    silence.broken(WAITS.gitStallMs);
    vi.advanceTimersByTime(WAITS.gitStallMs - 1);
    silence.broken();
    vi.advanceTimersByTime(WAITS.gitStallMs - 1);
    expect(silence.signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(silence.signal.aborted).toBe(true);
  });

  it("does not count while data that has come still waits here", () => {
    using silence = new Silence();
    let waits = true;
    silence.isOurs = () => waits;
    vi.advanceTimersByTime(10 * WAITS.gitSilentMs);
    expect(silence.signal.aborted).toBe(false);
    waits = false;
    vi.advanceTimersByTime(WAITS.gitSilentMs);
    expect(silence.signal.aborted).toBe(true);
  });

  it("ends no wait after it was disposed of", () => {
    const silence = new Silence();
    silence[Symbol.dispose]();
    silence.broken();
    vi.advanceTimersByTime(10 * WAITS.gitSilentMs);
    expect(silence.signal.aborted).toBe(false);
  });
});

describe("the messages of git", () => {
  it("is news when git has not just said it", () => {
    const isNews = listenForNews();
    const said = [
      "Counting: 1\r",
      "Counting: 1\r",
      "Counting: 2\r",
      "Counting: 2\rCounting: 2\r",
      "",
      "\r\n",
      "done.\n",
    ];
    expect(said.map(isNews)).toEqual([true, false, true, false, false, false, true]);
  });
});
