// Damage on the disk of a device: a git that fails at the gate starts a verification, which repairs the replica, and the
// result is shown.
import { chmod, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { PATIENCE } from "../support/cluster-device.ts";
import { EXIT } from "../support/command-line.ts";
import { ada, cluster, one, startClusterOfFile } from "../support/file-cluster.ts";
import { SOON } from "../support/soon.ts";

startClusterOfFile();

/** Overwrites the objects of every pack of the replica, and leaves the heads of the files. */
async function damagePacks(repository: string): Promise<void> {
  const directory = join(one.gitDir(repository), "objects", "pack");
  const packs = (await readdir(directory)).filter((file) => file.endsWith(".pack"));
  for (const pack of packs) {
    const content = await readFile(join(directory, pack));
    await chmod(join(directory, pack), 0o644);
    await writeFile(join(directory, pack), content.fill(0x55, 20, content.length - 20));
  }
}

async function repositoryWithHistory(): Promise<string> {
  const repository = await cluster.createRepository();
  expect((await ada.push(one.url(repository), `${await ada.commit()}:refs/heads/main`)).code).toBe(0);
  // Every device has the objects, and so can repair the others.
  for (const device of cluster.devices)
    expect((await cluster.git.run(["ls-remote", device.url(repository)])).code).toBe(0);
  return repository;
}

const clone = async (repository: string, name: string) =>
  await cluster.git.run(["clone", "-q", "--bare", one.url(repository), join(cluster.dir, `${repository}-${name}`)]);

describe("a damaged replica", () => {
  it("is verified and repaired when a clone fails because of it, and status tells of it", async () => {
    const repository = await repositoryWithHistory();
    await damagePacks(repository);
    expect((await clone(repository, "damaged")).code).not.toBe(0);
    await vi.waitFor(async () => {
      const { commands } = await one.call("ListCommands", { repository }, PATIENCE);
      expect(commands.filter(({ command }) => command === "verify")).toMatchObject([
        {
          command: "verify",
          state: "COMMAND_STATE_DONE",
          device: one.name,
          author: one.name,
          reason: expect.stringMatching(/^git failed: /),
        },
      ]);
    }, SOON);
    expect((await clone(repository, "repaired")).code).toBe(0);
    const { document: status } = await one.lockstep("status");
    const found = status.scrubs.filter((each: { repository: string }) => each.repository === repository);
    expect(found).toMatchObject([{ device: one.name, failure: null, overdue: false }]);
    expect(found[0].damage.join()).toContain("pack-");
    expect((await one.print("status")).stdout).toContain("repaired");
    const { code } = await one.lockstep("verify", repository, "--full");
    expect(code).toBe(EXIT.OK);
    const { document: shown } = await one.lockstep("repo", "show", repository);
    const replica = shown.replicas.find(({ device }: { device: string }) => device === one.name);
    expect(replica).toMatchObject({ scrub: { differences: 0, damage: [], failure: null } });
    expect(replica.scrubbed_at).toMatch(/^20/);
    expect((await one.lockstep("status")).document.scrubs).toEqual([]);
  });
});
