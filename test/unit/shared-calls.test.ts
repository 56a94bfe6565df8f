import { beforeEach, expect, it, vi } from "vitest";
import { SharedCalls } from "../../src/gate/cache/shared-calls.ts";
import { latch } from "../support/latch.ts";
import { SOON } from "../support/soon.ts";

const never = new AbortController().signal;
/** The calls that have begun. Each waits until the test opens it. */
let begun: { key: string; signal: AbortSignal; open: () => void }[];
let calls: SharedCalls<number>;

beforeEach(() => {
  begun = [];
  calls = new SharedCalls(async (key, signal) => {
    const number = begun.length;
    const { opened, open } = latch();
    begun.push({ key, signal, open });
    await opened;
    if (key === "fails") throw new Error("no");
    return number;
  });
});

const untilBegun = (count: number) => vi.waitFor(() => expect(begun).toHaveLength(count), SOON);

it("requests that arrive together share a call for each key", async () => {
  const asked = [calls.call("a", never), calls.call("b", never), calls.call("a", never)];
  await untilBegun(2);
  for (const { open } of begun) open();
  expect(await Promise.all(asked)).toEqual([0, 1, 0]);
});

it("a request that arrives while a call is under way gets a call of its own, and need not wait for the first", async () => {
  const first = calls.call("a", never);
  await untilBegun(1);
  const second = calls.call("a", never);
  await untilBegun(2);
  begun[1]?.open();
  expect(await second).toBe(1);
  begun[0]?.open();
  expect(await first).toBe(0);
});

it("all that share a call get its error, and the next request makes a new call", async () => {
  const asked = [calls.call("fails", never), calls.call("fails", never)];
  await untilBegun(1);
  begun[0]?.open();
  for (const each of asked) await expect(each).rejects.toThrow("no");
  void calls.call("fails", never).catch(() => {});
  await untilBegun(2);
});

it("a request that leaves gets its own reason at once, and the call goes on for the others", async () => {
  const leaving = new AbortController();
  const [gone, stays] = [calls.call("a", leaving.signal), calls.call("a", never)];
  await untilBegun(1);
  leaving.abort(new Error("left"));
  await expect(gone).rejects.toThrow("left");
  expect(begun[0]?.signal.aborted).toBe(false);
  begun[0]?.open();
  expect(await stays).toBe(0);
});

it("the call ends when the last request has left", async () => {
  const leaving = [new AbortController(), new AbortController()];
  const asked = leaving.map(({ signal }) => calls.call("a", signal).catch(() => "gone"));
  await untilBegun(1);
  for (const each of leaving) each.abort();
  expect(await Promise.all(asked)).toEqual(["gone", "gone"]);
  expect(begun[0]?.signal.aborted).toBe(true);
});

it("a call that all have left before it began is not made, and harms nobody who comes then", async () => {
  const leaving = new AbortController();
  const gone = calls.call("a", leaving.signal).catch(() => "gone");
  leaving.abort();
  const comes = calls.call("a", never);
  await untilBegun(1);
  begun[0]?.open();
  expect([await gone, await comes]).toEqual(["gone", 0]);
  expect(begun).toHaveLength(1);
});
