// What an operator has set outside the replica, where only the git that receives the push reads it.
import { chmod, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { expectAtRest } from "../support/at-rest.ts";
import { PATIENCE } from "../support/cluster-device.ts";
import { ada, cluster, one, startClusterOfFile } from "../support/file-cluster.ts";
import { pushOverHttp, withoutFsck, writeObject } from "../support/raw-push.ts";

let first: string;
let second: string;
startClusterOfFile();
beforeAll(async () => {
  first = await ada.commit();
  second = await ada.commit(first);
});

let count = 0;

/** A home directory for the git server, with a configuration. */
async function home(config: string): Promise<string> {
  count += 1;
  const dir = join(cluster.git.dir, `home-${count}`);
  await mkdir(dir);
  await writeFile(join(dir, ".gitconfig"), `[safe]\n\tdirectory = *\n${config}`);
  return dir;
}

/** Pushes into the directory of a replica: the client starts receive-pack itself, in this environment. */
const pushInto = (repository: string, HOME: string, ...specs: string[]) =>
  cluster.git.run(["push", "--porcelain", "--force", one.gitDir(repository), ...specs], {
    cwd: ada.dir,
    env: { HOME, GIT_CONFIG_GLOBAL: join(HOME, ".gitconfig") },
  });

async function program(path: string, body: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
}

async function repositoryWith(...branches: string[]): Promise<string> {
  const repository = await cluster.createRepository();
  await ada.land(one.url(repository), ...branches.map((branch) => `${second}:refs/heads/${branch}`));
  return repository;
}

describe("the configuration of the git server's user", () => {
  it("forbids what it forbids without Lockstep, from the push after it was written", async () => {
    const repository = await repositoryWith("main", "topic");
    const user = await home("");
    expect(await pushInto(repository, user, `${first}:refs/heads/topic`)).toMatchObject({ code: 0 });
    expect(await pushInto(repository, user, `${second}:refs/heads/topic`)).toMatchObject({ code: 0 });
    const rules = join(user, "rules");
    await writeFile(rules, "[receive]\n\tdenyDeletes = true\n\tdenyNonFastForwards = true\n");
    const config = join(user, ".gitconfig");
    await writeFile(config, `${await readFile(config, "utf8")}[include]\n\tpath = rules\n`);
    const { code, stdout } = await pushInto(repository, user, `${first}:refs/heads/main`, ":refs/heads/topic");
    expect(code).toBe(1);
    expect(stdout).toContain("(non-fast-forward)");
    expect(stdout).toContain("(deletion prohibited)");
    expect([...(await expectAtRest(cluster, repository)).refs.keys()]).toEqual(["refs/heads/main", "refs/heads/topic"]);
    // Another git server of the same repository has no such rule.
    await ada.land(one.url(repository), ":refs/heads/topic");
  });

  it("costs pushes no process while nothing changes", async () => {
    const repository = await repositoryWith("main");
    const user = await home("");
    const count = join(user, "count");
    await program(join(user, "bin", "sh"), `echo x >> '${count}'\nexec /bin/sh "$@"`);
    const env = { HOME: user, GIT_CONFIG_GLOBAL: join(user, ".gitconfig"), PATH: `${user}/bin:${process.env.PATH}` };
    const push = async (id: string) => {
      const args = ["push", "--force", one.gitDir(repository), `${id}:refs/heads/main`];
      expect(await cluster.git.run(args, { cwd: ada.dir, env })).toMatchObject({ code: 0 });
      return (await readFile(count, "utf8")).length;
    };
    // The second one is asked about too, since the first made the list of files.
    await push(first);
    const asked = await push(second);
    for (const id of [first, second, first]) expect(await push(id)).toBe(asked);
    await writeFile(join(user, ".gitconfig"), "[safe]\n\tdirectory = *\n# changed\n");
    expect(await push(second)).toBeGreaterThan(asked);
  });

  it("names a folder of hooks, whose update hook is run, with the shim beside it", async () => {
    const repository = await repositoryWith("main");
    const user = await home("[core]\n\thooksPath = ~/hooks\n");
    const hooks = join(user, "hooks");
    await mkdir(hooks);
    await symlink(join(dirname(one.gitDir("x")), ".lockstep", "bin", "lockstep-git"), join(hooks, "proc-receive"));
    await program(join(hooks, "update"), 'case "$1" in refs/heads/release*) echo "not $1"; exit 1;; esac');
    const specs = [`${first}:refs/heads/release-1`, `${first}:refs/heads/ok`];
    const { code, stdout, stderr } = await pushInto(repository, user, ...specs);
    expect(code).toBe(1);
    expect(stdout).toMatch(/release-1.*\(hook declined\)/);
    expect(stderr).toContain("not refs/heads/release-1");
    expect([...(await expectAtRest(cluster, repository)).refs.keys()]).toEqual(["refs/heads/main", "refs/heads/ok"]);
  });
});

describe("a git server that serves a namespace", () => {
  it("has pushes refused, as git hands other names over than it means", async () => {
    const repository = await repositoryWith("main");
    const user = await home("");
    const { code, stdout, stderr } = await cluster.git.run(
      ["push", "--porcelain", one.gitDir(repository), `${first}:refs/heads/new`],
      { cwd: ada.dir, env: { HOME: user, GIT_CONFIG_GLOBAL: join(user, ".gitconfig"), GIT_NAMESPACE: "fork" } },
    );
    expect(code).toBe(1);
    expect(stderr).toContain("(GIT_NAMESPACE)");
    expect(stdout).toContain("refs/heads/new\t[remote rejected]");
    expect([...(await expectAtRest(cluster, repository)).refs.keys()]).toEqual(["refs/heads/main"]);
  });
});

describe("a git server that allows so many refs a push", () => {
  it.each([
    [2, 0],
    [3, 1],
  ])("of two and gets %i: exit code %i", async (refs, expected) => {
    const repository = await repositoryWith("main");
    const user = await home("");
    const names = ["refs/heads/a", "refs/heads/b", "refs/heads/c"].slice(0, refs);
    const { code, stderr } = await cluster.git.run(
      ["push", "--porcelain", one.gitDir(repository), ...names.map((name) => `${first}:${name}`)],
      { cwd: ada.dir, env: { HOME: user, GIT_CONFIG_GLOBAL: join(user, ".gitconfig"), LOCKSTEP_PUSH_REFS: "2" } },
    );
    expect(code).toBe(expected);
    if (expected === 1) expect(stderr).toContain("This push changes 3 refs, and this server takes 2 at once.");
    const kept = expected === 0 ? names : [];
    expect([...(await expectAtRest(cluster, repository)).refs.keys()].sort()).toEqual([...kept, "refs/heads/main"]);
  });
});

describe("a ref that git calls funny", () => {
  it.each(["refs/stash", "refs/master", "refs/heads", "refs/tags"])(
    "a ref such as %s, which git calls funny, is not made",
    async (name) => {
      const repository = await cluster.createRepository();
      const { code, stderr } = await ada.push(one.url(repository), `${first}:${name}`, `${first}:refs/heads/main`);
      expect(code).toBe(1);
      expect(stderr).toMatch(/remote rejected.*\(funny refname\)/);
      await ada.land(one.url(repository), `${first}:refs/heads/other`);
      expect([...(await expectAtRest(cluster, repository)).refs.keys()]).toEqual([
        "refs/heads/main",
        "refs/heads/other",
      ]);
    },
  );
});

describe("the settings of a replica", () => {
  it("refuse pushes above 2 GiB, until the replica's own config says otherwise", async () => {
    const repository = await repositoryWith("main");
    const config = (...args: string[]) => cluster.git.git(["config", ...args], { cwd: one.gitDir(repository) });
    expect(await config("--type=int", "receive.maxInputSize")).toBe(String(2 ** 31));
    await config("receive.maxInputSize", "10");
    expect((await ada.push(one.url(repository), `${await ada.commit()}:refs/heads/x`)).stderr).toMatch(
      /pack exceeds maximum allowed size/,
    );
    await config("receive.maxInputSize", "1000000");
    await ada.land(one.url(repository), `${await ada.commit()}:refs/heads/x`);
    await expectAtRest(cluster, repository);
  });

  it("refuse objects that git's fsck finds malformed, until the replica's own config says otherwise", async () => {
    const repository = await repositoryWith("main");
    const who = (zone: string) => `Ada <ada@example.com> 1700000000 ${zone}`;
    const write = (type: string, content: string | Buffer) => writeObject(cluster.git, ada.dir, type, content);
    const commitOf = (tree: string, zone = "+0000") =>
      write("commit", `tree ${tree}\nauthor ${who(zone)}\ncommitter ${who(zone)}\n\nx\n`);
    const blob = await write("blob", "x");
    const treeWith = (entry: string) =>
      write("tree", Buffer.concat([Buffer.from(`${entry}\0`), Buffer.from(blob, "hex")]));
    const push = (name: string, newId: string, objects: string[]) =>
      pushOverHttp(cluster.git, ada.dir, one.url(repository), { commands: [{ name, newId }], objects });

    const attack = await treeWith("100644 .git");
    const tip = await commitOf(attack);
    const refused = await push("refs/heads/attack", tip, [tip, attack, blob]);
    expect(refused).toContain("hasDotgit");
    expect(refused).toContain("ng refs/heads/attack unpacker error");
    // A fault that many old histories have, and that harms nobody.
    const fine = await treeWith("100644 file");
    const old = await commitOf(fine, "+051800");
    expect(await push("refs/heads/old", old, [old, fine, blob])).toContain("ok refs/heads/old");
    await withoutFsck(one.gitDir(repository));
    expect(await push("refs/heads/attack", tip, [tip, attack, blob])).toContain("ok refs/heads/attack");
    for (const device of cluster.devices)
      expect(await device.call("VerifyReplica", { repository }, PATIENCE)).toMatchObject({ differences: [] });
  });
});
