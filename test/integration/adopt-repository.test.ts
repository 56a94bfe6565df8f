// The adoption of bare repositories that lie on disks.
import { spawn } from "node:child_process";
import { chmod, cp, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type AdoptedRepository, type AdoptOptions, adoptRepository } from "../../src/sync/adopt/adopt-repository.ts";
import { scanRoot } from "../../src/sync/adopt/scan-root.ts";
import { lookAtWatched } from "../../src/sync/adopt/watch-late.ts";
import { plainCommit, plainGit, plainRepository } from "../support/plain-repository.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

const APP = "team/app";

const adopt = (device: TestDevice, name = APP, options: Partial<AdoptOptions> = {}) =>
  adoptRepository(device.context, name, {
    from: undefined,
    dryRun: false,
    author: "olga",
    signal: device.context.signal,
    ...options,
  });

/** Returns everything in a directory with the contents of its files. */
async function contents(path: string): Promise<Record<string, string>> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const read = await Promise.all(files.map(async (file) => [file.slice(path.length), await readFile(file, "latin1")]));
  return Object.fromEntries(read.sort());
}

describe("a bare repository on one device", () => {
  let cluster: TestCluster;
  let a: TestDevice;
  beforeAll(async () => {
    cluster = await TestCluster.make();
    a = await cluster.start("repo001");
  });
  afterAll(async () => await cluster?.[Symbol.asyncDispose]());

  it("becomes version 1 with its refs and its HEAD, and takes pushes", async () => {
    const path = a.gitDir(APP);
    const ids = await plainRepository(path, ["main", "topic"]);
    await plainGit(path, ["tag", "-a", "-m", "v1", "v1", ids.main!]);
    await plainGit(path, ["symbolic-ref", "HEAD", "refs/heads/topic"]);
    await plainGit(path, ["symbolic-ref", "refs/heads/alias", "refs/heads/main"]);
    await plainGit(path, ["pack-refs", "--all"]);
    const before = await a.refs(APP);
    expect(await adopt(a)).toEqual({
      adopted: { repository: APP, version: "1", devices: ["repo001"], notes: [] },
    });
    expect(await a.refs(APP)).toEqual(before);
    expect(await a.read(APP)).toMatchObject({ version: 1n });
    await a.expectInLockstep(APP);
    const next = await a.commit(APP, "next", { parents: [ids.main!] });
    expect(await a.push(APP, [change("main", ids.main!, next)])).toEqual({ "refs/heads/main": null });
    await a.expectInLockstep(APP);
    expect(await readdir(path)).not.toContain("lockstep.adopting");
  });

  it("is adopted once: a repeated call tells the same", async () => {
    await plainRepository(a.gitDir("twice"));
    await adopt(a, "twice");
    expect(await adopt(a, "twice")).toMatchObject({
      adopted: { repository: "twice", version: "1", devices: ["repo001"] },
    });
    expect(await cluster.sql("select count(*)::int as n from lockstep.repository where name = 'twice'")).toEqual([
      { n: 1 },
    ]);
  });

  it("is adopted without refs, with a detached HEAD, and with SHA-256", async () => {
    await plainRepository(a.gitDir("empty"), []);
    await plainRepository(a.gitDir("sha256"), ["main"], ["--object-format=sha256"]);
    const { main } = await plainRepository(a.gitDir("detached"));
    await plainGit(a.gitDir("detached"), ["update-ref", "--no-deref", "HEAD", main!]);
    for (const name of ["empty", "sha256", "detached"]) {
      expect(await adopt(a, name)).toMatchObject({ adopted: { version: "1" } });
      await a.expectInLockstep(name);
    }
  });

  it("keeps its own hooks and settings, and names them", async () => {
    const path = a.gitDir("hooks");
    await plainRepository(path);
    for (const hook of ["pre-receive", "update"]) {
      await writeFile(join(path, "hooks", hook), "#!/bin/sh\nexit 0\n");
      await chmod(join(path, "hooks", hook), 0o755);
    }
    await plainGit(path, ["config", "receive.denyDeletes", "true"]);
    await plainGit(path, ["config", "gc.auto", "100"]);
    const { adopted } = (await adopt(a, "hooks")) as { adopted: AdoptedRepository };
    expect(adopted.notes).toEqual([expect.stringContaining("gc.auto"), expect.stringMatching(/pre-receive, update/)]);
    expect(await readFile(join(path, "hooks", "update"), "utf8")).toContain("exit 0");
    expect(await plainGit(path, ["config", "receive.denyDeletes"])).toBe("true");
    const main = (await a.refs("hooks"))["refs/heads/main"]!;
    expect(await a.push("hooks", [change("main", main, null)])).toEqual({ "refs/heads/main": "deletion prohibited" });
  });

  it.each<[string, RegExp, (path: string) => Promise<unknown>]>([
    ["a work tree", /core\.bare is false/, (path) => plainGit(path, ["config", "core.bare", "false"])],
    ["a proc-receive hook", /proc-receive hook of its own/, (path) => writeFile(join(path, "hooks/proc-receive"), "")],
    ["hooks elsewhere", /core\.hooksPath is/, (path) => plainGit(path, ["config", "core.hooksPath", "/etc/hooks"])],
    ["a shallow history", /shallow clone/, (path) => writeFile(join(path, "shallow"), "")],
    ["grafts", /grafts/, (path) => writeFile(join(path, "info/grafts"), "")],
    ["alternates", /alternates/, (path) => writeFile(join(path, "objects/info/alternates"), "/x\n")],
    ["a partial clone", /partial clone/, (path) => plainGit(path, ["config", "remote.origin.promisor", "true"])],
    [
      "an extension",
      /cannot be read by git/,
      async (path) => {
        await plainGit(path, ["config", "core.repositoryFormatVersion", "1"]);
        await plainGit(path, ["config", "extensions.fromTheFuture", "true"]);
      },
    ],
    ["a config that git cannot read", /cannot be read by git/, (path) => writeFile(join(path, "config"), "[core\n")],
    ["a file among its refs", /no refs: refs\/heads\/main~ /, (path) => writeFile(join(path, "refs/heads/main~"), "x")],
    [
      "a ref that holds nothing",
      /refs\/heads\/bad \(a file that holds no ref\)/,
      (path) => writeFile(join(path, "refs/heads/bad"), "nonsense\n"),
    ],
    [
      "a ref that our rule refuses",
      /refs\/stash: funny refname/,
      (path) => plainGit(path, ["update-ref", "refs/stash", "main"]),
    ],
    [
      "a missing object",
      /lacks objects/,
      async (path) => {
        const blob = await plainGit(path, ["rev-parse", "main:file"]);
        await rm(join(path, "objects", blob.slice(0, 2), blob.slice(2)));
      },
    ],
    [
      "a tip that is gone",
      /lacks objects that its refs need, or has damaged ones \(of refs\/heads\/main\)/,
      async (path) => {
        const tip = await plainGit(path, ["rev-parse", "main"]);
        await rm(join(path, "objects", tip.slice(0, 2), tip.slice(2)));
      },
    ],
    [
      "a linked directory of refs",
      /has refs as a symbolic link/,
      async (path) => {
        await rename(join(path, "refs"), `${path}.refs`);
        await symlink(`${path}.refs`, join(path, "refs"));
      },
    ],
    ["a HEAD that git cannot read", /not a git repository|HEAD/, (path) => writeFile(join(path, "HEAD"), "")],
  ])("is refused with a sentence and left as it is: %s", async (what, sentence, spoil) => {
    const name = `refused/${what.replaceAll(" ", "-")}`;
    const path = a.gitDir(name);
    await plainRepository(path);
    await spoil(path);
    const before = await contents(path);
    const result = (await adopt(a, name)) as { refused: { reason: string } };
    expect(result).toMatchObject({ refused: { repository: name, reason: expect.stringMatching(sentence) } });
    expect(result.refused.reason).toMatch(/^[^\n]*\.$/);
    expect(await contents(path)).toEqual(before);
    expect(await cluster.sql("select from lockstep.repository where name = $1", [name])).toEqual([]);
  });

  it("is refused where nothing lies, where a link lies, and under a name that cannot be", async () => {
    await symlink(a.gitDir(APP), a.gitDir("link"));
    for (const [name, sentence] of [
      ["nowhere", /does not exist/],
      ["link", /is a symbolic link/],
      ["../up", /repository name/],
    ] as const)
      expect(await adopt(a, name)).toMatchObject({ refused: { reason: expect.stringMatching(sentence) } });
    await rm(a.gitDir("link"));
  });

  it("is refused where it is a copy of a replica, and where the name is that of a repository that was created", async () => {
    await cp(a.gitDir(APP), a.gitDir("copy"), { recursive: true, verbatimSymlinks: true });
    expect(await adopt(a, "copy")).toMatchObject({
      refused: { reason: expect.stringMatching(/copy of a replica of team\/app/) },
    });
    await cluster.create("created", [a]);
    expect(await adopt(a, "created")).toMatchObject({ refused: { reason: expect.stringContaining("already") } });
  });

  it("is not changed by a dry run", async () => {
    const path = a.gitDir("dry");
    await plainRepository(path);
    const before = await contents(path);
    expect(await adopt(a, "dry", { dryRun: true })).toMatchObject({ adopted: { version: "1", devices: ["repo001"] } });
    expect(await contents(path)).toEqual(before);
    expect(await cluster.sql("select from lockstep.repository where name = 'dry'")).toEqual([]);
  });

  it("whose adoption was killed before the database knew it goes on, or is taken back by a scan", async () => {
    const path = a.gitDir("killed");
    await plainRepository(path);
    const before = await contents(path);
    a.onStatement = async (text, run) => {
      if (text.includes("lockstep.adopt(")) throw new Error("killed");
      return await run();
    };
    await expect(adopt(a, "killed")).rejects.toThrow("killed");
    a.onStatement = (_, run) => run();
    // Whoever pushes now is told to come back.
    const refused = await a
      .push("killed", [change("main", (await a.refs("killed"))["refs/heads/main"]!, null)])
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "BEING_ADOPTED" });
    await scanRoot(a.context);
    expect(await contents(path)).toEqual(before);
    a.onStatement = async (text, run) => {
      if (text.includes("lockstep.adopt(")) throw new Error("killed");
      return await run();
    };
    await expect(adopt(a, "killed")).rejects.toThrow("killed");
    a.onStatement = (_, run) => run();
    expect(await adopt(a, "killed")).toMatchObject({ adopted: { version: "1" } });
    await a.expectInLockstep("killed");
    await scanRoot(a.context);
    await a.expectInLockstep("killed");
  });
});

describe("the same repository on several devices", () => {
  it("is recognised by its refs, and costs no copying", async () => {
    await using cluster = await TestCluster.make();
    const [a, b, c] = [await cluster.start("repo001"), await cluster.start("repo002"), await cluster.start("repo003")];
    for (const device of [a, b]) await plainRepository(device.gitDir(APP), ["main", "topic"]);
    // Another way to keep the same refs.
    await plainGit(b.gitDir(APP), ["pack-refs", "--all"]);
    for (const device of [a, b]) await scanRoot(device.context);
    const unknown = () => cluster.sql("select device from lockstep.unknown_directory order by device");
    expect(await unknown()).toEqual([{ device: "repo001" }, { device: "repo002" }]);
    expect(await adopt(a)).toMatchObject({ adopted: { version: "1", devices: ["repo001", "repo002"] } });
    expect(await unknown()).toEqual([]);
    expect(await b.read(APP)).toMatchObject({ version: 1n });
    expect(b.packRequests).toEqual([]);
    await b.expectInLockstep(APP);
    await c.read(APP);
    await c.expectInLockstep(APP);
    const commit = await b.commit(APP, "next");
    await b.push(APP, [change("next", null, commit)]);
    for (const device of [a, c]) expect(await device.read(APP)).toMatchObject({ version: 2n });
  });

  it("is refused with each ref that differs, until --from says whose refs stay; the others keep theirs", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = [await cluster.start("repo001"), await cluster.start("repo002")];
    const { main } = await plainRepository(a.gitDir(APP), ["main"]);
    await plainRepository(b.gitDir(APP), ["main"]);
    const other = await plainCommit(b.gitDir(APP), "other", [main!]);
    await plainGit(b.gitDir(APP), ["update-ref", "refs/heads/main", other]);
    const own = await plainCommit(b.gitDir(APP), "own");
    await plainGit(b.gitDir(APP), ["update-ref", "refs/heads/own", own]);
    const before = await contents(b.gitDir(APP));
    expect(await adopt(a)).toEqual({
      refused: {
        repository: APP,
        reason: expect.stringContaining("--from"),
        differences: [
          { ref: "refs/heads/main", values: { repo001: main, repo002: other } },
          { ref: "refs/heads/own", values: { repo001: null, repo002: own } },
        ],
      },
    });
    expect(await contents(b.gitDir(APP))).toEqual(before);
    expect(await adopt(a, APP, { from: "repo002" })).toEqual({ elsewhere: "repo002" });
    expect(await adopt(a, APP, { from: "repo009" })).toMatchObject({
      refused: { reason: expect.stringContaining("repo009") },
    });
    expect(await adopt(a, APP, { from: "repo001" })).toMatchObject({
      adopted: { version: "1", devices: ["repo001", "repo002"] },
    });
    await b.read(APP);
    await b.expectInLockstep(APP);
    expect(await b.refs(APP)).toEqual(await a.refs(APP));
    expect(await b.git(APP, ["for-each-ref", "--format=%(refname) %(objectname)", "refs/lockstep/lost"])).toBe(
      `refs/lockstep/lost/1/heads/main ${other}\nrefs/lockstep/lost/1/heads/own ${own}`,
    );
  });

  it("on a device that was away is taken over later if it has the refs of a version, and stays untouched if not", async () => {
    await using cluster = await TestCluster.make();
    const [a, b, c] = [await cluster.start("repo001"), await cluster.start("repo002"), await cluster.start("repo003")];
    const { main } = await plainRepository(a.gitDir(APP));
    await plainRepository(b.gitDir(APP));
    await plainRepository(c.gitDir(APP), ["main", "own"]);
    await b.stop();
    await c.stop();
    const { adopted } = (await adopt(a)) as { adopted: AdoptedRepository };
    expect(adopted.devices).toEqual(["repo001"]);
    expect(adopted.notes.join()).toContain("repo002, repo003");
    const next = await a.commit(APP, "next", { parents: [main!] });
    await a.push(APP, [change("main", main!, next)]);
    const back = await b.restart();
    expect(await back.read(APP)).toMatchObject({ version: 2n });
    await back.expectInLockstep(APP);
    const strange = await c.restart();
    const before = await contents(c.gitDir(APP));
    await expect(strange.read(APP)).rejects.toMatchObject({ code: "ADOPTION_REFUSED" });
    expect(await contents(c.gitDir(APP))).toEqual(before);
    expect(await adopt(strange)).toMatchObject({
      refused: { differences: expect.arrayContaining([expect.objectContaining({ ref: "refs/heads/own" })]) },
    });
    expect(await adopt(strange, APP, { from: "repo001" })).toMatchObject({ adopted: { version: "2" } });
    await strange.expectInLockstep(APP);
    expect(await strange.git(APP, ["for-each-ref", "--format=%(refname)", "refs/lockstep/lost"])).toContain(
      "heads/own",
    );
  });
});

describe("two adoptions at once", () => {
  /** Expects the hook and the settings of a replica, which no undoing has taken out. */
  async function expectHandedOver(device: TestDevice): Promise<void> {
    const path = device.gitDir(APP);
    expect(await plainGit(path, ["config", "receive.procReceiveRefs"])).toBe("refs/");
    expect(await readdir(join(path, "hooks"))).toContain("proc-receive");
    expect((await readdir(path)).filter((name) => /adopting|lock$|edit$/.test(name))).toEqual([]);
  }

  it("of equal directories on two devices make one repository with both", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = [await cluster.start("repo001"), await cluster.start("repo002")];
    for (const device of [a, b]) await plainRepository(device.gitDir(APP));
    const results = await Promise.all([adopt(a), adopt(b)]);
    expect(results.filter((each) => "adopted" in each).length).toBeGreaterThan(0);
    for (const device of [a, b]) {
      await vi.waitFor(() => device.read(APP), SOON);
      await device.expectInLockstep(APP);
      await expectHandedOver(device);
      await scanRoot(device.context);
      await expectHandedOver(device);
    }
    expect(await cluster.sql("select count(*)::int as n from lockstep.repository")).toEqual([{ n: 1 }]);
  });

  it("of a forgotten replica on two devices agree on one version", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const commit = await a.commit(APP, "one");
    await a.push(APP, [change("main", null, commit)]);
    await b.read(APP);
    await a.stop();
    await b.stop();
    await cluster.sql("delete from lockstep.repository");
    const devices = [await a.restart(), await b.restart()] as const;
    const results = await Promise.all(devices.map((device) => adopt(device)));
    for (const result of results) expect(result).toMatchObject({ adopted: { version: "2" } });
    for (const device of devices) {
      expect(await device.read(APP)).toMatchObject({ version: 2n });
      await device.expectInLockstep(APP);
      await expectHandedOver(device);
    }
  });
});

/** Starts a push of plain git whose pre-receive hook waits. Returns functions that let it go on and wait for its end. */
async function slowPush(cluster: TestCluster, path: string, branch: string) {
  const work = join(cluster.dir, `work-${branch.replace("/", "-")}`);
  await mkdir(work, { recursive: true });
  const clone = join(work, "clone.git");
  await plainRepository(clone, []);
  const commit = await plainCommit(clone, branch);
  await plainGit(clone, ["update-ref", `refs/heads/${branch}`, commit]);
  const hook = join(path, "hooks", "pre-receive");
  const gate = join(work, "gate");
  await writeFile(hook, `#!/bin/sh\n: >'${gate}.reached'\nwhile ! test -e '${gate}'; do sleep 0.02; done\n`);
  await chmod(hook, 0o755);
  const child = spawn("git", ["push", path, `refs/heads/${branch}`], {
    env: { PATH: process.env.PATH, HOME: work, GIT_DIR: clone, GIT_CONFIG_NOSYSTEM: "1" },
    stdio: "ignore",
  });
  const ended = new Promise<number | null>((done) => child.once("close", done));
  await vi.waitFor(() => readFile(`${gate}.reached`), SOON);
  return {
    commit,
    async finish(): Promise<number | null> {
      await writeFile(gate, "");
      return await ended;
    },
  };
}

describe("a push of plain git that began before the adoption", () => {
  it.each(["main-2", "deep/er"])("lands as a write of its own when it ends after the adoption: %s", async (branch) => {
    await using cluster = await TestCluster.make();
    const [a, b] = [await cluster.start("repo001"), await cluster.start("repo002")];
    await plainRepository(a.gitDir(APP));
    const late = await slowPush(cluster, a.gitDir(APP), branch);
    expect(await adopt(a)).toMatchObject({ adopted: { version: "1" } });
    await lookAtWatched(a.context);
    expect(await late.finish()).toBe(0);
    await vi.waitFor(async () => {
      await lookAtWatched(a.context);
      expect(await b.read(APP)).toMatchObject({ version: 2n });
    }, SOON);
    expect((await b.refs(APP))[`refs/heads/${branch}`]).toBe(late.commit);
    for (const device of [a, b]) {
      await device.read(APP);
      await device.expectInLockstep(APP);
    }
    expect(await cluster.sql("select version, author from lockstep.ref_log order by version")).toEqual([
      { version: "1", author: "olga" },
      { version: "2", author: "a push that began before the adoption" },
    ]);
  });

  it("lands also when the sidecar was killed meanwhile, and other devices have landed more", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = [await cluster.start("repo001"), await cluster.start("repo002")];
    await plainRepository(a.gitDir(APP));
    const late = await slowPush(cluster, a.gitDir(APP), "late");
    await adopt(a);
    await b.read(APP);
    await a.crash();
    const other = await b.commit(APP, "other");
    await b.push(APP, [change("other", null, other)]);
    expect(await late.finish()).toBe(0);
    const again = await a.restart();
    expect(await again.read(APP)).toMatchObject({ version: 3n });
    await again.expectInLockstep(APP);
    expect(await again.refs(APP)).toMatchObject({ "refs/heads/late": late.commit, "refs/heads/other": other });
  });

  it("loses to a write that has landed on the same ref, and is kept below refs/lockstep/lost/", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = [await cluster.start("repo001"), await cluster.start("repo002")];
    await plainRepository(a.gitDir(APP));
    const late = await slowPush(cluster, a.gitDir(APP), "same");
    await adopt(a);
    await b.read(APP);
    const other = await b.commit(APP, "other");
    await b.push(APP, [change("same", null, other)]);
    expect(await late.finish()).toBe(0);
    await a.read(APP);
    expect(await a.refs(APP)).toMatchObject({ "refs/heads/same": other });
    expect(await a.git(APP, ["for-each-ref", "--format=%(objectname)", "refs/lockstep/lost"])).toBe(late.commit);
  });

  it("on another device that had the same refs lands too", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = [await cluster.start("repo001"), await cluster.start("repo002")];
    for (const device of [a, b]) await plainRepository(device.gitDir(APP));
    const late = await slowPush(cluster, b.gitDir(APP), "late");
    await adopt(a);
    // It ends before the other device has looked at its directory.
    expect(await late.finish()).toBe(0);
    await b.read(APP);
    expect(await a.read(APP)).toMatchObject({ version: 2n });
    expect(await a.refs(APP)).toMatchObject({ "refs/heads/late": late.commit });
    await b.expectInLockstep(APP);
  });
});

describe("a replica that the database has forgotten", () => {
  async function forgotten(
    cluster: TestCluster,
  ): Promise<{ a: TestDevice; b: TestDevice; ids: [string, string, string] }> {
    const [a, b] = await cluster.pair(APP);
    const ids = await a.history(APP);
    await a.push(APP, [change("main", null, ids[0])]);
    await b.read(APP);
    await a.push(APP, [change("main", ids[0], ids[1])]);
    return { a, b, ids };
  }

  it("comes back above its version with its refs, from the device that has the newest", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, ids } = await forgotten(cluster);
    const [{ id }] = (await cluster.sql<{ id: string }>("select id from lockstep.repository")) as [{ id: string }];
    await a.stop();
    await b.stop();
    await cluster.sql("delete from lockstep.repository");
    const [again, behind] = [await a.restart(), await b.restart()];
    // Version 1 is on the other device, and version 2 here.
    expect(await adopt(behind)).toEqual({ elsewhere: "repo001" });
    expect(await adopt(again)).toMatchObject({
      adopted: { version: "3", devices: ["repo001", "repo002"], notes: [expect.stringContaining("forgotten")] },
    });
    expect(await cluster.sql("select id, head_version from lockstep.repository")).toEqual([{ id, head_version: "3" }]);
    expect(await behind.read(APP, { minVersion: 2n })).toMatchObject({ version: 3n });
    for (const device of [again, behind]) {
      await device.read(APP);
      await device.expectInLockstep(APP);
      expect((await device.refs(APP))["refs/heads/main"]).toBe(ids[1]);
    }
  });

  it("stops the repository loudly when a device that was away comes back with a newer version", async () => {
    await using cluster = await TestCluster.make();
    const { a, b } = await forgotten(cluster);
    for (const version of [3n, 4n]) {
      const commit = await a.commit(APP, `version ${version}`);
      await a.push(APP, [change(`v${version}`, null, commit)]);
    }
    await a.stop();
    await b.stop();
    await cluster.sql("delete from lockstep.repository");
    const behind = await b.restart();
    expect(await adopt(behind)).toMatchObject({ adopted: { version: "2", devices: ["repo002"] } });
    const newer = await a.restart();
    await expect(newer.read(APP)).rejects.toMatchObject({ code: "AHEAD_OF_DATABASE" });
    await expect(behind.read(APP)).rejects.toMatchObject({ code: "AHEAD_OF_DATABASE" });
  });
});
