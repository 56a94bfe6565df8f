// Directories that are moved into the roots of a running cluster are adopted by the command line.
import { chmod, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { administer } from "../support/administer.ts";
import { expectAtRest, expectVerified } from "../support/at-rest.ts";
import { type Device, ended, PATIENCE } from "../support/cluster-device.ts";
import { ada, cluster, one, startClusterOfFile, three, two } from "../support/file-cluster.ts";
import { plainCommit, plainGit, plainRepository } from "../support/plain-repository.ts";
import { soon } from "../support/soon.ts";

const SOON = soon(100);

startClusterOfFile();

const unknown = async () => (await one.lockstep("status")).document.unknown;
/** Resolves when the status has `count` directories of this name. It asks by RPC: a command line starts Node each time. */
const untilListed = async (repository: string, count: number) =>
  await vi.waitFor(async () => {
    const { unknown } = await one.call("GetStatus", {}, PATIENCE);
    expect(unknown.filter((each) => each.repository === repository)).toHaveLength(count);
  }, SOON);
const heads = async (device: Device, name: string) =>
  await cluster.git.git(["ls-remote", device.url(name), "refs/heads/*"]);

describe("lockstep repo adopt", () => {
  it("takes in a directory that `status` lists, on every device, and pushes go on", async () => {
    const path = two.gitDir("moved/in");
    const { main } = await plainRepository(path, ["main", "topic"]);
    await untilListed("moved/in", 1);
    expect(await unknown()).toContainEqual({ device: "repo002", path, repository: "moved/in", version: null });
    const { stdout } = await one.print("status");
    expect(stdout).toContain(path);
    expect(stdout).toContain("lockstep repo adopt NAME");
    expect((await two.lockstep("repo", "create", "moved/in")).document.error.code).toBe("DIRECTORY_EXISTS");
    const elsewhere = await one.lockstep("repo", "adopt", "moved/in");
    expect(elsewhere).toMatchObject({
      code: 1,
      document: { adopted: [], refused: [{ repository: "moved/in", differences: [] }] },
    });
    expect(elsewhere.document.refused[0].reason).toContain("run this on a device that has the directory");
    expect(await two.lockstep("repo", "adopt", "moved/in", "--dry-run")).toMatchObject({
      code: 0,
      document: { adopted: [{ repository: "moved/in", version: 1, devices: ["repo002"] }], refused: [] },
    });
    expect(await readdir(path)).not.toContain("lockstep.config");
    expect(await two.lockstep("repo", "adopt", "moved/in")).toEqual({
      code: 0,
      document: {
        adopted: [{ repository: "moved/in", version: 1, devices: ["repo002"], notes: [] }],
        refused: [],
      },
      stderr: "",
    });
    expect(await unknown()).toEqual([]);
    for (const device of cluster.devices) expect(await heads(device, "moved/in")).toContain(`${main}\trefs/heads/main`);
    await ada.land(three.url("moved/in"), `${await ada.commit()}:refs/heads/next`);
    const { version, refs } = await expectAtRest(cluster, "moved/in");
    expect(version).toBe(2);
    expect([...refs.keys()]).toEqual(
      expect.arrayContaining(["refs/heads/main", "refs/heads/topic", "refs/heads/next"]),
    );
    const { document } = await one.lockstep("command", "list");
    expect(document.commands).toContainEqual(
      expect.objectContaining({ command: "adopt", repository: "moved/in", device: "repo002", state: "done" }),
    );
  });

  it("takes in all directories, names what it refuses, and is idempotent", async () => {
    for (let index = 0; index < 30; index += 1) await plainRepository(one.gitDir(`all/${index}`));
    await plainRepository(one.gitDir("all/bad"));
    await writeFile(join(one.gitDir("all/bad"), "shallow"), "");
    const { code, document } = await one.lockstep("repo", "adopt", "--all");
    expect(code).toBe(1);
    expect(document.adopted).toHaveLength(30);
    expect(document.refused).toEqual([
      { repository: "all/bad", reason: expect.stringContaining("shallow clone"), differences: [] },
    ]);
    const again = await one.lockstep("repo", "adopt", "--all");
    expect(again.document).toEqual({ adopted: [], refused: document.refused });
    expect(await one.print("repo", "adopt", "all/bad")).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^Refused all\/bad: .*git fetch --unshallow/),
    });
    expect(await one.print("repo", "adopt")).toMatchObject({ code: 2 });
    for (const index of [0, 29]) await expectAtRest(cluster, `all/${index}`);
  });

  it("asks whose refs stay where devices differ, and the chosen device adopts", async () => {
    const { main } = await plainRepository(one.gitDir("differ"));
    await plainRepository(two.gitDir("differ"));
    const other = await plainCommit(two.gitDir("differ"), "other", [main!]);
    await plainGit(two.gitDir("differ"), ["update-ref", "refs/heads/main", other]);
    const refused = await one.lockstep("repo", "adopt", "differ");
    expect(refused).toMatchObject({ code: 1, document: { adopted: [] } });
    expect(refused.document.refused).toEqual([
      {
        repository: "differ",
        reason: expect.stringContaining("--from DEVICE"),
        differences: [{ ref: "refs/heads/main", values: { repo001: main, repo002: other } }],
      },
    ]);
    expect(await one.lockstep("repo", "adopt", "differ", "--from", "repo002")).toMatchObject({
      code: 0,
      document: { adopted: [{ repository: "differ", version: 1, devices: ["repo001", "repo002"] }] },
    });
    for (const device of cluster.devices) expect(await heads(device, "differ")).toContain(other);
    await expectAtRest(cluster, "differ");
  });

  it("loses no push of plain git that began before", async () => {
    const path = one.gitDir("late");
    await plainRepository(path);
    const gate = join(cluster.git.dir, "gate");
    const hook = join(path, "hooks", "pre-receive");
    await writeFile(hook, `#!/bin/sh\n: >'${gate}.reached'\nwhile ! test -e '${gate}'; do sleep 0.05; done\n`);
    await chmod(hook, 0o755);
    const commit = await ada.commit();
    const push = cluster.git.start(["push", path, `${commit}:refs/heads/slow`], { cwd: ada.dir });
    const pushed = ended(push);
    await vi.waitFor(async () => expect(await readdir(dirname(gate))).toContain("gate.reached"), SOON);
    expect(await one.lockstep("repo", "adopt", "late")).toMatchObject({ code: 0 });
    await writeFile(gate, "");
    expect(await pushed).toMatchObject({ code: 0 });
    await vi.waitFor(async () => expect(await heads(three, "late")).toContain(`${commit}\trefs/heads/slow`), SOON);
    await expectAtRest(cluster, "late");
  });

  it("takes back a repository that an older backup of the database has forgotten", async () => {
    const repository = await cluster.createRepository();
    const commit = await ada.commit();
    await ada.land(one.url(repository), `${commit}:refs/heads/main`);
    await expectAtRest(cluster, repository);
    await Promise.all(cluster.devices.map((device) => device.kill()));
    await administer(cluster.databaseUrl, (client) =>
      client.query("delete from lockstep.repository where name = $1", [repository]),
    );
    await Promise.all(cluster.devices.map((device) => device.start()));
    await untilListed(repository, 3);
    await vi.waitFor(
      async () =>
        expect((await unknown()).filter((each: { repository: string }) => each.repository === repository)).toEqual(
          cluster.devices.map(({ name }, index) => ({
            device: name,
            path: cluster.devices[index]!.gitDir(repository),
            repository,
            version: 1,
          })),
        ),
      SOON,
    );
    expect((await one.lockstep("repo", "create", repository)).document.error.code).toBe("DIRECTORY_EXISTS");
    expect(await two.lockstep("repo", "adopt", repository)).toMatchObject({
      code: 0,
      document: { adopted: [{ repository, version: 2, devices: ["repo001", "repo002", "repo003"] }] },
    });
    for (const device of cluster.devices) expect(await heads(device, repository)).toContain(commit);
    await ada.land(three.url(repository), `${await ada.commit()}:refs/heads/next`);
    for (const device of cluster.devices) expect(await expectVerified(device, repository)).toEqual({ version: 3 });
  });
});
