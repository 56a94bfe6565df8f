// What git's receive-pack does beside moving refs: reflogs, the hooks that hear of it, and the sentences that the pusher reads.
import { chmod, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { expectAtRest } from "../support/at-rest.ts";
import { PATIENCE } from "../support/cluster-device.ts";
import { ada, cluster, one, startClusterOfFile, two } from "../support/file-cluster.ts";
import { SOON } from "../support/soon.ts";

let first: string;
let second: string;
startClusterOfFile();
beforeAll(async () => {
  first = await ada.commit();
  second = await ada.commit(first);
});

const NONE = "0".repeat(40);

async function hook(gitDir: string, name: string, body: string): Promise<void> {
  const path = join(gitDir, "hooks", name);
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
}

const inside = (gitDir: string, ...args: string[]) =>
  cluster.git.git(["-c", "safe.directory=*", ...args], { cwd: gitDir });

/** `git push` into a directory; the client starts receive-pack itself, in this environment. */
const pushInto = (dir: string, env: Record<string, string>, ...args: string[]) =>
  cluster.git.run(["-c", "safe.directory=*", "push", "--porcelain", dir, ...args], {
    cwd: ada.dir,
    env,
  });

describe("reflogs, where an operator has switched them on,", () => {
  it("say who pushed what, as after a push into a plain repository", async () => {
    const repository = await cluster.createRepository();
    const plain = await cluster.git.bare("reflogs.git");
    const dirs = [plain, one.gitDir(repository)];
    const env = { GIT_COMMITTER_NAME: "Grace Hopper", GIT_COMMITTER_EMAIL: "grace@example.com" };
    for (const dir of dirs) {
      await inside(dir, "config", "core.logAllRefUpdates", "true");
      expect(await pushInto(dir, env, `${first}:refs/heads/main`, `${first}:refs/heads/gone`)).toMatchObject({
        code: 0,
      });
      expect(await pushInto(dir, env, `${second}:refs/heads/main`, ":refs/heads/gone")).toMatchObject({ code: 0 });
    }
    const shown = (dir: string, name: string) => inside(dir, "reflog", "show", "--format=%H %gn <%ge> %gs", name);
    expect((await shown(plain, "refs/heads/main")).trimEnd().split("\n")).toEqual(
      [second, first].map((id) => `${id} Grace Hopper <grace@example.com> push`),
    );
    for (const name of ["refs/heads/main", "HEAD"]) expect(await shown(dirs[1]!, name)).toBe(await shown(plain, name));
    await expect(readFile(join(dirs[1]!, "logs/refs/heads/gone"))).rejects.toThrow();
    await expectAtRest(cluster, repository);
  });

  it("say on a device that follows that Lockstep moved the ref", async () => {
    const repository = await cluster.createRepository();
    await inside(two.gitDir(repository), "config", "core.logAllRefUpdates", "true");
    await ada.land(one.url(repository), `${first}:refs/heads/main`);
    await expectAtRest(cluster, repository);
    const subject = await inside(two.gitDir(repository), "reflog", "show", "--format=%H %gs", "refs/heads/main");
    expect(subject.trimEnd()).toBe(`${first} lockstep`);
  });
});

describe("the reference-transaction hook", () => {
  it("refuses refs of a push, and is told who pushes, as the update hook is", async () => {
    const repository = await cluster.createRepository();
    const seen = join(cluster.dir, "transactions");
    const body = `while read old new ref; do echo "$1 $old $new $ref $GIT_COMMITTER_NAME" >>${seen}
      case "$1 $ref" in "prepared refs/heads/release"*) exit 1;; esac; done`;
    await hook(one.gitDir(repository), "reference-transaction", body);
    const env = { GIT_COMMITTER_NAME: "Grace" };
    const specs = [`${first}:refs/heads/main`, `${first}:refs/heads/release`];
    const { code, stdout } = await pushInto(one.gitDir(repository), env, ...specs);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^!\t\S+:refs\/heads\/release\t/m);
    expect(stdout).toMatch(/^\*\t\S+:refs\/heads\/main\t/m);
    expect((await expectAtRest(cluster, repository)).refs).toEqual(new Map([["refs/heads/main", first]]));
    expect(await readFile(seen, "utf8")).toContain(`committed ${NONE} ${first} refs/heads/main Grace\n`);
  });

  it("is run from the folder of hooks that the git server's configuration names", async () => {
    const repository = await cluster.createRepository();
    const hooks = join(cluster.dir, "hooks-elsewhere");
    await mkdir(join(hooks, "hooks"), { recursive: true });
    await symlink(join(one.demo.root, ".lockstep", "bin", "lockstep-git"), join(hooks, "hooks", "proc-receive"));
    await hook(
      hooks,
      "reference-transaction",
      'while read old new ref; do test "$ref" != refs/heads/release || exit 1; done',
    );
    const config = join(hooks, "config");
    await writeFile(config, `[safe]\n\tdirectory = *\n[core]\n\thooksPath = "${join(hooks, "hooks")}"\n`);
    const specs = [`${first}:refs/heads/main`, `${first}:refs/heads/release`];
    const { code, stdout } = await pushInto(one.gitDir(repository), { GIT_CONFIG_GLOBAL: config }, ...specs);
    expect(stdout).toMatch(/^!\t\S+:refs\/heads\/release\t/m);
    expect(code).toBe(1);
    expect((await expectAtRest(cluster, repository)).refs).toEqual(new Map([["refs/heads/main", first]]));
  });

  it("cannot keep a device from following what has landed elsewhere, and is not told that refs are packed", async () => {
    const repository = await cluster.createRepository();
    const seen = join(cluster.dir, "refusals");
    await hook(two.gitDir(repository), "reference-transaction", `echo "$1" >>${seen}; exit 1`);
    await ada.land(one.url(repository), `${first}:refs/heads/main`, `${first}:refs/heads/topic`);
    await ada.land(one.url(repository), `${second}:refs/heads/main`, ":refs/heads/topic");
    expect((await expectAtRest(cluster, repository)).refs).toEqual(new Map([["refs/heads/main", second]]));
    await two.call("VerifyReplica", { repository }, PATIENCE);
    await expect(readFile(seen)).rejects.toThrow();
  });

  it("is not passed by where a deletion makes room for the ref that it protects", async () => {
    const repository = await cluster.createRepository();
    await ada.land(one.url(repository), `${first}:refs/heads/main`, `${first}:refs/heads/release`);
    const protect = 'while read old new ref; do case "$ref" in refs/heads/release/*) exit 1;; esac; done';
    await hook(one.gitDir(repository), "reference-transaction", protect);
    const { code, stderr } = await ada.push(
      one.url(repository),
      ":refs/heads/release",
      `${second}:refs/heads/release/1`,
    );
    expect(code).toBe(1);
    expect(stderr).toMatch(/release\/1 \(the reference-transaction hook cannot be asked/);
    expect((await expectAtRest(cluster, repository)).refs).toEqual(new Map([["refs/heads/main", first]]));
    await rm(join(one.gitDir(repository), "hooks", "reference-transaction"));
    await ada.land(one.url(repository), `${second}:refs/heads/release/1`);
  });
});

describe("a pusher", () => {
  it("reads git's sentences about what was refused", async () => {
    const repository = await cluster.createRepository();
    const plain = await cluster.git.bare("sentences.git");
    const said: string[][] = [];
    for (const dir of [plain, one.gitDir(repository)]) {
      await pushInto(dir, {}, `${second}:refs/heads/main`, `${second}:refs/heads/old`, `${second}:refs/heads/shut`);
      await inside(dir, "config", "receive.denyNonFastForwards", "true");
      await inside(dir, "config", "receive.denyDeleteCurrent", "refuse");
      await hook(dir, "update", 'test "$1" != refs/heads/shut');
      const specs = [`+${first}:refs/heads/old`, ":refs/heads/main", `+${first}:refs/heads/shut`, ":refs/heads/never"];
      const pushed = [await pushInto(dir, {}, ...specs)];
      await inside(dir, "config", "receive.denyNonFastForwards", "false");
      await inside(dir, "config", "receive.denyDeletes", "true");
      pushed.push(await pushInto(dir, {}, ":refs/heads/old", `+${first}:refs/heads/shut`, `${first}:refs/stash`));
      const lines = pushed.flatMap(({ stderr }) => stderr.match(/^remote: (error|warning): .*$/gm) ?? []);
      // git before 2.41 says that it does not create a funny ref.
      said.push(lines.map((line) => line.trimEnd().replace("create funny", "update funny")).sort());
    }
    expect(said[0]!.length).toBe(7);
    expect(said[1]).toEqual(said[0]);
    await expectAtRest(cluster, repository);
  });

  it("a push that gives one ref two values does not change that ref, and does change the other refs", async () => {
    const repository = await cluster.createRepository();
    const specs = [`${first}:refs/heads/twice`, `${second}:refs/heads/twice`, `${first}:refs/heads/main`];
    const sendPack = await cluster.git.run(["-c", "safe.directory=*", "send-pack", one.gitDir(repository), ...specs], {
      cwd: ada.dir,
    });
    expect(sendPack.code).not.toBe(0);
    expect(sendPack.stderr).toContain("multiple updates for ref 'refs/heads/twice' not allowed");
    expect((await expectAtRest(cluster, repository)).refs).toEqual(new Map([["refs/heads/main", first]]));
  });

  it("may send no push options where the operator does not take them", async () => {
    const repository = await cluster.createRepository();
    await inside(one.gitDir(repository), "config", "receive.advertisePushOptions", "false");
    const { code, stderr } = await ada.push(one.url(repository), "--push-option=x", `${first}:refs/heads/main`);
    expect(code).not.toBe(0);
    expect(stderr).toContain("does not support push options");
  });
});

describe("after a push", () => {
  it("git runs post-receive and post-update for the refs that were taken; there `git update-server-info` sees them", async () => {
    const repository = await cluster.createRepository();
    const plain = await cluster.git.bare("afterwards.git");
    const heard: string[] = [];
    for (const dir of [plain, one.gitDir(repository)]) {
      const seen = join(cluster.dir, "heard");
      await hook(dir, "update", 'test "$1" != refs/heads/shut');
      await hook(dir, "post-receive", `{ echo "post-receive $#"; cat; env | grep ^GIT_PUSH_ | sort; } >>${seen}`);
      await hook(dir, "post-update", `git update-server-info; echo "post-update $*" >>${seen}`);
      await inside(dir, "config", "receive.advertisePushOptions", "true");
      const specs = [`${first}:refs/heads/main`, `${first}:refs/heads/shut`, `${second}:refs/heads/a`];
      await pushInto(dir, {}, "--push-option=x y", "--push-option=z", ...specs);
      await vi.waitFor(async () => expect(await readFile(seen, "utf8")).toContain("post-update"), SOON);
      heard.push(`${await readFile(seen, "utf8")}${await readFile(join(dir, "info/refs"), "utf8")}`);
      await rm(seen);
    }
    expect(heard[0]).toContain("GIT_PUSH_OPTION_1=z");
    expect(heard[1]).toBe(heard[0]);
    await expectAtRest(cluster, repository);
  });
});
