// The gits that pushes and catch-ups start.
import { expect, it } from "vitest";
import { KeptReader } from "../../src/git/reading/kept-reader.ts";
import { KeptGit } from "../../src/git/transactions/kept-git.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change } from "../support/sync-device.ts";

const APP = "team/app";

it("pushes that follow each other share the gits that read objects and write refs, and catch-ups the second one", async () => {
  await using cluster = await TestCluster.make();
  const [a, b] = await cluster.pair(APP);
  const commits = await a.history(APP);
  // However slow this machine is, the git stays.
  const kept = [a, b].map((device) => {
    const keptGit = new KeptGit(100_000);
    const keptReader = new KeptReader(100_000);
    Object.assign(device.replica(APP), { keptGit, keptReader });
    return [keptGit, keptReader];
  });
  const started = async (device: typeof a) =>
    (await device.gitCommands()).flatMap((each) => /update-ref|rev-list|cat-file/.exec(each) ?? []);
  let before: string | null = null;
  const pushes: string[][] = [];
  const catchUps: string[][] = [];
  await started(a);
  await started(b);
  for (const commit of commits) {
    await a.push(APP, [change("main", before, commit)]);
    before = commit;
    pushes.push(await started(a));
    await b.read(APP);
    catchUps.push((await started(b)).filter((each) => each === "update-ref"));
  }
  // HEAD has no commit before the first push, so the walk of the reader has no end.
  expect(pushes[0]!.sort()).toEqual(["cat-file", "rev-list", "rev-list", "update-ref"]);
  for (const later of pushes.slice(1)) expect(later).toEqual([]);
  expect(catchUps).toEqual([["update-ref"], ...commits.slice(1).map(() => [])]);
  await a.expectInLockstep(APP);
  await b.expectInLockstep(APP);
  for (const each of kept.flat()) each.end();
});
