// The parts of the status page: what is escaped, what is said, and what many viewers share.
import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { chart } from "../../src/page/parts/chart.ts";
import { html } from "../../src/page/parts/html.ts";
import { Resting } from "../../src/page/parts/resting.ts";
import { ago, duration, named, repositoryAddress, size, word } from "../../src/page/parts/said.ts";
import { Busy, inTime, Shared, TooSlow } from "../../src/page/parts/shared.ts";

describe("a text in a page", () => {
  it("makes no tag, ends no attribute and turns no direction, whatever it is", () => {
    const isHarmless = (text: string) => {
      const made = html`<a href="${text}">${[text, html`<b>${text}</b>`]}</a>`.text;
      return (
        !/<(?!\/?[ab][ >])/.test(made) &&
        made.split('"').length === 3 &&
        !/['\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u.test(made) &&
        !made.replace(/&(amp|lt|gt|quot|#39);/g, "").includes("&")
      );
    };
    for (const text of ["<script>", `" onload="x`, "a&lt;b", "\u202egpj", "a'b", "\0\x1b[31m"])
      expect(isHarmless(text)).toBe(true);
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."<>\"'&; abonclick=/\u202e\u2066\u0007\né") }), isHarmless),
    );
  });

  it("is left out where there is none, but a nought is shown", () => {
    expect(html`${undefined}${null}${false}${""}${0}${0n}`.text).toBe("00");
  });
});

describe("a command to type", () => {
  it("holds a name as one word, whatever a shell takes it for", async () => {
    expect(word("team/c++")).toBe("team/c++");
    expect(word("-rf")).toBe("'-rf'");
    expect(word("a; rm -rf ~")).toBe("'a; rm -rf ~'");
    expect(word("it's $(id)")).toBe(`'it'\\''s $(id)'`);
    expect(word("")).toBe("''");
  });
});

describe("what is said", () => {
  it("reads as people say it", () => {
    expect([12, 3_400, 59_999, 60_000, 3_600_000, 5 * 86_400_000].map(duration)).toEqual([
      ...["12 ms", "3.4 s", "59 s", "1 min", "1 h", "5 days"],
    ]);
    expect([0, 640, 1_234, 45_000_000_000].map(size)).toEqual(["0 B", "640 B", "1.2 KB", "45.0 GB"]);
    expect([[], ["a"], ["a", "b"], ["a", "b", "c", "d", "e"]].map((names) => named(names))).toEqual([
      ...["", "a", "a and b", "a, b, c and 2 more"],
    ]);
    expect(ago(new Date(Date.now() - 7_400)).text).toContain(">7 s ago<");
    // The clock of the database may be ahead of this one.
    expect(ago(new Date(Date.now() + 3_000)).text).toContain(">just now<");
  });

  it("leads to the page of a repository, whatever its name", () => {
    expect(repositoryAddress("team/c++ & ?#é")).toBe("/status/repositories/team/c%2B%2B%20%26%20%3F%23%C3%A9");
  });
});

describe("a chart of catch-ups", () => {
  it("has 32 bars at most, the newest at the right, and says in words what it shows", () => {
    const bars = Array.from({ length: 100 }, (_, index) => ({ ms: index, failed: index === 99, title: `n${index}` }));
    const { text } = chart("repo001", bars);
    expect(text.match(/<rect /g)).toHaveLength(32);
    expect(text.lastIndexOf("<title>n99<")).toBeGreaterThan(text.indexOf("<title>n68<"));
    expect(text).toContain('aria-label="repo001: 100 catch-ups, 1 failed, the longest took 99 ms"');
    expect(text).not.toContain("style=");
  });
});

describe("a survey", () => {
  it("is read once for all, again after a rest that is longer than the reading, and not if nobody asks", async () => {
    vi.useFakeTimers({ toFake: ["performance", "setTimeout"] });
    try {
      let read = 0;
      const survey = new Resting(async () => {
        read += 1;
        await new Promise((done) => setTimeout(done, 1_000));
        return read;
      });
      const asked = [survey.refresh(), survey.refresh()];
      await vi.advanceTimersByTimeAsync(1_000);
      await Promise.all(asked);
      expect(survey.latest).toBe(1);
      await vi.advanceTimersByTimeAsync(9_999);
      await survey.refresh();
      expect(read).toBe(1);
      await vi.advanceTimersByTimeAsync(60_000);
      expect(read).toBe(1);
      void survey.refresh();
      expect(read).toBe(2);
    } finally {
      vi.useRealTimers();
    }
  });

  it("is shown unfinished the first time only, and never when it failed", async () => {
    const ends: ((answer: string | Error) => void)[] = [];
    const survey = new Resting<string>((_, show) => {
      show("some");
      return new Promise((done, fail) =>
        ends.push((answer) => (answer instanceof Error ? fail(answer) : done(answer))),
      );
    });
    const first = survey.refresh();
    expect(survey.latest).toBe("some");
    ends[0]?.(new Error("away"));
    await first;
    expect([survey.latest, survey.failure?.said]).toEqual([undefined, "away"]);
  });
});

describe("an answer that many ask for", () => {
  it("is read once, also by those who come while it is read", async () => {
    const shared = new Shared<number>();
    let read = 0;
    const ask = () =>
      shared.get("a", async () => {
        await delay(5);
        read += 1;
        return read;
      });
    expect(await Promise.all([ask(), ask(), ask()])).toEqual([1, 1, 1]);
    expect(await ask()).toBe(1);
    expect(await shared.get("b", async () => 7)).toBe(7);
  });

  it("is read beside one other; 32 more wait, and further ones are refused", async () => {
    const shared = new Shared<string>();
    const ends: (() => void)[] = [];
    const ask = (key: string) => shared.get(key, () => new Promise((end) => ends.push(() => end(key))));
    const asked = Array.from({ length: 34 }, (_, index) => ask(`${index}`));
    await expect(ask("further")).rejects.toThrow(Busy);
    for (let ended = 0; ended < 34; ended += 1) {
      expect(ends.length - ended).toBeLessThanOrEqual(2);
      ends[ended]?.();
      await asked[ended];
      await delay(0);
    }
    expect(await Promise.all(asked)).toEqual(Array.from({ length: 34 }, (_, index) => `${index}`));
  });

  it("is not waited for longer than said, and a failure is told to all who asked", async () => {
    await expect(inTime(new Promise(() => {}), 5)).rejects.toThrow(TooSlow);
    const shared = new Shared<string>();
    const fail = () => shared.get("a", () => Promise.reject(new Error("no")));
    expect(await Promise.allSettled([fail(), fail()])).toMatchObject([{ status: "rejected" }, { status: "rejected" }]);
  });
});
