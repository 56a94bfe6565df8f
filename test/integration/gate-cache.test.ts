// The gate's cache of git's answers about refs. The oracle of each test is the git that the gate starts without a cache.
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import {
  alias,
  ask,
  asked,
  earlier,
  FETCH,
  fill,
  lsRefs,
  makeGateCacheSite,
  oracle,
  type Question,
  REFS,
  refsChangeNow,
  set,
  site,
  tags,
  V2,
} from "../support/gate-cache-site.ts";
import { FETCH_TYPE, MIB } from "../support/gate-site.ts";

makeGateCacheSite();

const QUESTIONS: [string, () => Question][] = [
  ["the advertisement of version 0", () => [REFS]],
  ["the advertisement of version 1", () => [REFS, { "Git-Protocol": "version=1" }]],
  ["the capabilities of version 2", () => [REFS, V2]],
  ["all refs in version 2", () => [FETCH, { ...V2, ...FETCH_TYPE }, lsRefs("peel", "symrefs", "unborn")]],
  ["some refs in version 2", () => [FETCH, { ...V2, ...FETCH_TYPE }, lsRefs("ref-prefix refs/heads/t", "symrefs")]],
];

const REPOSITORIES: [string, () => Promise<void>][] = [
  ["an empty repository", async () => {}],
  ["branches and a symbolic ref", () => fill("heads/main", "heads/topic", "heads/other", "heads/x/y").then(alias)],
  ["annotated tags, of tags too", () => fill("heads/main").then(tags)],
  ["a hidden part", () => fill("heads/main", "secret/x").then(() => set("transfer.hideRefs", "refs/secret"))],
  ["HEAD on a branch that is not there", () => fill("heads/topic")],
  [
    "a detached HEAD",
    () => fill("heads/main").then(() => earlier("update-ref", "--no-deref", "HEAD", "refs/heads/main")),
  ],
  ["3,000 refs", () => fill(...Array.from({ length: 3_000 }, (_, index) => `heads/t${index}`))],
  [
    "packed refs",
    () =>
      fill("heads/main", "heads/topic")
        .then(() => earlier("pack-refs", "--all"))
        .then(() => {}),
  ],
];

describe.each(REPOSITORIES)("of %s", (_, make) => {
  it.each(QUESTIONS)("the second answer is git's, byte for byte, and starts no git: %s", async (_name, question) => {
    await make();
    const first = await ask(...question());
    expect(first.answer.status).toBe(200);
    const second = await ask(...question());
    expect([first.gits, second.gits]).toEqual([1, 0]);
    expect(second.answer).toEqual(first.answer);
    expect(second.answer).toEqual(await oracle(...question()));
    expect(asked).toBe(3);
  });
});

it("an answer of a repository with SHA-256 is git's, byte for byte", async () => {
  await site.recreate("--object-format=sha256");
  await fill("heads/main", "heads/topic");
  for (const [, question] of QUESTIONS) {
    await ask(...question());
    const { answer, gits } = await ask(...question());
    expect([answer, gits]).toEqual([await oracle(...question()), 0]);
  }
});

it("the oldest answers go first, and an answer larger than a quarter of the cache is not kept", async () => {
  await site.gate[Symbol.asyncDispose]();
  site.gate = await site.openGate({ cacheBytes: 2_700 });
  await fill("heads/main", ...Array.from({ length: 60 }, (_, index) => `heads/t${index}`));
  const of = (prefix: string) => [FETCH, { ...V2, ...FETCH_TYPE }, lsRefs(`ref-prefix refs/heads/${prefix}`)] as const;
  for (const _ of [1, 2]) expect((await ask(...of(""))).gits).toBe(1);
  const prefixes = ["t1", "t2", "t3", "t4", "t5"];
  for (const prefix of prefixes) await ask(...of(prefix));
  const gits = [];
  for (const prefix of prefixes.toReversed()) gits.push((await ask(...of(prefix))).gits);
  expect(gits[0]).toBe(0);
  expect(gits.at(-1)).toBe(1);
});

it("a request for refs that stops in the middle holds nothing up when the gate stops, nor when the client leaves", async () => {
  for (const end of ["client", "gate"]) {
    const request = site.open(FETCH, { method: "POST", headers: { ...V2, ...FETCH_TYPE } });
    request.on("error", () => {});
    request.write("0014command=ls-");
    await once(request, "socket");
    if (end === "client") request.destroy();
    else {
      await site.gate[Symbol.asyncDispose]();
      site.gate = await site.openGate({ cacheBytes: MIB });
    }
  }
  expect((await ask(REFS)).answer.status).toBe(200);
});

it("stock git lists, clones and fetches what was pushed, also through a cache", async () => {
  await site.sandbox.git(["remote", "set-url", "origin", `${site.gate.url}/team/app.git`], { cwd: site.work });
  for (const version of ["0", "2"]) {
    const git = (args: string[]) =>
      site.sandbox.git(["-c", `protocol.version=${version}`, ...args], { cwd: site.work });
    for (const text of ["a", "b"]) {
      const id = await site.sandbox.commit(site.work, text, { file: `${text}${version}` });
      await git(["push", "--quiet", "origin", "HEAD:refs/heads/main"]);
      refsChangeNow();
      for (const _ of [1, 2])
        expect(await git(["ls-remote", "origin", "refs/heads/main"])).toBe(`${id}\trefs/heads/main`);
      await git(["fetch", "--quiet", "origin", "refs/heads/main"]);
      expect(await git(["rev-parse", "FETCH_HEAD"])).toBe(id);
    }
  }
});
