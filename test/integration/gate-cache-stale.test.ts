// Which kept answers the gate does not give.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import {
  ask,
  CAPABILITIES,
  change,
  changedAt,
  FETCH,
  fill,
  lsRefs,
  makeGateCacheSite,
  OLD,
  oracle,
  packet,
  type Question,
  REFS,
  set,
  site,
  V2,
} from "../support/gate-cache-site.ts";
import { FETCH_TYPE } from "../support/gate-site.ts";

makeGateCacheSite();

describe("a kept answer is not given", () => {
  const all = (): Question => [FETCH, { ...V2, ...FETCH_TYPE }, lsRefs("symrefs")];
  beforeEach(async () => {
    await fill("heads/main");
    for (const question of [all(), OLD, CAPABILITIES]) await ask(...question);
  });

  it.each([
    ["a ref has moved", () => change("update-ref", "refs/heads/new", "refs/heads/main")],
    ["a ref is gone", () => change("update-ref", "-d", "refs/heads/main")],
    ["HEAD leads to another branch", () => change("symbolic-ref", "HEAD", "refs/heads/other")],
    ["settings of the repository have changed", () => set("transfer.hideRefs", "refs/heads/main")],
    [
      "settings of the user have changed",
      () => writeFile(join(site.sandbox.dir, ".gitconfig"), "[transfer]\n\thideRefs = refs/heads/main\n"),
    ],
    ["another repository lies at the place", () => site.recreate()],
  ])("when %s", async (_, happens) => {
    await happens();
    for (const question of [all(), OLD]) {
      const { answer, gits } = await ask(...question);
      expect(gits).toBe(1);
      expect(answer).toEqual(await oracle(...question));
    }
  });

  it("a kept answer is not given when the sidecar refuses the read", async () => {
    site.beforeRead = () => Promise.reject(new Error("no"));
    for (const question of [all(), OLD, CAPABILITIES])
      expect((await ask(...question)).answer.body).toMatch(/The server failed; tell its operator/);
  });

  it("a kept answer is not given to a request whose lines differ", async () => {
    const { answer, gits } = await ask(FETCH, { ...V2, ...FETCH_TYPE }, lsRefs("peel"));
    expect([answer.status, gits]).toEqual([200, 1]);
  });

  it("a kept answer is not given when refs changed while git made it, and the sidecar granted the next read too early", async () => {
    // The read is granted for the refs of before. The change ends after the grant and before the answer is used.
    const granted = { unchangedMs: performance.now() - changedAt };
    await change("update-ref", "refs/heads/new", "refs/heads/main");
    await ask(...all());
    site.beforeRead = async () => granted;
    const { answer } = await ask(...all());
    expect(answer).toEqual(await oracle(...all()));
  });
});

it("the capabilities of version 2 stay in the cache when refs change", async () => {
  await ask(REFS, V2);
  await fill("heads/main");
  expect(await ask(REFS, V2)).toEqual({ answer: await oracle(REFS, V2), gits: 0 });
});

it("an answer with the id of a session is not kept", async () => {
  await set("transfer.advertiseSID", "true");
  const [first, second] = [await ask(REFS, V2), await ask(REFS, V2)];
  expect(first.answer.body).toContain("session-id=");
  expect(second.gits).toBe(1);
  expect(second.answer.body).not.toBe(first.answer.body);
});

it("an answer that git did not end well is not kept", async () => {
  await fill("heads/main");
  const wrong = `${packet("command=ls-refs\n")}${packet("object-format=none")}0000`;
  for (const _ of [1, 2]) expect((await ask(FETCH, { ...V2, ...FETCH_TYPE }, wrong)).gits).toBe(1);
});
