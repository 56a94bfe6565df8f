import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { bar, Progress, size } from "../../src/cli/terminal/progress.ts";

const CLEAR = "\r\x1b\\[K";

/** Standard error as a terminal or not, and all that was written to it. */
function terminal(isTTY: boolean) {
  const written: string[] = [];
  const stream = { isTTY, write: (text: string) => written.push(text) } as unknown as NodeJS.WriteStream;
  return { stream, written };
}

describe("progress", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it("shows one line, rewritten in place, and takes it away at the end", () => {
    const { stream, written } = terminal(true);
    let done = 0;
    {
      using progress = new Progress(stream, false);
      progress.show(() => `${done} done`);
      vi.advanceTimersByTime(1_000);
      done = 7;
      vi.advanceTimersByTime(1_000);
    }
    expect(written.length).toBeGreaterThan(3);
    for (const text of written) expect(text).toMatch(new RegExp(`^${CLEAR}[^\n]*$`));
    expect(written[0]).toBe("\r\x1b[K0 done");
    expect(written.at(-2)).toBe("\r\x1b[K7 done");
    expect(written.at(-1)).toBe("\r\x1b[K");
    vi.advanceTimersByTime(10_000);
    expect(written.at(-1)).toBe("\r\x1b[K");
  });

  it("stays shorter than the line, since a wrapped line could not be removed", () => {
    const { stream, written } = terminal(true);
    Object.assign(stream, { columns: 40 });
    using progress = new Progress(stream, false);
    progress.show(() => `${"x".repeat(100)}12345678`);
    vi.advanceTimersByTime(1_000);
    expect(written.at(-1)).toBe(`\r\x1b[K${"x".repeat(30)}…12345678`);
  });

  it("says how long it has been waiting", () => {
    const { stream, written } = terminal(true);
    using progress = new Progress(stream, false);
    progress.wait("comparing");
    vi.advanceTimersByTime(3_100);
    expect(written.at(-1)).toBe("\r\x1b[Kcomparing … 3 s");
  });

  it("shows nothing for work that takes no time", () => {
    const { stream, written } = terminal(true);
    {
      using progress = new Progress(stream, false);
      progress.wait("asking");
      vi.advanceTimersByTime(100);
    }
    vi.advanceTimersByTime(10_000);
    expect(written).toEqual([]);
  });

  it.each([
    ["no terminal", false, false],
    ["a program that reads", true, true],
  ])("shows nothing to %s", (_, isTTY, quiet) => {
    const { stream, written } = terminal(isTTY);
    {
      using progress = new Progress(stream, quiet);
      progress.wait("asking");
      vi.advanceTimersByTime(10_000);
      progress.clear();
    }
    expect(written).toEqual([]);
  });
});

describe("bar", () => {
  it.each([
    [0, 0, ""],
    [0, 9, `[${".".repeat(24)}]   0 %`],
    [1, 2, `[${"#".repeat(12)}${".".repeat(12)}]  50 %`],
    [9, 9, `[${"#".repeat(24)}] 100 %`],
    [12, 9, `[${"#".repeat(24)}] 100 %`],
  ])("bar of %i out of %i is %j", (done, total, shown) => {
    expect(bar(done, total)).toBe(shown);
  });
});

describe("size", () => {
  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1_000, "1.0 kB"],
    [2_345_678, "2.3 MB"],
    [7_654_321_000, "7.65 GB"],
  ])("size of %i bytes is %s", (bytes, shown) => {
    expect(size(bytes)).toBe(shown);
  });
});
