// History that ends early: clones made with --depth, `shallow` files, grafts and borrowed objects. What cannot be read everywhere does not
// land, and what hides a part of history on one disk is found.
import { mkdir, readdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { expectAtRest } from "../support/at-rest.ts";
import { PATIENCE } from "../support/cluster-device.ts";
import { ada, cluster, one, startClusterOfFile } from "../support/file-cluster.ts";
import { pushInto, type RawPush, withoutFsck } from "../support/raw-push.ts";

startClusterOfFile();

/** A chain of commits in the pusher's repository, the oldest first. */
async function chain(length: number): Promise<string[]> {
  const made: string[] = [];
  for (let index = 0; index < length; index += 1) made.push(await ada.commit(made.at(-1)));
  return made;
}

/** A clone of that history which has its last two commits only, to push from. */
async function shallowClone(name: string, tip: string): Promise<string> {
  await cluster.git.git(["update-ref", `refs/heads/${name}`, tip], { cwd: ada.dir });
  const clone = join(cluster.git.dir, name);
  const args = ["clone", "--quiet", "--bare", "--depth", "2", "--branch", name, `file://${ada.dir}`, clone];
  await cluster.git.git(args);
  return clone;
}

async function begin(): Promise<{ repository: string; base: string }> {
  const repository = await cluster.createRepository();
  const base = await ada.commit();
  await ada.land(one.url(repository), `${base}:refs/heads/main`);
  return { repository, base };
}

async function expectEverybodyReads(repository: string): Promise<void> {
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
