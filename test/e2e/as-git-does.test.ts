// The same push, from the same repository, into a plain bare repository and into a replica: the same report, and the same refs afterwards.
import { beforeAll, describe, expect, it } from "vitest";
import { CASES } from "../support/as-git-does-cases.ts";
import { expectAtRest } from "../support/at-rest.ts";
import { PATIENCE } from "../support/cluster-device.ts";
import { ada, cluster, one, startClusterOfFile } from "../support/file-cluster.ts";

let first: string;
let second: string;
startClusterOfFile();
beforeAll(async () => {
  first = await ada.commit();
  second = await ada.commit(first);
});

let count = 0;

/**
 * A plain repository and one of the cluster, both with these refs (names below refs/), all at the first commit, and these symbolic refs.
 */
async function twins(
  refs: readonly string[],
  aliases: Readonly<Record<string, string>>,
): Promise<{ plain: string; repository: string }> {
  count += 1;
  const plain = await cluster.git.bare(`plain-${count}.git`);
  // Every other one makes copies before it lands.
  const repository = await cluster.createRepository(1 + (count % 2));
  const specs = ["heads/main", ...refs].map((name) => `${first}:refs/${name}`);
  for (const url of [plain, one.url(repository)]) await ada.land(url, ...specs);
  const alias = async (dir: string) => {
    for (const names of Object.entries(aliases))
      await cluster.git.git(["symbolic-ref", ...names], { env: { GIT_DIR: dir } });
  };
  await alias(plain);
  if (Object.keys(aliases).length > 0) {
    const { path, token } = await one.call("BeginWrite", { repository, author: "grace" }, PATIENCE);
    await alias(path);
    await one.call("BumpVersion", { repository, token }, PATIENCE);
  }
  return { plain, repository };
}

/** Pushes; returns what the client is told of each ref: whether it was taken. git's reasons differ from version to version. */
async function push(
  from: string,
  url: string,
  options: readonly string[],
  specs: readonly string[],
): Promise<string[]> {
  const { stdout } = await cluster.git.run(["push", "--porcelain", "--force", ...options, url, ...specs], {
    cwd: from,
  });
  return stdout
    .split("\n")
    .filter((line) => line.includes("\t"))
    .map((line) => {
      const [flag, names] = line.split("\t") as [string, string];
      return `${flag === "!" ? "refused" : "taken"} ${names.split(":")[1]}`;
    })
    .sort();
}

/** A repository to push from, with these refs at the second commit. */
async function source(refs: readonly string[]): Promise<string> {
  count += 1;
  const dir = await cluster.git.bare(`source-${count}.git`);
  const { git } = cluster.git;
  await git(["fetch", "--quiet", ada.dir, `+refs/made/*:refs/kept/*`], { cwd: dir });
  for (const name of ["heads/main", ...refs]) await git(["update-ref", `refs/${name}`, second], { cwd: dir });
  await git(["for-each-ref", "--format=delete %(refname)", "refs/kept/"], { cwd: dir }).then((input) =>
    git(["update-ref", "--stdin"], { cwd: dir, input: `${input}\n` }),
  );
  return dir;
}

describe("a push into a replica does what it does into a plain repository:", () => {
  it.each(CASES)("$title", async ({ before, aliases = {}, source: refs, options = [], specs }) => {
    const { plain, repository } = await twins(before, aliases);
    const from = await source(refs);
    const expected = await push(from, plain, options, specs);
    expect(expected.length).toBeGreaterThan(0);
    expect(await push(from, one.url(repository), options, specs)).toEqual(expected);
    const refsAt = (url: string) => cluster.git.git(["ls-remote", url]);
    for (const device of cluster.devices) expect(await refsAt(device.url(repository))).toBe(await refsAt(plain));
    // fsck complains of aliases that lead nowhere, in plain repositories too.
    if (Object.keys(aliases).length === 0) await expectAtRest(cluster, repository);
    for (const device of cluster.devices)
      expect((await device.call("VerifyReplica", { repository }, PATIENCE)).differences).toEqual([]);
  });
});
