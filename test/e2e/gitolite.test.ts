// gitolite of Debian as the front end, behind a real sshd, with the configuration of docs/integration.md.
import { access, readlink } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAtRest, wholeLog } from "../support/at-rest.ts";
import type { Cluster } from "../support/cluster.ts";
import type { Device } from "../support/cluster-device.ts";
import type { RunResult } from "../support/git.ts";
import { type Gitolite, startGitolite } from "../support/gitolite.ts";
import { type LaggingCluster, startLaggingCluster } from "../support/lag.ts";
import { findProgram } from "../support/programs.ts";
import type { Pusher } from "../support/pusher.ts";

const gitolite = findProgram("gitolite", "gitolite3");
const sshd = findProgram("sshd", "openssh-server");
const ssh = findProgram("ssh", "openssh-client");
const curl = findProgram("curl", "curl");
const missing = [gitolite, sshd, ssh, curl].flatMap((found) => ("missing" in found ? [found.missing] : []));
if (missing.length > 0) console.warn(`The tests with gitolite are skipped: ${missing.join("; ")}.`);

describe.skipIf(missing.length > 0)("gitolite with a trigger that asks the sidecar", () => {
  let lagging: LaggingCluster;
  let cluster: Cluster;
  let one: Device;
  let three: Device;
  let work: Pusher;
  let door: Gitolite;
  let repositories: readonly string[];
  beforeAll(async () => {
    lagging = await startLaggingCluster(6);
    ({ cluster, one, three, ada: work, repositories } = lagging);
    door = await startGitolite(three, { sshd: (sshd as { path: string }).path, users: ["ada", "bob", "carol", "dan"] });
    expect(await door.configure(repositories)).toMatchObject({ code: 0 });
  });
  afterAll(async () => {
    await door?.[Symbol.asyncDispose]();
    await lagging?.[Symbol.asyncDispose]();
  });

  const git = (user: string, args: string[]): Promise<RunResult> =>
    cluster.git.run(args, { cwd: work.dir, env: door.as(user) });
  const push = (user: string, repository: string, ...refs: string[]) =>
    git(user, ["push", door.url(repository), ...refs]);
  const list = (user: string, repository: string) => git(user, ["ls-remote", door.url(repository)]);

  it("clones the newest commit from a replica that lags", async () => {
    const repository = repositories[0]!;
    await lagging.expectNewest(repository, async (into) => {
      expect(await git("bob", ["clone", "--quiet", door.url(repository), into])).toMatchObject({ code: 0 });
    });
  });

  it("takes pushes in the name of gitolite's user, others read them at once, and its files are no damage", async () => {
    const repository = repositories[1]!;
    const first = await work.commit();
    const second = await work.commit(first);
    expect(await push("carol", repository, `${first}:refs/heads/main`)).toMatchObject({ code: 0 });
    expect(await push("ada", repository, `${second}:refs/heads/main`)).toMatchObject({ code: 0 });
    expect(await cluster.git.git(["ls-remote", one.url(repository), "refs/heads/main"])).toContain(second);
    const { log } = await expectAtRest(cluster, repository);
    expect(log.map(({ author, device }) => [author, device])).toEqual([
      ["carol", "repo003"],
      ["ada", "repo003"],
    ]);
    await access(join(three.gitDir(repository), "gl-conf"));
  });

  it("leaves each ref of a push to gitolite's rules", async () => {
    const repository = repositories[2]!;
    const [base, other] = [await work.commit(), await work.commit()];
    const next = await work.commit(base);
    expect(await push("ada", repository, `${base}:refs/heads/main`, `${base}:refs/heads/personal/ada/x`)).toMatchObject(
      {
        code: 0,
      },
    );
    const mixed = await push("ada", repository, `${next}:refs/heads/new`, `+${other}:refs/heads/main`);
    expect(mixed.code).toBe(1);
    expect(mixed.stderr).toMatch(/^remote: FATAL: \+ refs\/heads\/main \S+ ada DENIED by fallthru/m);
    expect(mixed.stderr).toMatch(/\[remote rejected\].*-> main \(hook declined\)/);
    expect(mixed.stderr).toMatch(/\[new branch\].*-> new/);
    expect((await push("ada", repository, ":refs/heads/new")).stderr).toMatch(
      /^remote: FATAL: \+ refs\/heads\/new .* DENIED/m,
    );
    expect(await push("ada", repository, `+${other}:refs/heads/personal/ada/x`)).toMatchObject({ code: 0 });

    const tree = await cluster.git.workTree("with-makefile");
    const makefile = await cluster.git.commit(tree, "build", { Makefile: "all:\n" });
    await cluster.git.git(["fetch", "--quiet", tree, "HEAD"], { cwd: work.dir });
    const forbidden = await push("ada", repository, `${makefile}:refs/heads/build`);
    expect(forbidden.stderr).toMatch(/^remote: FATAL: W VREF\/NAME\/Makefile \S+ ada DENIED by VREF\/NAME\/Makefile/m);
    expect(await push("carol", repository, `${makefile}:refs/heads/build`)).toMatchObject({ code: 0 });
    expect(await push("carol", repository, `+${other}:refs/heads/main`)).toMatchObject({ code: 0 });

    const { refs } = await expectAtRest(cluster, repository);
    expect(Object.fromEntries(refs)).toEqual({
      "refs/heads/build": makefile,
      "refs/heads/main": other,
      "refs/heads/new": next,
      "refs/heads/personal/ada/x": other,
    });
  });

  it("lets nobody in whom gitolite does not", async () => {
    const repository = repositories[3]!;
    const pushed = await push("bob", repository, `${await work.commit()}:refs/heads/main`);
    expect(pushed.code).toBe(128);
    expect(pushed.stderr).toMatch(/^FATAL: W any \S+ bob DENIED by fallthru/m);
    expect(await list("bob", repository)).toMatchObject({ code: 0 });
    const read = await list("dan", repository);
    expect(read.code).toBe(128);
    expect(read.stderr).toMatch(/^FATAL: R any \S+ dan DENIED by fallthru/m);
    expect(await wholeLog(one, repository)).toEqual([]);
  });

  it("refuses a push before its upload while writes are stopped, and goes on serving reads", async () => {
    const repository = repositories[3]!;
    const writeLock = (...flags: string[]) => one.print("write-lock", repository, ...flags);
    expect(await writeLock("--enable", "--reason", "a new disk until noon")).toMatchObject({ code: 0 });
    const stopped = await push("ada", repository, `${await work.commit()}:refs/heads/main`);
    expect(stopped.code).toBe(128);
    expect(stopped.stderr).toMatch(/^lockstep: .*a new disk until noon/m);
    expect(await list("ada", repository)).toMatchObject({ code: 0 });
    expect(await writeLock("--disable")).toMatchObject({ code: 0 });
    expect(await push("ada", repository, `${await work.commit()}:refs/heads/main`)).toMatchObject({ code: 0 });
  });

  it("makes no repository: neither from gitolite.conf nor for a user who may create", async () => {
    const absent = (name: string) => expect(access(three.gitDir(name))).rejects.toThrow("ENOENT");
    expect(await door.configure(repositories, "repo wild/..*\n    C = ada\n    RW = ada\n")).toMatchObject({ code: 0 });
    const wild = await list("ada", "wild/thing");
    expect(wild.code).toBe(128);
    expect(wild.stderr).toMatch(
      /^lockstep: There is no wild\/thing on this server; make it with `lockstep repo create/m,
    );
    await absent("wild/thing");

    const refused = await door.configure([...repositories, "team/late"], "repo open/..*\n    RW = ada\n");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(
      /^lockstep: There is no team\/late on this server; make it with `lockstep repo create/m,
    );
    await absent("team/late");
    // The rules from before are in force: the new ones know nothing of it.
    expect((await list("ada", "wild/thing")).stderr).toMatch(/^lockstep: There is no wild/m);

    expect(await one.print("repo", "create", "team/late")).toMatchObject({ code: 0 });
    expect((await list("ada", "team/late")).stderr).toMatch(/ada DENIED by fallthru/);
    // The second is no name for gitolite, which would stop at it.
    for (const name of ["open/door", "_drafts"])
      expect(await one.print("repo", "create", name)).toMatchObject({ code: 0 });
    expect(await door.apply()).toMatchObject({ code: 0 });
    const [host] = door.url("").split(":");
    const info = await git("bob", ["-c", `alias.door=!$GIT_SSH_COMMAND ${host} info`, "door"]);
    expect(info).toMatchObject({ code: 0, stdout: expect.stringMatching(/^ R\s+team\/late$/m) });
    for (const name of ["team/late", "open/door"])
      expect(await push("ada", name, `${await work.commit()}:refs/heads/main`)).toMatchObject({ code: 0 });
  });

  it("keeps the hooks of both in each order of their starts, and works beside a write session", async () => {
    const repository = repositories[4]!;
    const hooks = () =>
      Promise.all(["proc-receive", "update"].map((name) => readlink(join(three.gitDir(repository), "hooks", name))));
    const before = await hooks();
    expect(await three.print("lock", repository, "--", "sh", "-c", door.commands)).toMatchObject({ code: 0 });
    expect(await hooks()).toEqual(before);
    await three.kill();
    await three.start();
    expect(await hooks()).toEqual(before);
    expect(await push("ada", repository, `${await work.commit()}:refs/heads/main`)).toMatchObject({ code: 0 });
  });

  it("serves nothing while the sidecar is away, and says so", async () => {
    const repository = repositories[5]!;
    await three.kill();
    const commit = await work.commit();
    for (const refused of [await list("bob", repository), await push("ada", repository, `${commit}:refs/heads/main`)]) {
      expect(refused.code).toBe(128);
      expect(refused.stderr).toMatch(/^lockstep: The sidecar of this server does not answer; try again/m);
    }
    await three.start();
    expect(await push("ada", repository, `${commit}:refs/heads/main`)).toMatchObject({ code: 0 });
    expect(await list("bob", repository)).toMatchObject({ code: 0, stdout: expect.stringContaining(commit) });
  });
});
