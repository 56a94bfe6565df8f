// The gits that pushes and catch-ups start.
import { expect, it } from "vitest";
import { KeptGit } from "../../src/git/transactions/kept-git.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change } from "../support/sync-device.ts";

const APP = "team/app";

it("pushes that follow each other share the git that writes the refs, and so do catch-ups", async () => {
  await using cluster = await TestCluster.make();
  const [a, b] = await cluster.pair(APP);
  const commits = await a.history(APP);
  // However slow this machine is, the git stays.
  const kept = [a, b].map((device) => {
    const keptGit = new KeptGit(100_000);
    Object.assign(device.replica(APP), { keptGit });
    return keptGit;
  });
  const started = async (device: typeof a) =>
    (await device.gitCommands()).flatMap((each) => /update-ref|rev-list/.exec(each) ?? []);
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
  expect(pushes[0]).toContain("update-ref");
  for (const later of pushes.slice(1)) expect(later).toEqual(["rev-list"]);
  expect(catchUps).toEqual([["update-ref"], ...commits.slice(1).map(() => [])]);
  await a.expectInLockstep(APP);
  await b.expectInLockstep(APP);
  for (const each of kept) each.end();
});
