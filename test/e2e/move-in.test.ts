// The section "Move in" of README.md, step by step, with its commands word for word: a git server without Lockstep
// serves bare repositories, and goes on serving them.
import { chmod, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { expectAtRest } from "../support/at-rest.ts";
import type { Device } from "../support/cluster-device.ts";
import { ada, cluster, one, startClusterOfFile, three, two } from "../support/file-cluster.ts";
import { backend } from "../support/plain-git-server.ts";
import { plainCommit, plainGit, plainRepository } from "../support/plain-repository.ts";
import { soon } from "../support/soon.ts";

const SOON = soon(100);

startClusterOfFile();

/** Serves the repositories below the root of a device as they are, to anybody. */
async function gitServer({ demo }: Device) {
  const server = createServer((request, response) => backend(demo.root, request, response));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    url: (repository: string) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/${repository}.git`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((done) => server.close(() => done()));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** The commands of the section, in their order. */
async function commandsOfThePage(): Promise<string[]> {
  const page = await readFile(new URL("../../README.md", import.meta.url), "utf8");
  const section = /^### Move in\n(.*?)^### /ms.exec(page)?.[1] ?? "";
  return [...section.replace(/\s+/g, " ").matchAll(/`lockstep (?!serve)([^`]*)`/g)].map(([, command]) => command!);
}

it("repositories of a plain git server are taken in where they lie, and the server goes on serving", async () => {
  const [status, dryRun, adopt, ...rest] = await commandsOfThePage();
  expect([status, dryRun, adopt, ...rest]).toEqual([
    "status",
    "repo adopt --all --dry-run",
    "repo adopt team/app",
    "status",
  ]);
  await using server = await gitServer(one);
  for (const repository of ["team/app", "team/lib"]) {
    const dir = one.gitDir(repository);
    await plainRepository(dir);
    await plainGit(dir, ["config", "http.receivepack", "true"]);
    await plainGit(dir, ["config", "receive.denyDeletes", "true"]);
    await writeFile(join(dir, "hooks", "post-receive"), "#!/bin/sh\necho a hook of ours\n");
    await chmod(join(dir, "hooks", "post-receive"), 0o755);
  }
  // Another machine has one of them too, with other refs.
  await plainRepository(two.gitDir("team/lib"));
  const other = await plainCommit(two.gitDir("team/lib"), "other");
  await plainGit(two.gitDir("team/lib"), ["update-ref", "refs/heads/main", other]);
  const before = await ada.commit();
  expect(await ada.push(server.url("team/app"), `${before}:refs/heads/before`)).toMatchObject({ code: 0 });

  await vi.waitFor(async () => {
    const { stdout } = await one.print(...status!.split(" "));
    for (const repository of ["team/app", "team/lib"]) expect(stdout).toContain(one.gitDir(repository));
  }, SOON);
  const planned = await one.print(...dryRun!.split(" "));
  expect(planned.code).toBe(1);
  expect(planned.stdout).toMatch(/team\/app/);
  expect(planned.stdout).toMatch(/team\/lib.*--from/);
  expect(await one.print(...adopt!.split(" "))).toMatchObject({ code: 0 });

  const after = await ada.commit();
  const pushed = await ada.push(server.url("team/app"), `${after}:refs/heads/after`);
  expect(pushed).toMatchObject({ code: 0, stderr: expect.stringContaining("a hook of ours") });
  expect(await ada.push(server.url("team/app"), ":refs/heads/before")).not.toMatchObject({ code: 0 });
  const { version, refs, log } = await expectAtRest(cluster, "team/app");
  expect({ version, count: log.length }).toEqual({ version: 2, count: 2 });
  expect([...refs]).toEqual(
    expect.arrayContaining([
      ["refs/heads/before", before],
      ["refs/heads/after", after],
    ]),
  );
  // The rest of the page: the refs of the first machine stay, and the second keeps its own.
  const all = await one.print("repo", "adopt", "--all");
  expect(all).toMatchObject({ code: 1, stdout: expect.stringContaining("refs/heads/main") });
  expect(await one.print("repo", "adopt", "team/lib", "--from", "repo001")).toMatchObject({ code: 0 });
  await expectAtRest(cluster, "team/lib");
  expect(await plainGit(two.gitDir("team/lib"), ["for-each-ref", "refs/lockstep/lost/"])).toContain(other);
  for (const device of [two, three])
    expect(await cluster.git.git(["ls-remote", device.url("team/app")])).toContain(after);
  expect((await one.print(...rest[0]!.split(" "))).stdout).not.toContain(one.gitDir("team/app"));
});
