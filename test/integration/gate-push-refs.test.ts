// The refs that the gate shows to pushers without a git. The oracle is the git that the gate starts without a cache.
import { readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type RefName, type RefValue, refName, symbolicTo, toLatin1, valueFromLatin1 } from "../../src/domain.ts";
import type { Gate } from "../../src/gate/gate.ts";
import { ensureAliasHook } from "../../src/git/refs/alias-hook.ts";
import { RefHistory } from "../../src/sync/device/ref-history.ts";
import { GateSite, GRANT, MIB, script } from "../support/gate-site.ts";

const REFS = "/team/app.git/info/refs?service=git-receive-pack";

let site: GateSite;
let plain: Gate;
/** What the sidecar would remember, and the version that it would name. */
let history: RefHistory;
let version: bigint;
let ids: string[];

beforeEach(async () => {
  site = await GateSite.make();
  plain = site.gate;
  site.gate = await site.openGate({ cacheBytes: 4 * MIB });
  [history, version] = [new RefHistory(), 1n];
  history.arrive(version);
  site.beforeRead = async (_, { since = "" }) => {
    const changes = history.since(since, version);
    const told = [...(changes ?? [])].map(([name, id]) => [toLatin1(name), id === null ? "" : toLatin1(id)] as const);
    return { ...GRANT, refsMark: history.markOf(version), changes: changes && new Map(told) };
  };
});
afterEach(async () => {
  await plain[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
});

const git = (...args: string[]) => site.sandbox.git(args, { cwd: site.bare });

/** Fills the repository with a branch for each name, and makes three commits. */
async function fill(...names: string[]): Promise<void> {
  const commit = (name: string, index: number) =>
    `commit refs/${name}\ncommitter Ada <ada@example.com> ${index} +0000\ndata 1\nx\n`;
  const input = [...names, "other/1", "other/2", "other/3"].map(commit).join("");
  await site.sandbox.git(["fast-import", "--quiet"], { cwd: site.bare, input });
  ids = (await git("for-each-ref", "--format=%(objectname)", "refs/other")).split("\n");
  for (const number of [1, 2, 3]) await git("update-ref", "-d", `refs/other/${number}`);
}

/** Changes refs as a push does, which the sidecar knows. */
async function change(refs: Record<string, string | null>): Promise<void> {
  for (const [name, id] of Object.entries(refs)) await git("update-ref", ...(id ? [name, id] : ["-d", name]));
  const changes = new Map<RefName, RefValue | null>(
    Object.entries(refs).map(([name, id]) => [refName(name), id === null ? null : valueFromLatin1(id)]),
  );
  history.advance(version, version + 1n, changes);
  version += 1n;
}

async function ask(headers: Record<string, string> = {}) {
  const before = await site.starts();
  const { status, headers: got, body } = await site.fetchRaw(REFS, { headers });
  const [type, caching] = [got["content-type"], got["cache-control"]];
  return { answer: { status, type, caching, body }, gits: (await site.starts()) - before };
}

/** Expects git's own answer, made by so many gits. */
async function expectGits(gits: number, headers: Record<string, string> = {}): Promise<void> {
  const got = await ask(headers);
  const { gate } = site;
  site.gate = plain;
  const { answer } = await ask(headers);
  site.gate = gate;
  expect(got.answer.status).toBe(200);
  expect(got.answer).toEqual(answer);
  expect(got.gits).toBe(gits);
}

const REPOSITORIES: [string, () => Promise<unknown>][] = [
  ["some branches", () => fill("heads/a", "heads/main", "heads/topic")],
  ["one branch", () => fill("heads/main")],
  ["names that contain each other", () => fill("heads/main", "heads/main2", "heads/x/main", "tags/main")],
  ["packed refs", () => fill("heads/main", "heads/topic").then(() => git("pack-refs", "--all"))],
  ["hidden refs", () => fill("heads/main", "secret/x").then(() => git("config", "transfer.hideRefs", "refs/secret"))],
  ["push options", () => fill("heads/main").then(() => git("config", "receive.advertisePushOptions", "true"))],
  ["3,000 refs", () => fill("heads/main", ...Array.from({ length: 3_000 }, (_, index) => `heads/t${index}`))],
  ["SHA-256", () => site.recreate("--object-format=sha256").then(() => fill("heads/main", "heads/x"))],
];

it.each(REPOSITORIES)("refs that have moved are shown as git shows them, without a git: %s", async (_, make) => {
  await make();
  for (const headers of [{}, { "Git-Protocol": "version=1" }] as Record<string, string>[]) {
    await expectGits(1, headers);
    for (const id of ids as string[]) {
      await change({ "refs/heads/main": id });
      await expectGits(0, headers);
      await expectGits(0, headers);
    }
  }
});

it("several pushes between two requests, of which one made a ref and one removed it, need no git", async () => {
  await fill("heads/main", "heads/topic");
  await expectGits(1);
  const [one, two, three] = ids as [string, string, string];
  await change({ "refs/heads/main": one, "refs/heads/short": one });
  await change({ "refs/heads/main": two, "refs/heads/topic": three, "refs/heads/short": null });
  await expectGits(0);
});

it("names are bytes", async () => {
  await fill("heads/grün", "heads/main");
  await expectGits(1);
  await change({ "refs/heads/grün": ids[1] as string });
  await expectGits(0);
});

describe("git is asked", () => {
  beforeEach(async () => {
    await fill("heads/main", "heads/topic");
    await expectGits(1);
    await expectGits(0);
  });

  it.each<[string, () => Promise<unknown>]>([
    ["a ref was made, perhaps a hidden one", () => change({ "refs/heads/new": ids[0] as string })],
    ["a ref was removed", () => change({ "refs/heads/topic": null })],
    ["settings have changed", () => git("config", "transfer.hideRefs", "refs/heads/topic")],
    [
      "settings of the user have changed",
      () => writeFile(join(site.sandbox.dir, ".gitconfig"), "[receive]\n\tadvertiseAtomic = false\n"),
    ],
    [
      "another repository lies at the place",
      async () => {
        await site.recreate();
        await fill("heads/main");
      },
    ],
    [
      "somebody else has changed a ref, which the sidecar finds and puts in order",
      async () => {
        await git("update-ref", "refs/heads/main", ids[0] as string);
        history.doubt();
        history.arrive(version);
      },
    ],
  ])("git is asked again when %s", async (_, happens) => {
    await happens();
    await expectGits(1);
    await expectGits(0);
  });

  it("each time where a ref leads to another one, since both change", async () => {
    await git("symbolic-ref", "refs/heads/alias", "refs/heads/main");
    await site.hook("pre-receive", "exit 0");
    history.advance(version, version + 1n, new Map([[refName("refs/heads/alias"), valueFromLatin1("ref: x")]]));
    version += 1n;
    await expectGits(1);
    await change({ "refs/heads/main": ids[2] as string });
    await expectGits(1);
  });

  it("each time where a ref leads to another one, also after the hook was taken away by hand", async () => {
    const aliases = new Map([[refName("refs/heads/alias"), symbolicTo(refName("refs/heads/main"))]]);
    await symlink("/nowhere/lockstep-git", join(site.bare, "hooks/proc-receive"));
    await git("symbolic-ref", "refs/heads/alias", "refs/heads/main");
    await ensureAliasHook(site.bare, aliases);
    history.advance(version, version + 1n, aliases);
    version += 1n;
    await rm(join(site.bare, "hooks/pre-receive"));
    await expectGits(1);
    await change({ "refs/heads/main": ids[2] as string });
    await expectGits(1);
  });

  it("each time where it names the request, or a pusher has to sign", async () => {
    for (const [name, value] of [
      ["transfer.advertiseSID", "true"],
      ["receive.certNonceSeed", "x"],
    ] as const) {
      await git("config", name, value);
      for (const _ of [1, 2]) expect((await ask()).gits).toBe(1);
      await git("config", "--unset", name);
    }
  });
});

it("refs that change while git looks at them are those of one version in the next answer", async () => {
  await fill("heads/main", "heads/topic");
  const grant = site.beforeRead;
  let during: (() => Promise<void>) | undefined = () => change({ "refs/heads/topic": ids[1] as string });
  // The grant names the refs of before, and git looks after the change.
  site.beforeRead = async (...asked) => {
    const granted = await grant(...asked);
    await during?.();
    during = undefined;
    return granted;
  };
  await ask();
  await change({ "refs/heads/main": ids[0] as string });
  await expectGits(0);
});

it("the program that limits the memory of a push is not started for its refs, in which nothing is a client's", async () => {
  await fill("heads/main");
  const limiter = join(site.sandbox.dir, "limiter");
  await script(limiter, `echo x >> '${limiter}.starts'\nexec "$@"`);
  await using gate = await site.openGate({ pushLimiter: [limiter] });
  const starts = () => readFile(`${limiter}.starts`, "utf8").catch(() => "");
  expect((await fetch(`${gate.url}${REFS}`)).status).toBe(200);
  expect(await starts()).toBe("");
  await site.sandbox.commit(site.work, "first");
  await site.sandbox.git(["push", "--quiet", `${gate.url}/team/app.git`, "HEAD:refs/heads/new"], { cwd: site.work });
  expect(await starts()).toBe("x\n");
});

it("a refusal of the sidecar counts more than what is kept", async () => {
  await fill("heads/main");
  await expectGits(1);
  site.beforeRead = () => Promise.reject(new Error("no"));
  expect((await ask()).answer.body).toMatch(/The server failed; tell its operator/);
});
