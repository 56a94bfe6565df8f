import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { bar, Progress, size } from "../../src/cli/terminal/progress.ts";

const CLEAR = "\r\x1b\\[K";

/** A line that cannot wrap. */
const line = (text: string) => `\r\x1b[K\x1b[?7l${text}\x1b[?7h`;

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
    expect(written[0]).toBe(line("0 done"));
    expect(written.at(-2)).toBe(line("7 done"));
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
    expect(written.at(-1)).toBe(line(`${"x".repeat(30)}…12345678`));
  });

  it("says how long it has been waiting", () => {
    const { stream, written } = terminal(true);
    using progress = new Progress(stream, false);
    progress.wait("comparing");
    vi.advanceTimersByTime(3_100);
    expect(written.at(-1)).toBe(line("comparing … 3 s"));
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

  it("fits 80 columns of a terminal that does not tell its width, and counts from the beginning of the work", () => {
    const { stream, written } = terminal(true);
    using progress = new Progress(stream, false);
    for (let second = 0; second < 5; second += 1) {
      progress.wait(`waiting for ${"x".repeat(100)}`);
      vi.advanceTimersByTime(1_000);
    }
    expect(written.at(-1)).toBe(line(`waiting for ${"x".repeat(58)}…xx … 5 s`));
    expect(written.filter((text) => text.includes("\n"))).toEqual([]);
  });

  it.each([true, false])("shows nothing to a program that reads (terminal: %s)", (isTTY) => {
    const { stream, written } = terminal(isTTY);
    {
      using progress = new Progress(stream, true);
      progress.wait("asking");
      vi.advanceTimersByTime(60_000);
      progress.clear();
    }
    expect(written).toEqual([]);
  });

  it("adds a line every ten seconds where there is no terminal, if something has changed, and nothing at the end", () => {
    const { stream, written } = terminal(false);
    let done = 0;
    {
      using progress = new Progress(stream, false);
      progress.show(() => `${done} done`);
      vi.advanceTimersByTime(9_900);
      expect(written).toEqual([]);
      vi.advanceTimersByTime(40_000);
      done = 7;
      vi.advanceTimersByTime(20_000);
    }
    vi.advanceTimersByTime(60_000);
    expect(written).toEqual(["0 done\n", "7 done\n"]);
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
