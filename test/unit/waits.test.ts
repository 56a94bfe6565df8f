import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { shortenWaits, WAITS } from "../../src/waits.ts";

const SOURCES = fileURLToPath(new URL("../../src", import.meta.url));

afterEach(() => shortenWaits(1));

/** Each wait, so many times, is not longer than the other one. */
const PROPORTIONS: [keyof typeof WAITS, number, keyof typeof WAITS, string][] = [
  ["leaseRenewalMs", 3, "leaseMs", "two renewals of a lease may fail"],
  ["turnRenewalMs", 3, "turnMs", "two renewals of a ticket may fail"],
  ["sessionRenewalMs", 2, "turnMs", "one renewal of a session may fail"],
  ["leaseRetryMs", 10, "leaseRenewalMs", "a renewal is tried again many times before the lease ends"],
  ["leaseProofMs", 2, "leaseRenewalMs", "a read that waits for a renewal is answered before the next one is due"],
  ["statementMs", 1, "leaseMs", "a renewal without an answer has failed before others may take over"],
  ["connectMs", 3, "statementMs", "several servers can be tried before a statement is given up"],
  ["turnMs", 2, "pushTurnMs", "a push outlives the ticket of a holder that died, and then some"],
  ["sessionLookMs", 2, "turnMs", "a session that ended is seen soon"],
  ["hookDeliveryMs", 1, "leaseMs", "a delivery ends before another device may deliver"],
  ["gitLookMs", 5, "gitStoppedMs", "a git is looked at several times before it is judged"],
  ["gitStallMs", 3, "gitSilentMs", "a git that has begun to send gets less time than one that prepares"],
  ["gitSilentMs", 4, "uploadSilentMs", "a client without progress waits longer than the pack stream"],
  ["gitSilentMs", 6, "gitDiskMs", "a disk gets more time than a git that sleeps"],
  ["sourceHedgeMs", 3, "gitStallMs", "another source is asked before the silent one is given up"],
  ["sourceHedgeMs", 20, "slowSourceMs", "a source that hangs does not cost its wait in each catch-up"],
  ["copyHedgeMs", 6, "copySilentMs", "another device is asked for a copy before the silent one is given up"],
  ["packHoldMs", 2, "motionlessMs", "a source that holds a request gives up before the catch-up does"],
  ["gitSilentMs", 6, "motionlessMs", "the steps of a catch-up give up before the catch-up does"],
  ["fetchLastStepsMs", 1, "motionlessMs", "the last steps of a fetch give up before the catch-up does"],
  ["firstCopyMs", 6, "hookReadMs", "a read is told of a first copy before the hook gives up"],
  ["hookReadMs", 2, "pushReadMs", "a push waits longer than a read"],
  ["registryLookMs", 12, "registryStaleMs", "the registry is looked at often before it counts as stale"],
  ["credentialsLookMs", 4, "credentialsSettleMs", "new files are looked at again before they are complained about"],
  ["hookBackOffMs", 100, "hookBackOffLimitMs", "the pauses of a webhook grow"],
  ["catchUpBackOffMs", 40, "catchUpBackOffLimitMs", "the pauses after catch-ups that failed grow"],
  ["repairBusyMs", 5, "repairMs", "repairs are looked for more often while there are many"],
];

describe.each([1, 1 / 3, 0.1])("the waits, times %f,", (factor) => {
  it.each(PROPORTIONS)("%s × %i is not longer than %s: %4$s", (less, times, more) => {
    shortenWaits(factor);
    expect(WAITS[less] * times).toBeLessThanOrEqual(WAITS[more]);
  });

  it("are whole milliseconds, which timers and SQL take", () => {
    shortenWaits(factor);
    expect(Object.values(WAITS).filter((ms) => !Number.isInteger(ms) || ms < 1)).toEqual([]);
  });
});

it.each([0, -1, 1.5, Number.NaN])("waits are not multiplied by %f", (factor) => {
  expect(() => shortenWaits(factor)).toThrow(RangeError);
});

it("no module reads a wait when it loads: a test may shorten it later", () => {
  const files = readdirSync(SOURCES, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  const early = files.flatMap((file) =>
    readFileSync(join(SOURCES, file), "utf8")
      .split("\n")
      .filter((line) => /^(export )?(const|let) .*= [^>]*\bWAITS\./.test(line) && !/=>/.test(line))
      .map((line) => `${file}: ${line}`),
  );
  expect(early).toEqual([]);
});
