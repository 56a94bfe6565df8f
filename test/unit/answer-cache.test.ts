import { expect, it } from "vitest";
import { AnswerCache } from "../../src/gate/cache/answer-cache.ts";

it("questions with empty answers fill no more memory than the cache may have", () => {
  const most = 100_000;
  const cache = new AnswerCache(most, "/");
  const question = (index: number) => ({
    repository: "team/app",
    protocol: "version=2",
    lsRefs: Buffer.from(`ref-prefix ${index}`),
  });
  const output = Buffer.from("0000");
  const count = 10_000;
  for (let index = 0; index < count; index += 1)
    cache.keep(question(index), { output, seen: "", startedAt: 0, inputAt: 0 });
  const kept = Array.from({ length: count }, (_, index) => cache.find(question(index))).filter(Boolean);
  expect(kept.length).toBeGreaterThan(0);
  expect(kept.length).toBeLessThan(most / 1_000);
  expect(cache.find(question(count - 1))).toBeDefined();
});
