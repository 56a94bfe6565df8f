// `lockstep thaw --all`: one plan for all repositories that wait for an operator, and one yes.
import { setTimeout as delay } from "node:timers/promises";
import { expect, it, vi } from "vitest";
import { administer } from "../support/administer.ts";
import { type Device, ended, PATIENCE } from "../support/cluster-device.ts";
import { ada, cluster, one, startClusterOfFile, three, two } from "../support/file-cluster.ts";
import { loseWrites } from "../support/lose-writes.ts";
import { soon } from "../support/soon.ts";

const SOON = soon(100);

startClusterOfFile({ revive: true });

const versionAt = async (device: Device, repository: string): Promise<number> =>
  (await device.lockstep("repo", "show", repository)).document.version;

const endLease = async (device: Device) =>
  await administer(cluster.databaseUrl, (client) =>
    client.query("update lockstep.device set expires_at = clock_timestamp() where name = $1", [device.name]),
  );

/** Repositories with one version on all devices. */
async function repositoriesAtOne(count: number): Promise<string[]> {
  const names: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const repository = await cluster.createRepository();
    await ada.land(one.url(repository), `${await ada.commit()}:refs/heads/main`);
    for (const device of [two, three]) await device.call("BeforeRead", { repository }, PATIENCE);
    names.push(repository);
  }
  return names.sort();
}

/**
 * Lands a second version of these repositories that only the first device has, and one of `shared` that the third has
 * too. Then the first and the third device are away.
 */
async function leadersGone(repositories: readonly string[], shared: string): Promise<void> {
  await two.kill();
  await ada.land(one.url(shared), `${await ada.commit()}:refs/heads/next`);
  await three.call("BeforeRead", { repository: shared }, PATIENCE);
  await three.kill();
  for (const repository of repositories) await ada.land(one.url(repository), `${await ada.commit()}:refs/heads/next`);
  await one.kill();
  for (const device of [one, three]) await endLease(device);
}

it("gives up what only a lost device has, of all repositories concerned and no other, and goes on after a kill", async () => {
  const [shared, untouched, ...concerned] = (await repositoriesAtOne(5)) as [string, string, ...string[]];
  await leadersGone(concerned, shared);
  await two.start();
  const early = await two.lockstep("thaw", "--all", "--demote", "repo001", "--yes");
  expect(early).toMatchObject({
    code: 1,
    document: { error: { code: "THAW_REFUSED", message: expect.stringContaining("repo003") } },
  });
  expect(await Promise.all(concerned.map((each) => versionAt(two, each)))).toEqual([2, 2, 2]);
  await three.start();

  const planned = await two.lockstep("thaw", "--all", "--demote", "repo001");
  expect(planned.code).toBe(3);
  expect(planned.document.repositories).toMatchObject(
    concerned.map((name) => ({ name, done: false, head: 2, version: 3 })),
  );
  const asked = await two.print("thaw", "--all", "--demote", "repo001");
  expect(asked.stderr.match(/--yes/g)).toHaveLength(1);
  for (const name of concerned) expect(asked.stdout).toContain(`${name}: version 3 would follow version 2`);

  // Killed as soon as one of them is decided.
  const killed = two.command(["thaw", "--all", "--demote", "repo001", "--yes"]);
  const over = ended(killed);
  const isDecided = async () => (await versionAt(three, concerned[0]!)) === 3;
  while (killed.exitCode === null && !(await isDecided())) await delay(5);
  killed.kill("SIGKILL");
  await over;
  const again = await two.lockstep("thaw", "--all", "--demote", "repo001", "--yes");
  expect(again.code).toBe(0);
  expect(await Promise.all(concerned.map((each) => versionAt(two, each)))).toEqual([3, 3, 3]);
  expect(await versionAt(two, untouched)).toBe(1);
  expect((await two.lockstep("thaw", "--all", "--demote", "repo001", "--yes")).document).toEqual({
    repositories: [],
  });
  await one.start();
  for (const repository of [untouched, ...concerned]) await one.call("BeforeRead", { repository }, PATIENCE);
});

it("keeps the refs of one disk, of all repositories of which the database lost writes and no other", async () => {
  const [untouched, ...concerned] = (await repositoriesAtOne(3)) as [string, ...string[]];
  for (const repository of concerned) await ada.land(one.url(repository), `${await ada.commit()}:refs/heads/next`);
  for (const device of [two, three])
    for (const repository of concerned) await device.call("BeforeRead", { repository }, PATIENCE);
  for (const device of cluster.devices) await device.kill();
  const database = {
    sql: async <Row>(text: string, values: unknown[] = []) =>
      await administer(cluster.databaseUrl, async (client) => (await client.query(text, values)).rows as Row[]),
  };
  for (const repository of concerned) await loseWrites(database, repository, 1n);
  await one.start();
  await two.start();
  const isStopped = async (repository: string) =>
    (await one.call("GetRepository", { repository }, PATIENCE)).repository?.stopped !== "";
  for (const repository of concerned)
    await vi.waitFor(async () => expect(await isStopped(repository)).toBe(true), SOON);

  await endLease(three);
  expect(await one.lockstep("thaw", "--all", "--promote", "repo001", "--yes")).toMatchObject({
    code: 1,
    document: { error: { code: "THAW_REFUSED", message: expect.stringContaining("repo003") } },
  });
  await three.start();
  expect(await two.lockstep("thaw", "--all", "--promote", "repo001", "--yes")).toMatchObject({
    code: 1,
    document: { error: { code: "THAW_REFUSED", message: expect.stringContaining("beside its sidecar") } },
  });
  const planned = await one.lockstep("thaw", "--all", "--promote", "repo001");
  expect(planned.code).toBe(3);
  expect(planned.document.repositories).toMatchObject(concerned.map((name) => ({ name, done: false })));
  // Half of the plan was carried out when somebody ended the command.
  expect(await one.lockstep("thaw", concerned[0]!, "--promote", "repo001", "--yes")).toMatchObject({ code: 0 });
  const done = await one.lockstep("thaw", "--all", "--promote", "repo001", "--yes");
  expect(done.code).toBe(0);
  expect(done.document.repositories).toMatchObject([{ name: concerned[1], done: true }]);
  for (const repository of concerned) {
    expect(await isStopped(repository)).toBe(false);
    for (const device of cluster.devices)
      expect(await cluster.git.git(["ls-remote", device.url(repository)])).toContain("refs/heads/next");
  }
  expect(await versionAt(one, untouched)).toBe(1);
});
