import { access, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { administer } from "../support/administer.ts";
import {
  ada,
  at,
  cluster,
  one,
  repositoryAt,
  startOperatedClusterOfFile,
  three,
} from "../support/file-operated-cluster.ts";
import { collect } from "../support/operators.ts";
import type { Message } from "../support/stranger.ts";

/** As lockstep/v1/sync.proto has it. */
const STATE = { ACTIVE: 2 };

startOperatedClusterOfFile();

const names = (updates: Message[]) => updates.map(({ name }: Message) => name.toString());

describe("CreateRepository", () => {
  it("makes a replica on every device, with HEAD on the branch that was asked for", async () => {
    const { repository } = await at.two.call("CreateRepository", { repository: "made/trunk", defaultBranch: "trunk" });
    expect(repository).toEqual({ name: "made/trunk", headVersion: 0, objectFormat: "sha1" });
    for (const device of cluster.devices) {
      const head = await cluster.git.git(["-c", "safe.directory=*", "symbolic-ref", "HEAD"], {
        cwd: device.gitDir("made/trunk"),
      });
      expect(head).toBe("refs/heads/trunk");
    }
    const again = await at.one.refusal("CreateRepository", { repository: "made/trunk" });
    expect(again).toMatchObject({ code: "ALREADY_EXISTS", reason: "REPOSITORY_EXISTS" });
  });

  it("makes replicas only where it is told to, and the others say so", async () => {
    await at.one.call("CreateRepository", { repository: "made/two", devices: ["repo003", "repo001"] });
    const { replicas } = await at.two.call("GetRepository", { repository: "made/two" });
    expect(replicas.map(({ device }: Message) => device)).toEqual(["repo001", "repo003"]);
    for (const method of ["GetVersion", "BeforeRead", "VerifyReplica"]) {
      expect(await at.two.refusal(method, { repository: "made/two" })).toMatchObject({
        code: "NOT_FOUND",
        reason: "REPLICA_NOT_FOUND",
        metadata: { device: "repo002" },
      });
    }
  });

  it("makes one with SHA-256 objects that can be pushed to and read elsewhere", async () => {
    const repository = "made/sha256";
    const made = await at.one.call("CreateRepository", { repository, objectFormat: "sha256" });
    expect(made.repository.objectFormat).toBe("sha256");
    const { dir, git } = cluster.git;
    await git(["init", "--quiet", "--initial-branch=main", "--object-format=sha256", "tree"]);
    const tip = await cluster.git.commit(`${dir}/tree`, "first", { file: "content" });
    expect(tip).toHaveLength(64);
    await git(["push", "--quiet", one.url(repository), "main"], { cwd: `${dir}/tree` });
    expect(await git(["ls-remote", three.url(repository), "refs/heads/main"])).toContain(tip);
  });

  it.each([
    [{ devices: ["repo009"] }, "NOT_FOUND", "DEVICE_NOT_FOUND"],
    [{ devices: ["repo001", "repo009"] }, "NOT_FOUND", "DEVICE_NOT_FOUND"],
    [{ devices: [""] }, "INVALID_ARGUMENT", "INVALID_NAME"],
    [{ defaultBranch: "-main" }, "INVALID_ARGUMENT", "INVALID_REQUEST"],
    [{ defaultBranch: "a..b" }, "INVALID_ARGUMENT", "INVALID_REQUEST"],
    [{ defaultBranch: "a\nb" }, "INVALID_ARGUMENT", "INVALID_REQUEST"],
    [{ objectFormat: "md5" }, "INVALID_ARGUMENT", "INVALID_REQUEST"],
  ])("refuses %j and makes nothing", async (request, code, reason) => {
    const refused = await at.one.refusal("CreateRepository", { repository: "made/not", ...request });
    expect(refused).toMatchObject({ code, reason });
    expect(await at.one.refusal("GetRepository", { repository: "made/not" })).toMatchObject({ code: "NOT_FOUND" });
    for (const device of cluster.devices) await expect(access(device.gitDir("made/not"))).rejects.toThrow("ENOENT");
  });
});

describe("ListRepositories", () => {
  it("gives all names in order, with each size of the page", async () => {
    for (const name of ["list/a", "list/b", "list/c"]) await at.one.call("CreateRepository", { repository: name });
    const whole = (await at.one.call("ListRepositories")).repositories.map(({ name }: Message) => name);
    expect(whole).toEqual([...whole].sort());
    expect(whole).toEqual(expect.arrayContaining(["demo", "list/a", "list/b", "list/c"]));
    for (const limit of [1, 2]) {
      const found: string[] = [];
      for (;;) {
        const page = await at.two.call("ListRepositories", { after: found.at(-1) ?? "", limit });
        if (page.repositories.length === 0) break;
        expect(page.repositories.length).toBeLessThanOrEqual(limit);
        found.push(...page.repositories.map(({ name }: Message) => name));
      }
      expect(found).toEqual(whole);
    }
    expect(await at.one.call("ListRepositories", { limit: 4_294_967_295 })).toMatchObject({
      repositories: { length: whole.length },
    });
  });
});

describe("GetRepository", () => {
  it("shows every replica with its version, state and device", async () => {
    const { repository } = await repositoryAt(1);
    await expect
      .poll(async () => (await at.one.call("GetRepository", { repository })).replicas)
      .toEqual(
        cluster.devices.map(({ name }) => ({
          device: name,
          version: 1,
          state: STATE.ACTIVE,
          leader: true,
          live: true,
          lastError: "",
          updatedAt: expect.objectContaining({ seconds: expect.any(Number) }),
        })),
      );
    const { repository: shown, writer } = await at.one.call("GetRepository", { repository });
    expect({ shown, writer }).toEqual({
      shown: { name: repository, headVersion: 1, objectFormat: "sha1" },
      writer: null,
    });
  });

  it("has the queue for the write turn, and the catch-ups", async () => {
    const { repository } = await repositoryAt(1);
    await at.three.call("BeforeRead", { repository });
    await administer(cluster.databaseUrl, (client) =>
      client.query(
        `insert into lockstep.turn (repository_id, write_id, device, author, reason, since, expires_at)
         select id, gen_random_uuid(), 'repo002', 'bob', 'push', now() - interval '90 seconds', now() + interval '1 hour'
         from lockstep.repository where name = $1`,
        [repository],
      ),
    );
    const { waiters, syncs } = await at.one.call("GetRepository", { repository });
    expect(waiters).toEqual([
      {
        device: "repo002",
        author: "bob",
        reason: "push",
        since: expect.objectContaining({ seconds: expect.any(Number) }),
        waited: expect.objectContaining({ seconds: expect.any(Number) }),
      },
    ]);
    expect(waiters[0].waited.seconds).toBeGreaterThanOrEqual(90);
    expect(syncs.find((sync: Message) => sync.device === "repo003" && sync.version === 1)).toEqual({
      device: "repo003",
      fromDevice: expect.stringMatching(/^repo00[12]$/),
      fromVersion: 0,
      version: 1,
      bytes: expect.any(Number),
      refsChanged: 1,
      duration: expect.objectContaining({ seconds: 0 }),
      error: "",
      at: expect.objectContaining({ seconds: expect.any(Number) }),
    });
  });
});

describe("ListLog", () => {
  it("has the newest first, in pages, with creations and deletions as empty values", async () => {
    const { repository, commits } = await repositoryAt(3);
    await ada.land(three.url(repository), `${commits[0]}:refs/heads/topic`, `${commits[0]}:refs/tags/v1`);
    await ada.land(three.url(repository), ":refs/heads/topic");
    const { entries } = await at.two.call("ListLog", { repository });
    expect(entries.map(({ version }: Message) => version)).toEqual([5, 4, 3, 2, 1]);
    expect(entries[0]).toMatchObject({ device: "repo003", more: 0, updates: [{ oldValue: commits[0], newValue: "" }] });
    expect(names(entries[1].updates)).toEqual(["refs/heads/topic", "refs/tags/v1"]);
    expect(entries[4].updates).toEqual([{ name: Buffer.from("refs/heads/main"), oldValue: "", newValue: commits[0] }]);
    const page = (request: object) =>
      at.one
        .call("ListLog", { repository, ...request })
        .then((answer) => answer.entries.map((e: Message) => e.version));
    expect(await page({ limit: 2 })).toEqual([5, 4]);
    expect(await page({ limit: 2, before: 4 })).toEqual([3, 2]);
    expect(await page({ before: 1 })).toEqual([]);
    expect(await page({ before: "18446744073709551615", limit: 4_294_967_295 })).toEqual([5, 4, 3, 2, 1]);
  });
});

describe("GetStatus", () => {
  it("lists the devices, and the repositories that are not at rest", async () => {
    const { repository } = await repositoryAt(1);
    // A file on the way to the replica's place.
    const foreign = dirname(three.gitDir("status/broken"));
    await writeFile(foreign, "");
    await at.one.call("CreateRepository", { repository: "status/broken" });
    const { devices, repositories } = await at.two.call("GetStatus");
    expect(devices).toMatchObject(
      cluster.devices.map(({ name, demo }) => ({
        name,
        live: true,
        grpcAddress: demo.grpc,
        gitAddress: demo.git.replace("https://", ""),
      })),
    );
    const broken = repositories.find((each: Message) => each.repository === "status/broken");
    expect(broken).toMatchObject({ headVersion: 0, broken: ["repo003"], leaders: ["repo001", "repo002"] });
    await expect
      .poll(async () => (await at.two.call("GetStatus")).repositories.map((each: Message) => each.repository))
      .not.toContain(repository);
    // Moved away, as the error says, it heals.
    await rm(foreign);
    const events = await collect(at.three.stream("FetchFrom", { repository: "status/broken" }));
    expect(events.at(-1).result).toMatchObject({ version: 0 });
    expect(await at.three.call("GetVersion", { repository: "status/broken" })).toMatchObject({ state: STATE.ACTIVE });
  });
});

describe("VerifyReplica", () => {
  it("finds what was written behind its back, and puts it right", async () => {
    const { repository, commits } = await repositoryAt(2);
    expect(await at.two.call("VerifyReplica", { repository })).toEqual({
      device: "repo002",
      version: 2,
      refs: 2,
      differences: [],
      more: 0,
      damage: [],
      failure: "",
    });
    const meddle = (...args: string[]) =>
      cluster.git.git(["-c", "safe.directory=*", ...args], { cwd: cluster.devices[1]!.gitDir(repository) });
    await meddle("update-ref", "refs/heads/main", commits[0]!);
    await meddle("update-ref", "refs/heads/smuggled", commits[1]!);
    const { differences, failure } = await at.two.call("VerifyReplica", { repository });
    expect(failure).toBe("");
    expect(differences).toEqual([
      { name: Buffer.from("refs/heads/main"), onDisk: commits[0], inLog: commits[1] },
      { name: Buffer.from("refs/heads/smuggled"), onDisk: commits[1], inLog: "" },
    ]);
    expect(await meddle("rev-parse", "refs/heads/main")).toBe(commits[1]);
    const full = await at.two.call("VerifyReplica", { repository, full: true });
    expect(full).toMatchObject({ differences: [], damage: [], failure: "" });
  });
});
