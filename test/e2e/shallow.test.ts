// History that ends early: clones made with --depth, `shallow` files, grafts and borrowed objects. What cannot be read everywhere does not
// land, and what hides a part of history on one disk is found.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PATIENCE } from "../support/cluster-device.ts";
import { ada, cluster, one, startClusterOfFile } from "../support/file-cluster.ts";
import { pushInto, type RawPush, withoutFsck } from "../support/raw-push.ts";
import { begin, chain, expectEverybodyReads } from "../support/shallow-repository.ts";

startClusterOfFile();

/** A clone of that history which has its last two commits only, to push from. */
async function shallowClone(name: string, tip: string): Promise<string> {
  await cluster.git.git(["update-ref", `refs/heads/${name}`, tip], { cwd: ada.dir });
  const clone = join(cluster.git.dir, name);
  const args = ["clone", "--quiet", "--bare", "--depth", "2", "--branch", name, `file://${ada.dir}`, clone];
  await cluster.git.git(args);
  return clone;
}

describe("a push from a shallow clone", () => {
  let names = 0;
  const refused = /\[remote rejected\] .* \((missing necessary objects, push from a clone|shallow update not allowed)/;

  it.each([
    ["over the gate, where the repository allows it", "config"],
    ["over the gate", "no"],
    ["into the directory, where the front end allows it", "-c"],
  ])("does not land where it brings a history that ends early: %s", async (_, allowed) => {
    const { repository, base } = await begin();
    const gitDir = one.gitDir(repository);
    if (allowed === "config")
      await cluster.git.git(["-c", "safe.directory=*", "config", "receive.shallowUpdate", "true"], { cwd: gitDir });
    const [, , , tip] = (await chain(4)) as [string, string, string, string];
    names += 1;
    const clone = await shallowClone(`shallow-${names}`, tip);
    const env = {
      GIT_CONFIG_COUNT: "2",
      GIT_CONFIG_KEY_0: "receive.shallowUpdate",
      GIT_CONFIG_VALUE_0: "true",
      GIT_CONFIG_KEY_1: "safe.directory",
      GIT_CONFIG_VALUE_1: "*",
    };
    const push = (...refs: string[]) =>
      allowed === "-c"
        ? cluster.git.run(["push", `file://${gitDir}`, ...refs], { cwd: clone, env })
        : cluster.git.run(["push", one.url(repository), ...refs], { cwd: clone });
    for (const refs of [
      ["HEAD:refs/heads/odd"],
      ["HEAD:refs/heads/odd", "HEAD:refs/tags/odd"],
      ["+HEAD:refs/heads/main"],
    ]) {
      const { code, stderr } = await push(...refs);
      expect(code).not.toBe(0);
      expect(stderr.match(new RegExp(refused, "g"))).toHaveLength(refs.length);
    }
    expect(await cluster.git.git(["ls-remote", one.url(repository), "refs/*"])).toBe(`${base}\trefs/heads/main`);
    // Honest pushes land, from a clone with the whole history too.
    await ada.land(one.url(repository), `${tip}:refs/heads/odd`);
    await expectEverybodyReads(repository);
  });

  it("lands where the history before its edge is here", async () => {
    const [first, , , tip] = (await chain(4)) as [string, string, string, string];
    const repository = await cluster.createRepository();
    await ada.land(one.url(repository), `${tip}:refs/heads/main`);
    names += 1;
    const clone = await shallowClone(`shallow-${names}`, tip);
    const tree = await cluster.git.git(["rev-parse", "HEAD^{tree}"], { cwd: clone });
    const next = await cluster.git.git(["commit-tree", tree, "-p", tip, "-m", "next"], { cwd: clone });
    const { code, stderr } = await cluster.git.run(["push", one.url(repository), `${next}:refs/heads/main`], {
      cwd: clone,
    });
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const history = await cluster.git.git(["-c", "safe.directory=*", "rev-list", next], {
      cwd: one.gitDir(repository),
    });
    expect(history.split("\n")).toContain(first);
    await expectEverybodyReads(repository);
  });

  it("does not land behind a `shallow` file that somebody left in the replica", async () => {
    const { repository, base } = await begin();
    const [, , edge, tip] = (await chain(4)) as [string, string, string, string];
    await withoutFsck(one.gitDir(repository));
    await writeFile(join(one.gitDir(repository), "shallow"), `${edge}\n`);
    const objects = (
      await cluster.git.git(["rev-list", "--objects", "--no-object-names", `${edge}^..${tip}`], { cwd: ada.dir })
    ).split("\n");
    const request: RawPush = { commands: [{ name: "refs/heads/odd", newId: tip }], objects, shallow: [] };
    const answer = await pushInto(cluster.git, ada.dir, one.gitDir(repository), [], request);
    expect(answer).toContain("ng refs/heads/odd missing necessary objects");
    const found = await one.call("VerifyReplica", { repository, full: true }, PATIENCE);
    expect(found).toMatchObject({ differences: [], damage: ["shallow"], failure: "" });
    const next = await ada.commit(base);
    await ada.land(one.url(repository), `${next}:refs/heads/main`);
    await expectEverybodyReads(repository);
  });
});

it("a shallow clone can be made, deepened and completed", async () => {
  const repository = await cluster.createRepository();
  const commits = await chain(4);
  await ada.land(one.url(repository), `${commits[3]}:refs/heads/main`);
  for (const version of ["0", "2"]) {
    const clone = join(cluster.git.dir, `deep-${version}`);
    const git = (args: string[], cwd = clone) =>
      cluster.git.git(["-c", `protocol.version=${version}`, ...args], { cwd });
    const count = async () => Number(await git(["rev-list", "--count", "HEAD"]));
    await git(["clone", "--quiet", "--bare", "--depth", "1", one.url(repository), clone], cluster.git.dir);
    expect(await count()).toBe(1);
    await git(["fetch", "--quiet", "--deepen", "1", "origin"]);
    expect(await count()).toBe(2);
    await git(["fetch", "--quiet", "--unshallow", "origin"]);
    expect(await count()).toBe(4);
  }
});

describe("a session whose scratch repository was made shallow", () => {
  it("is dropped with the reason, and changes nothing", async () => {
    const { repository, base } = await begin();
    const [, , , tip] = (await chain(4)) as [string, string, string, string];
    await cluster.git.git(["update-ref", "refs/heads/fetched", tip], { cwd: ada.dir });
    const script = `git fetch --quiet --depth 2 'file://${ada.dir}' fetched && git update-ref refs/heads/odd FETCH_HEAD`;
    const { code, stderr } = await one.print("lock", repository, "--", "sh", "-c", script);
    expect(code).not.toBe(0);
    expect(stderr).toContain("The scratch repository is shallow and lacks objects that the new refs need");
    expect(await cluster.git.git(["ls-remote", one.url(repository), "refs/*"])).toBe(`${base}\trefs/heads/main`);
    await expectEverybodyReads(repository);
  });

  it("lands refs that are whole all the same", async () => {
    const { repository, base } = await begin();
    const [, , , tip] = (await chain(4)) as [string, string, string, string];
    await cluster.git.git(["update-ref", "refs/heads/fetched", tip], { cwd: ada.dir });
    const script = `git fetch --quiet --depth 2 'file://${ada.dir}' fetched && git update-ref refs/heads/copy ${base}`;
    const { code, stderr } = await one.print("lock", repository, "--", "sh", "-c", script);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    await expectEverybodyReads(repository);
  });

  it("is dropped too if it was made shallow on live files", async () => {
    const { repository, base } = await begin();
    const [, , , tip] = (await chain(4)) as [string, string, string, string];
    await cluster.git.git(["update-ref", "refs/heads/fetched", tip], { cwd: ada.dir });
    const script = `git fetch --quiet --depth 2 'file://${ada.dir}' fetched && git update-ref refs/heads/odd FETCH_HEAD`;
    const { code } = await one.print("lock", repository, "--live", "--", "sh", "-c", script);
    expect(code).not.toBe(0);
    expect(await cluster.git.git(["ls-remote", one.url(repository), "refs/*"])).toBe(`${base}\trefs/heads/main`);
    await expectEverybodyReads(repository);
  });
});
