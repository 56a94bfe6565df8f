// A repository, and chains of commits that may be cut off.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { expectAtRest } from "./at-rest.ts";
import { PATIENCE } from "./cluster-device.ts";
import { ada, cluster, one } from "./file-cluster.ts";

/** A chain of commits in the pusher's repository, the oldest first. */
export async function chain(length: number): Promise<string[]> {
  const made: string[] = [];
  for (let index = 0; index < length; index += 1) made.push(await ada.commit(made.at(-1)));
  return made;
}

export async function begin(): Promise<{ repository: string; base: string }> {
  const repository = await cluster.createRepository();
  const base = await ada.commit();
  await ada.land(one.url(repository), `${base}:refs/heads/main`);
  return { repository, base };
}

export async function expectEverybodyReads(repository: string): Promise<void> {
  for (const device of cluster.devices) {
    const clone = join(cluster.git.dir, `read-${repository.replaceAll("/", "-")}-${device.name}-${Date.now()}`);
    await cluster.git.git(["clone", "--quiet", "--mirror", device.url(repository), clone]);
    expect(await cluster.git.git(["rev-parse", "--is-shallow-repository"], { cwd: clone })).toBe("false");
    expect(await readdir(device.gitDir(repository))).not.toContain("shallow");
    const verified = await device.call("VerifyReplica", { repository, full: true }, PATIENCE);
    expect(verified).toMatchObject({ differences: [], damage: [] });
  }
  await expectAtRest(cluster, repository);
}
