import { expect, it } from "vitest";
import { verdictsOf } from "../torture/checks/all.ts";
import { recordsOf } from "../torture/history.ts";
import { reportOf } from "../torture/report.ts";
import { torture } from "../torture/torture.ts";

// A short run of `npm run torture` with a database of its own, which it crashes. test/torture/README.md says what it proves.
it("clients under faults see one history, which lasts, on devices that come back to rest", {
  timeout: 900_000,
}, async () => {
  const history = await torture({
    seed: 20_261_121,
    seconds: 240,
    operations: 450,
    devices: 3,
    minCopies: 1,
    faults: /^/,
    arguments: [],
    env: { LOCKSTEP_LOG_LEVEL: "info" },
    signal: new AbortController().signal,
    onProgress: () => {},
  });
  const verdicts = verdictsOf(history);
  const { text, ok } = reportOf(history, verdicts);
  console.log(text);
  for (const { check, violations } of verdicts) expect(violations, check).toEqual([]);
  expect(ok).toBe(true);
  expect(recordsOf(history, "operation").length).toBeGreaterThan(300);
  expect(recordsOf(history, "fault").length).toBeGreaterThan(12);
});
