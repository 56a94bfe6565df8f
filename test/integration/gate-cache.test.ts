// The gate's cache of git's answers about refs. The oracle of each test is the git that the gate starts without a cache.
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Gate } from "../../src/gate/gate.ts";
import { FETCH_TYPE, GateSite, MIB } from "../support/gate-site.ts";

const REFS = "/team/app.git/info/refs?service=git-upload-pack";
const FETCH = "/team/app.git/git-upload-pack";
/** A change of refs before a test. The answer of a sidecar may be late, so a change a moment ago may count as one now. */
const LONG_AGO_MS = 600_000;
const V2 = { "Git-Protocol": "version=2" };

let site: GateSite;
let plain: Gate;
/** When the refs changed last, as the sidecar would know it. */
let changedAt: number;
/** How often the sidecar was asked. */
let asked: number;

beforeEach(async () => {
  site = await GateSite.make();
  plain = site.gate;
  site.gate = await site.openGate({ cacheBytes: 4 * MIB });
  [changedAt, asked] = [performance.now() - LONG_AGO_MS, 0];
  site.beforeRead = async () => {
    asked += 1;
    return { unchangedMs: performance.now() - changedAt };
  };
});
afterEach(async () => {
  await plain[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
});

type Question = Parameters<typeof ask>;
const OLD: Question = [REFS];
const CAPABILITIES: Question = [REFS, V2];

const packet = (line: string) => (Buffer.byteLength(line) + 4).toString(16).padStart(4, "0") + line;

function lsRefs(...lines: string[]): string {
  const format = site.format === "sha256" ? [packet("object-format=sha256")] : [];
  return [packet("command=ls-refs\n"), ...format, "0001", ...lines.map((line) => packet(`${line}\n`)), "0000"].join("");
}

/** Changes refs as a write does, which the sidecar notices. */
async function change(...args: string[]): Promise<void> {
  await site.sandbox.git(args, { cwd: site.bare });
  changedAt = performance.now();
}

/** Asks for refs, and returns the answer and how many gits the gate started for it. */
async function ask(path: string, headers: Record<string, string> = {}, body?: string) {
  const before = await site.starts();
  const answer = await site.fetchRaw(path, body === undefined ? { headers } : { method: "POST", headers }, body);
  const { status } = answer;
  const { "content-type": type, "cache-control": caching } = answer.headers;
  return { answer: { status, type, caching, body: answer.body }, gits: (await site.starts()) - before };
}

/** Asks the gate without a cache. */
async function oracle(...question: Question) {
  const { gate } = site;
  site.gate = plain;
  try {
    return (await ask(...question)).answer;
  } finally {
    site.gate = gate;
  }
}

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

async function fill(...names: string[]): Promise<void> {
  const commit = (name: string) =>
    `commit refs/${name}\ncommitter Ada <ada@example.com> ${names.indexOf(name)} +0000\ndata 1\nx\n`;
  await site.sandbox.git(["fast-import", "--quiet"], { cwd: site.bare, input: names.map(commit).join("") });
  changedAt = performance.now() - LONG_AGO_MS;
}

async function set(name: string, value: string): Promise<void> {
  await site.sandbox.git(["config", "--add", name, value], { cwd: site.bare });
}

const earlier = async (...args: string[]) => void (await site.sandbox.git(args, { cwd: site.bare }));
const alias = () => earlier("symbolic-ref", "refs/heads/alias", "refs/heads/topic");

async function tags(): Promise<void> {
  const who = { GIT_COMMITTER_NAME: "Ada", GIT_COMMITTER_EMAIL: "ada@example.com" };
  const tag = (name: string, of: string) =>
    site.sandbox.git(["tag", "--annotate", "-m", name, name, of], { cwd: site.bare, env: who });
  await tag("v1", "main");
  await tag("v1-again", "v1");
}

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

  it("when the sidecar refuses the read", async () => {
    site.beforeRead = () => Promise.reject(new Error("no"));
    for (const question of [all(), OLD, CAPABILITIES])
      expect((await ask(...question)).answer.body).toMatch(/The server failed; tell its operator/);
  });

  it("a kept answer is not given to a request whose lines differ", async () => {
    const { answer, gits } = await ask(FETCH, { ...V2, ...FETCH_TYPE }, lsRefs("peel"));
    expect([answer.status, gits]).toEqual([200, 1]);
  });

  it("when refs changed while git made it, and the sidecar granted the next read before the change was over", async () => {
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
      changedAt = performance.now();
      for (const _ of [1, 2])
        expect(await git(["ls-remote", "origin", "refs/heads/main"])).toBe(`${id}\trefs/heads/main`);
      await git(["fetch", "--quiet", "origin", "refs/heads/main"]);
      expect(await git(["rev-parse", "FETCH_HEAD"])).toBe(id);
    }
  }
});
