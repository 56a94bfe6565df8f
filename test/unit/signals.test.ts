import { spawnSync } from "node:child_process";
import { getEventListeners } from "node:events";
import { describe, expect, it, vi } from "vitest";
import { linkSignals } from "../../src/io/signals.ts";

const listeners = (signal: AbortSignal) => getEventListeners(signal, "abort").length;

describe("a linked signal", () => {
  it("aborts with the first parent that aborts, with its reason, and then listens to none", () => {
    const [one, two] = [new AbortController(), new AbortController()];
    const link = linkSignals([one.signal, two.signal], 60_000);
    expect(link.signal.aborted).toBe(false);
    two.abort(new Error("two"));
    expect(link.signal.reason).toEqual(new Error("two"));
    expect([listeners(one.signal), listeners(two.signal)]).toEqual([0, 0]);
    one.abort(new Error("one"));
    expect(link.signal.reason).toEqual(new Error("two"));
  });

  it("is aborted from the start when a parent is", () => {
    const parent = new AbortController();
    const link = linkSignals([parent.signal, AbortSignal.abort("over")], 1);
    expect(link.signal.reason).toBe("over");
    expect(listeners(parent.signal)).toBe(0);
  });

  it("leaves its parents when it is disposed of, and does not follow them any more", () => {
    const parent = new AbortController();
    const signal = (() => {
      using link = linkSignals([parent.signal], 60_000);
      expect(listeners(parent.signal)).toBe(1);
      return link.signal;
    })();
    expect(listeners(parent.signal)).toBe(0);
    parent.abort();
    expect(signal.aborted).toBe(false);
  });

  it("aborts when its time is up, unless it was disposed of before", () => {
    vi.useFakeTimers();
    try {
      const [link, gone] = [linkSignals([], 1_000), linkSignals([], 1_000)];
      gone[Symbol.dispose]();
      vi.advanceTimersByTime(1_000);
      expect(link.signal.reason).toMatchObject({ name: "TimeoutError" });
      expect(gone.signal.aborted).toBe(false);
    } finally {
      vi.useRealTimers();
    }
  });

  it("is what all of the source uses: AbortSignal.any leaves a trace with a signal that lives longer", () => {
    const found = spawnSync("grep", ["-rnF", "--include=*.ts", "AbortSignal.any(", "src"], { encoding: "utf8" });
    expect(found).toMatchObject({ status: 1, stdout: "" });
  });
});
