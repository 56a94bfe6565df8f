import { mkdir, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { PATIENCE } from "../support/cluster-device.ts";
import { ada, cluster, one, startClusterOfFile, three, two } from "../support/file-cluster.ts";
import { soon } from "../support/soon.ts";

startClusterOfFile();

const SOON = soon(100);
const shown = async (repository: string) => (await two.lockstep("repo", "show", repository)).document;

describe("something else where a replica should be", () => {
  const places: [string, string, (gitDir: string) => Promise<unknown>, RegExp][] = [
    ["a directory", "dir", (path) => mkdir(join(path, "precious"), { recursive: true }), /is not a git repository/],
    ["a file", "file", (path) => writeFile(path, "precious"), /is not a git repository/],
    [
      "somebody's repository",
      "foreign",
      (path) => cluster.git.git(["init", "--quiet", "--bare", path]),
      /is not a replica made by Lockstep/,
    ],
    ["a link to nowhere", "link", (path) => symlink("/no/such", path), /is not a git repository/],
    ["a link out of the root", "out", (path) => symlink(cluster.git.dir, path), /is not a git repository/],
    ["a file on the way", "way/app", (path) => writeFile(dirname(path), "precious"), /The sidecar cannot reach/],
  ];
  // A device that is down is not asked, so the repositories are created without it. Each creation waits ten seconds for
  // it, so they are created at once.
  beforeAll(async () => {
    await one.kill();
    const names = cluster.devices.map(({ name }) => name).join(",");
    const create = async ([, place, put]: (typeof places)[number]) => {
      await put(one.gitDir(`occupied-${place}`));
      const created = await two.lockstep("repo", "create", `occupied-${place}`, "--devices", names);
      expect(created).toMatchObject({ code: 0 });
    };
    await Promise.all(places.map(create));
    await one.start();
  });

  it.each(places)("is told of, left alone, and no matter elsewhere: %s", async (_, place, __, sentence) => {
    const repository = `occupied-${place}`;
    const gitDir = one.gitDir(repository);
    const state = async () =>
      (await two.call("GetRepository", { repository }, PATIENCE)).replicas.find(({ device }) => device === one.name);
    await vi.waitUntil(async () => (await state())?.state !== "REPLICA_STATE_PENDING", SOON);
    const lastError = expect.stringMatching(new RegExp(`^[^\\n]*${sentence.source}[^\\n]*\\.$`));
    expect(await shown(repository)).toMatchObject({
      replicas: [{ state: "broken", last_error: lastError }, { state: "active" }, { state: "active" }],
    });
    for (const args of [["sync"], ["verify"]]) {
      const refused = await one.lockstep(...args, repository);
      expect(refused).toMatchObject({ code: 1, document: { error: { code: "NOT_A_REPOSITORY", message: lastError } } });
    }
    expect((await shown(repository)).replicas[0].last_error).toEqual(lastError);
    await expect(one.call("BeforeRead", { repository }, PATIENCE)).rejects.toThrow(sentence);
    // Strangers are not told what lies on the disk.
    const hidden = expect.stringContaining("The server failed; tell its operator.");
    const read = await cluster.git.run(["ls-remote", one.url(repository)]);
    expect(read).toMatchObject({ code: 128, stderr: hidden });
    const first = await ada.commit();
    const pushed = await ada.push(one.url(repository), `${first}:refs/heads/main`);
    expect(pushed).toMatchObject({ code: 128, stderr: hidden });

    await ada.land(two.url(repository), `${first}:refs/heads/main`);
    expect(await cluster.git.git(["ls-remote", three.url(repository), "refs/heads/main"])).toContain(first);

    // Moved away, as the sentence says. It is as it was.
    const inTheWay = place.includes("/") ? dirname(gitDir) : gitDir;
    const aside = join(cluster.git.dir, `aside-${place.replace("/", "-")}`);
    await rename(inTheWay, aside);
    expect(await one.lockstep("sync", repository)).toMatchObject({ code: 0, document: { version: 1 } });
    expect(await cluster.git.git(["ls-remote", one.url(repository), "refs/heads/main"])).toContain(first);
    if (place === "dir") expect(await readdir(aside)).toEqual(["precious"]);
    if (place === "foreign") expect(await readdir(aside)).not.toContain("lockstep.config");
    await rm(aside, { recursive: true });
  });
});

describe("a repository is not created where", () => {
  it.each<[string, string, (path: string) => Promise<unknown>]>([
    ["the device itself has a repository", "own", (path) => cluster.git.git(["init", "--quiet", "--bare", path])],
    ["the device itself has an empty directory", "own-empty", (path) => mkdir(path)],
    ["another device has a repository", "else", (path) => cluster.git.git(["init", "--quiet", "--bare", path])],
    ["another device has a link", "else-link", (path) => symlink("/no/such", path)],
  ])("%s, and nothing is touched", async (_, repository, put) => {
    const holder = repository.startsWith("own") ? two : three;
    const path = holder.gitDir(repository);
    await put(path);
    const before = await readdir(path).catch(() => "no directory");
    const refused = await two.lockstep("repo", "create", repository);
    expect(refused).toMatchObject({
      code: 1,
      document: { error: { code: "DIRECTORY_EXISTS", details: { device: holder.name, path } } },
    });
    const { message } = refused.document.error;
    for (const named of [holder.name, path, `lockstep repo adopt ${repository}`]) expect(message).toContain(named);
    expect(await readdir(path).catch(() => "no directory")).toEqual(before);
    expect((await two.lockstep("repo", "show", repository)).document.error.code).toBe("REPOSITORY_NOT_FOUND");
    // Moved away, it can be created.
    await rename(path, join(cluster.git.dir, `moved-${repository}`));
    expect(await two.lockstep("repo", "create", repository)).toMatchObject({ code: 0 });
    expect((await two.lockstep("repo", "create", repository)).document.error.code).toBe("REPOSITORY_EXISTS");
  });
});
