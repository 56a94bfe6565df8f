import { join } from "node:path";
import { expect, it } from "vitest";
import { expectAtRest } from "../support/at-rest.ts";
import { ada, cluster, startClusterOfFile } from "../support/file-cluster.ts";

startClusterOfFile();

const deviceFor = (index: number) => cluster.devices[index % cluster.devices.length]!;
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

it("pushes of different refs on three devices at once all land, one version each", async () => {
  const repository = await cluster.createRepository();
  const commits = await Promise.all(upTo(12).map(() => ada.commit()));
  await Promise.all(
    commits.map((commit, index) => ada.land(deviceFor(index).url(repository), `${commit}:refs/heads/branch-${index}`)),
  );
  const { version, refs, log } = await expectAtRest(cluster, repository);
  expect(version).toBe(commits.length);
  expect(Object.fromEntries(refs)).toEqual(
    Object.fromEntries(commits.map((commit, index) => [`refs/heads/branch-${index}`, commit])),
  );
  expect(log.map(({ updates }) => updates.length)).toEqual(commits.map(() => 1));
  const { document } = await deviceFor(1).lockstep("log", repository, "--limit", "100");
  expect(document.log.map((entry: { version: number }) => entry.version)).toEqual(
    upTo(commits.length).map((index) => commits.length - index),
  );
});

it("of pushes of the same ref exactly one lands, and the others are told to fetch first", async () => {
  const repository = await cluster.createRepository();
  const base = await ada.commit();
  await ada.land(deviceFor(0).url(repository), `${base}:refs/heads/main`);
  // All have seen the same base, so that only one can be right.
  const commits = await Promise.all(upTo(6).map(() => ada.commit(base)));
  const results = await Promise.all(
    commits.map((commit, index) => ada.push(deviceFor(index).url(repository), `${commit}:refs/heads/main`)),
  );
  const landed = commits.filter((_, index) => results[index]!.code === 0);
  expect(landed).toHaveLength(1);
  for (const { stderr } of results.filter(({ code }) => code !== 0)) {
    // git says it by itself where it saw the new tip already, and passes on what the server said where it did not.
    expect(stderr).toMatch(/\[(remote )?rejected\] .* -> main \((fetch first|non-fast-forward)\)/);
  }
  const { refs, version } = await expectAtRest(cluster, repository);
  expect(version).toBe(2);
  expect(refs.get("refs/heads/main")).toBe(landed[0]);
});

it("people who pull, rebase and push again all get their work into one branch", async () => {
  const repository = await cluster.createRepository();
  const base = await ada.commit();
  await ada.land(deviceFor(0).url(repository), `${base}:refs/heads/main`);
  const people = await Promise.all(
    upTo(6).map(async (index) => {
      const clone = join(cluster.git.dir, `person-${index}`);
      await cluster.git.git(["clone", "--quiet", deviceFor(index).url(repository), clone]);
      return clone;
    }),
  );
  const tries = await Promise.all(
    people.map(async (clone, index) => {
      await cluster.git.commit(clone, `work of ${index}`, { [`work-${index}`]: `${index}` });
      for (let attempt = 1; ; attempt += 1) {
        const { code, stderr } = await cluster.git.run(["push", "--quiet", "origin", "main"], { cwd: clone });
        if (code === 0) return attempt;
        expect(stderr).toMatch(/fetch first|non-fast-forward/);
        expect(attempt).toBeLessThan(30);
        await cluster.git.git(["pull", "--quiet", "--rebase"], { cwd: clone });
      }
    }),
  );
  const { version, refs } = await expectAtRest(cluster, repository);
  expect(version).toBe(1 + people.length);
  await cluster.git.git(["pull", "--quiet", "--ff-only"], { cwd: people[0]! });
  expect(await cluster.git.git(["rev-parse", "HEAD"], { cwd: people[0]! })).toBe(refs.get("refs/heads/main"));
  const messages = await cluster.git.git(["log", "--format=%s"], { cwd: people[0]! });
  for (const index of people.keys()) expect(messages).toContain(`work of ${index}`);
  console.log(`pushes until everybody's work was in: ${tries.join(", ")}`);
});

// Whoever waits for half a minute in vain is refused.
it("nobody starves among twelve who push without a pause", async () => {
  const repository = await cluster.createRepository();
  const pushes = 5;
  const slowest = await Promise.all(
    upTo(12).map(async (index) => {
      let tip: string | undefined;
      let longest = 0;
      for (const _ of upTo(pushes)) {
        tip = await ada.commit(tip);
        const startedAt = performance.now();
        // Refs of their own, so that a loser of races is never to blame himself.
        await ada.land(deviceFor(index).url(repository), `${tip}:refs/heads/branch-${index}`);
        longest = Math.max(longest, performance.now() - startedAt);
      }
      return Math.round(longest);
    }),
  );
  expect(await expectAtRest(cluster, repository)).toMatchObject({ version: 12 * pushes });
  console.log(`the longest push of each, ms: ${slowest.join(", ")}`);
});
