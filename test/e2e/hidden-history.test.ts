// A file on one disk hides a part of the history: it is found, and no device rests on it.
import { mkdir, readdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PATIENCE } from "../support/cluster-device.ts";
import { ada, cluster, one, startClusterOfFile } from "../support/file-cluster.ts";
import { chain, expectEverybodyReads } from "../support/shallow-repository.ts";

startClusterOfFile();

describe("a file that hides a part of history on one disk", () => {
  /** A landed history of three commits, the middle one of which is then gone from the disk of one device. */
  async function broken(): Promise<{ repository: string; commits: string[] }> {
    const repository = await cluster.createRepository();
    const commits = await chain(3);
    await ada.land(one.url(repository), `${commits[2]}:refs/heads/main`);
    await Promise.all(cluster.devices.map((device) => device.call("BeforeRead", { repository }, PATIENCE)));
    const git = (args: string[], input = "") =>
      cluster.git.git(["-c", "safe.directory=*", ...args], { cwd: one.gitDir(repository), input });
    const packs = join(one.gitDir(repository), "objects", "pack");
    const all = (await git(["rev-list", "--objects", "--no-object-names", "--all"])).split("\n");
    const made = await git(
      ["pack-objects", "-q", join(packs, "pack")],
      `${all.filter((id) => id !== commits[1]).join("\n")}\n`,
    );
    for (const file of await readdir(packs))
      if (!file.includes(made))
        await rename(join(packs, file), join(cluster.git.dir, `${repository.replaceAll("/", "-")}-${file}`));
    return { repository, commits };
  }

  const hide: Record<string, (gitDir: string, commits: string[]) => Promise<unknown>> = {
    shallow: (gitDir, [, , tip]) => writeFile(join(gitDir, "shallow"), `${tip}\n`),
    "info/grafts": async (gitDir, [, , tip]) => {
      await mkdir(join(gitDir, "info"), { recursive: true });
      await writeFile(join(gitDir, "info/grafts"), `${tip}\n`);
    },
  };

  it.each(Object.keys(hide))(
    "is found by verify --full, with what it hid, and both are put right: %s",
    async (name) => {
      const { repository, commits } = await broken();
      await hide[name]!(one.gitDir(repository), commits);
      const found = await one.call("VerifyReplica", { repository, full: true }, PATIENCE);
      expect(found).toMatchObject({ differences: [], damage: ["incomplete", name], failure: "" });
      await expectEverybodyReads(repository);
    },
  );

  it.each(Object.keys(hide))("is set aside before the first read after a restart: %s", async (name) => {
    const repository = await cluster.createRepository();
    const commits = await chain(3);
    await ada.land(one.url(repository), `${commits[2]}:refs/heads/main`);
    await one.kill();
    await hide[name]!(one.gitDir(repository), commits);
    await one.start();
    const clone = join(cluster.git.dir, `after-${name.replace("/", "-")}`);
    await cluster.git.git(["clone", "--quiet", "--bare", one.url(repository), clone]);
    expect(await cluster.git.git(["rev-list", "--count", "main"], { cwd: clone })).toBe("3");
    await expectEverybodyReads(repository);
  });

  it("is followed by no git of the gate, whether it came before or after its start", async () => {
    const repository = await cluster.createRepository();
    const commits = await chain(3);
    await ada.land(one.url(repository), `${commits[2]}:refs/heads/main`);
    for (const name of Object.keys(hide)) await hide[name]!(one.gitDir(repository), commits);
    const clone = join(cluster.git.dir, "beside");
    await cluster.git.git(["clone", "--quiet", "--bare", one.url(repository), clone]);
    expect(await cluster.git.git(["rev-list", "--count", "main"], { cwd: clone })).toBe("3");
    await one.call("VerifyReplica", { repository, full: true }, PATIENCE);
    await expectEverybodyReads(repository);
  });

  it("does not make a replica rest on objects of another directory", async () => {
    const { repository } = await broken();
    const elsewhere = join(cluster.git.dir, `${repository.replaceAll("/", "-")}-elsewhere.git`);
    await cluster.git.git(["clone", "--quiet", "--mirror", cluster.devices[1]!.url(repository), elsewhere]);
    await mkdir(join(one.gitDir(repository), "objects/info"), { recursive: true });
    await writeFile(join(one.gitDir(repository), "objects/info/alternates"), `${elsewhere}/objects\n`);
    for (const command of [["ls-remote"], ["push", "--all"]]) {
      const refused = await cluster.git.run([...command, one.url(repository)], { cwd: ada.dir });
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toContain("The server failed; tell its operator.");
    }
    const found = await one.call("VerifyReplica", { repository, full: true }, PATIENCE);
    expect(found).toMatchObject({ differences: [], damage: ["objects/info/alternates", "incomplete"], failure: "" });
    await rename(elsewhere, `${elsewhere}.gone`);
    await expectEverybodyReads(repository);
  });
});
