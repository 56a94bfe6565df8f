// Adoption, gc and scrub of repositories whose refs git stores as reftable.
import { afterAll, beforeAll, expect, it } from "vitest";
import { readTips } from "../../src/git/refs/tips.ts";
import { type AdoptOptions, adoptRepository } from "../../src/sync/adopt/adopt-repository.ts";
import { verify } from "../../src/sync/operator/verify-replica.ts";
import { collectGarbage } from "../../src/sync/upkeep/collect-garbage.ts";
import { plainCommit, plainGit, plainRepository } from "../support/plain-repository.ts";
import { gitIsOlderThan } from "../support/programs.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, type TestDevice } from "../support/sync-device.ts";

const tooOld = gitIsOlderThan(2, 46);
if (tooOld) console.warn(`Upkeep of reftables is not tested: ${tooOld}.`);
const REFTABLE = ["--ref-format=reftable"];
/** Every unreachable object that an earlier gc has found may go. */
const AT_ONCE = { all: true, keepUnreachableMs: -60_000 };

let cluster: TestCluster;
let a: TestDevice;
let b: TestDevice;
beforeAll(async () => {
  cluster = await TestCluster.make();
  a = await cluster.start("repo001");
  b = await cluster.start("repo002", { refFormat: tooOld ? "files" : "reftable" });
});
afterAll(async () => await cluster?.[Symbol.asyncDispose]());

const adopt = (device: TestDevice, name: string) => {
  const options: AdoptOptions = { from: undefined, dryRun: false, author: "olga", signal: device.context.signal };
  return adoptRepository(device.context, name, options);
};

it.skipIf(tooOld)("an adopted reftable takes pushes, is collected and verified, and is copied", async () => {
  const path = a.gitDir("tables");
  const { main } = await plainRepository(path, ["main", "topic"], REFTABLE);
  await plainGit(path, ["symbolic-ref", "HEAD", "refs/heads/topic"]);
  await plainGit(path, ["symbolic-ref", "refs/heads/alias", "refs/heads/nowhere"]);
  expect(await adopt(a, "tables")).toMatchObject({ adopted: { version: "1", notes: [] } });
  await a.expectInLockstep("tables");
  let tip = main!;
  for (let push = 0; push < 5; push += 1) {
    const next = await a.commit("tables", `${push}`, { parents: [tip] });
    expect(await a.push("tables", [change("main", tip, next)])).toEqual({ "refs/heads/main": null });
    await a.git("tables", ["repack", "-q"]);
    tip = next;
  }
  const { signal } = a.context;
  expect(await collectGarbage(a.context, "tables", { signal, ...AT_ONCE })).toMatchObject({
    packed: "all",
    bitmap: true,
  });
  expect(await verify(a.context, "tables", { full: true, signal })).toMatchObject({ differences: [], damage: [] });
  await a.expectInLockstep("tables");
  await b.read("tables");
  await b.expectInLockstep("tables");
  await collectGarbage(b.context, "tables", { signal: b.context.signal, ...AT_ONCE });
  expect(await verify(b.context, "tables", { full: true, signal })).toMatchObject({ differences: [], damage: [] });
  await b.expectInLockstep("tables");
});

it.skipIf(tooOld)("gc of a reftable keeps what only a detached HEAD and the HEAD of a work tree reach", async () => {
  const path = a.gitDir("detached");
  await plainRepository(path, ["main"], REFTABLE);
  const head = await plainCommit(path, "head");
  await plainGit(path, ["update-ref", "--no-deref", "HEAD", head]);
  await adopt(a, "detached");
  await a.expectInLockstep("detached");
  const { signal } = a.context;
  expect(await readTips(a.context.git, path, signal)).toContain(head);
  const tree = await plainCommit(path, "tree");
  await plainGit(path, ["worktree", "add", "--detach", "--no-checkout", `${path}-tree`, tree]);
  expect(await readTips(a.context.git, path, signal)).toContain(tree);
  for (let times = 0; times < 2; times += 1) await collectGarbage(a.context, "detached", { signal, ...AT_ONCE });
  for (const id of [head, tree]) await a.git("detached", ["cat-file", "-e", id]);
  await a.git("detached", ["fsck", "--full"]);
});
