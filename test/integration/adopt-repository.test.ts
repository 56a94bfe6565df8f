// The adoption of bare repositories that lie on disks.
import { chmod, cp, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AdoptedRepository } from "../../src/sync/adopt/adopt-repository.ts";
import { scanRoot } from "../../src/sync/adopt/scan-root.ts";
import { APP, adopt, contents } from "../support/adopting.ts";
import { plainGit, plainRepository } from "../support/plain-repository.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, type TestDevice } from "../support/sync-device.ts";

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

  it("a bare repository on one device whose adoption was killed before the database knew it goes on, or is taken back by a scan", async () => {
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
