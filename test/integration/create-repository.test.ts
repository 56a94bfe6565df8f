// A repository that is created hides nothing that lies on a disk.
import { mkdir, readdir } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { scanRoot } from "../../src/sync/adopt/scan-root.ts";
import { createRepository } from "../../src/sync/operator/create-repository.ts";
import { plainGit, plainRepository } from "../support/plain-repository.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, type TestDevice } from "../support/sync-device.ts";

const APP = "team/app";

const create = (on: TestDevice, devices: readonly string[] = []) =>
  createRepository(
    on.context,
    { repository: APP, devices, defaultBranch: "", objectFormat: "", minCopies: 0 },
    on.context.signal,
  );

describe("a new repository", () => {
  it("is refused where another live device has a directory that no scan has seen", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = [await cluster.start("repo001"), await cluster.start("repo002")];
    await plainRepository(b.gitDir(APP));
    await expect(create(a, ["repo001"])).rejects.toMatchObject({
      code: "DIRECTORY_EXISTS",
      details: { device: "repo002", path: b.gitDir(APP) },
    });
    expect(await cluster.sql("select name from lockstep.repository")).toEqual([]);
  });

  it("is refused by the last scan of a device that does not answer, and made where that scan saw nothing", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = [await cluster.start("repo001"), await cluster.start("repo002")];
    await plainRepository(b.gitDir(APP));
    cluster.devices.delete("repo002");
    await using _ = { [Symbol.asyncDispose]: () => b.stop() };
    await scanRoot(b.context);
    await expect(create(a, ["repo001"])).rejects.toMatchObject({ code: "DIRECTORY_EXISTS" });
    await cluster.sql("delete from lockstep.unknown_directory");
    await create(a, ["repo001"]);
    expect(await a.refs(APP)).toEqual({ HEAD: "ref: refs/heads/main" });
  });

  it("makes the replica broken on a device where a directory appears too late to be asked for", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = [await cluster.start("repo001"), await cluster.start("repo002")];
    await cluster.create(APP, [a]);
    const { main } = await plainRepository(b.gitDir(APP));
    await cluster.addReplica(APP, b);
    await expect(b.read(APP)).rejects.toMatchObject({
      code: "NOT_A_REPOSITORY",
      message: expect.stringMatching(/^Device repo002 has .*team\/app\.git, .*`lockstep repo adopt team\/app`/),
    });
    expect(await plainGit(b.gitDir(APP), ["rev-parse", "refs/heads/main"])).toBe(main);
    expect(await readdir(b.gitDir(APP))).not.toContain("lockstep.config");
    const [row] = await cluster.sql<{ state: string; last_error: string }>(
      "select state, last_error from lockstep.replica where device = 'repo002'",
    );
    expect(row).toMatchObject({ state: "broken", last_error: expect.stringContaining(b.gitDir(APP)) });
  });

  it("never moves aside a replica that the database has forgotten", async () => {
    await using cluster = await TestCluster.make();
    const a = await cluster.start("repo001");
    await cluster.create(APP, [a]);
    const commit = await a.commit(APP, "acknowledged");
    await a.push(APP, [change("main", null, commit)]);
    await a.stop();
    // What a restored backup does.
    await cluster.sql("delete from lockstep.repository");
    const again = await a.restart();
    await expect(create(again)).rejects.toMatchObject({ code: "DIRECTORY_EXISTS" });
    // The rows come from another device, which was not asked.
    await cluster.sql(
      `insert into lockstep.repository (id, name, object_format, digest_key, head_digest)
       values (gen_random_uuid(), $1, 'sha1', 'k', '\\x${"00".repeat(32)}')`,
      [APP],
    );
    await cluster.addReplica(APP, again);
    await expect(again.read(APP)).rejects.toMatchObject({ code: "NOT_A_REPOSITORY" });
    expect(await again.refs(APP)).toMatchObject({ "refs/heads/main": commit });
  });

  it("is refused where an empty directory lies", async () => {
    await using cluster = await TestCluster.make();
    const a = await cluster.start("repo001");
    await mkdir(a.gitDir(APP), { recursive: true });
    await expect(create(a)).rejects.toMatchObject({
      code: "DIRECTORY_EXISTS",
      message: expect.stringContaining("rmdir"),
    });
  });

  it("is made once when two calls create it at once, and the other call is told that it exists", async () => {
    await using cluster = await TestCluster.make();
    const a = await cluster.start("repo001");
    const [first, second] = await Promise.allSettled([create(a), create(a)]);
    const refused = [first, second].filter((each) => each.status === "rejected");
    expect(refused).toHaveLength(1);
    expect(refused[0]).toMatchObject({ reason: { code: "REPOSITORY_EXISTS" } });
    await expect(create(a)).rejects.toMatchObject({ code: "REPOSITORY_EXISTS" });
  });
});
