import { randomBytes } from "node:crypto";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { administer } from "../support/administer.ts";
import { expectAtRest } from "../support/at-rest.ts";
import type { Device } from "../support/cluster-device.ts";
import { ada, cluster, one, startClusterOfFile, three, two } from "../support/file-cluster.ts";
import { soon } from "../support/soon.ts";

startClusterOfFile();

async function refsAt(device: Device, repository: string, protocol = 2): Promise<Record<string, string>> {
  const list = await cluster.git.git(["-c", `protocol.version=${protocol}`, "ls-remote", device.url(repository)]);
  const lines = list.split("\n").filter((line) => line !== "");
  return Object.fromEntries(lines.map((line) => line.split("\t").reverse()));
}

/** What lies on the disk of a device, without asking it. */
async function onDisk(device: Device, repository: string, ref: string): Promise<string> {
  const args = ["-c", "safe.directory=*", "rev-parse", "--verify", "--quiet", ref];
  return (await cluster.git.run(args, { cwd: device.gitDir(repository) })).stdout.trim();
}

async function hook(device: Device, repository: string, name: string, body: string): Promise<void> {
  const path = join(device.gitDir(repository), "hooks", name);
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
}

describe("a push to any device", () => {
  it.each([0, 2])("is read at every device at once afterwards, in protocol version %i", async (protocol) => {
    const repository = await cluster.createRepository();
    let tip: string | undefined;
    for (const device of [one, two, three, one, three, two]) {
      tip = await ada.commit(tip);
      await ada.land(device.url(repository), `${tip}:refs/heads/main`);
      const seen = await Promise.all(cluster.devices.map((each) => refsAt(each, repository, protocol)));
      expect(seen).toEqual(cluster.devices.map(() => ({ HEAD: tip, "refs/heads/main": tip })));
    }
    expect(await expectAtRest(cluster, repository)).toMatchObject({ version: 6 });
  });

  it.each([0, 2])("can be cloned and fetched elsewhere, in protocol version %i", async (protocol) => {
    const repository = await cluster.createRepository();
    const first = await ada.commit();
    await ada.land(one.url(repository), `${first}:refs/heads/main`);
    const version = ["-c", `protocol.version=${protocol}`];
    const clone = join(cluster.git.dir, `clone-${protocol}`);
    await cluster.git.git([...version, "clone", "--quiet", three.url(repository), clone]);
    expect(await cluster.git.git(["rev-parse", "HEAD"], { cwd: clone })).toBe(first);

    const second = await ada.commit(first);
    await ada.land(two.url(repository), `${second}:refs/heads/main`);
    await cluster.git.git([...version, "pull", "--quiet", "--ff-only"], { cwd: clone });
    expect(await cluster.git.git(["rev-parse", "HEAD"], { cwd: clone })).toBe(second);
    expect(await cluster.git.run(["fsck", "--full"], { cwd: clone })).toMatchObject({ code: 0 });
  });

  it("may create, rewind and delete branches and tags, each time at another device", async () => {
    const repository = await cluster.createRepository();
    const first = await ada.commit();
    const second = await ada.commit(first);
    await ada.land(one.url(repository), `${second}:refs/heads/main`, `${second}:refs/heads/topic/a`);
    await cluster.git.git(["tag", "--annotate", "--message=one", "v1", first], { cwd: ada.dir });
    await ada.land(two.url(repository), "v1");
    const refused = await ada.push(three.url(repository), `${first}:refs/heads/main`);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("non-fast-forward") });
    await ada.land(three.url(repository), "--force", `${first}:refs/heads/main`);
    const lease = `--force-with-lease=refs/heads/topic/a:${second}`;
    await ada.land(one.url(repository), lease, `${first}:refs/heads/topic/a`);
    await ada.land(two.url(repository), ":refs/heads/topic/a", `${second}:refs/heads/other`);
    // In the place of the directory that another device has just emptied.
    await ada.land(three.url(repository), `${second}:refs/heads/topic`);
    await ada.land(one.url(repository), ":refs/tags/v1");

    const { refs, version } = await expectAtRest(cluster, repository);
    expect(version).toBe(7);
    expect(Object.fromEntries(refs)).toEqual({
      "refs/heads/main": first,
      "refs/heads/other": second,
      "refs/heads/topic": second,
    });
  });

  it("a push with --atomic lands as a whole or not at all", async () => {
    const repository = await cluster.createRepository();
    const [first, second, stray] = [await ada.commit(), await ada.commit(), await ada.commit()];
    await ada.land(one.url(repository), "--atomic", `${first}:refs/heads/main`, `${first}:refs/heads/next`);
    await hook(two, repository, "update", 'test "$1" != refs/heads/next');
    const refused = await ada.push(
      two.url(repository),
      "--atomic",
      "--force",
      `${second}:refs/heads/main`,
      `${stray}:refs/heads/next`,
    );
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("atomic push failure") });
    const both = { "refs/heads/main": first, "refs/heads/next": first };
    expect(Object.fromEntries((await expectAtRest(cluster, repository)).refs)).toEqual(both);
  });

  it("is declined ref by ref by the update hook, and followed by the post-receive hook", async () => {
    const repository = await cluster.createRepository();
    const seen = join(cluster.dir, "post-receive");
    await hook(one, repository, "update", 'test "$1" != refs/heads/forbidden || { echo "not this one"; exit 1; }');
    await hook(one, repository, "post-receive", `{ cat; echo "$GIT_PUSH_OPTION_COUNT $GIT_PUSH_OPTION_0"; } >>${seen}`);
    const commit = await ada.commit();
    const refspecs = [`${commit}:refs/heads/main`, `${commit}:refs/heads/forbidden`];
    const { code, stderr } = await ada.push(one.url(repository), "--push-option=ci.skip", ...refspecs);
    expect(code).toBe(1);
    expect(stderr).toMatch(/remote: not this one/);
    expect(stderr).toMatch(/\[remote rejected\] .* -> forbidden \(hook declined\)/);
    expect((await expectAtRest(cluster, repository)).refs).toEqual(new Map([["refs/heads/main", commit]]));
    expect(await readFile(seen, "utf8")).toBe(`${"0".repeat(40)} ${commit} refs/heads/main\n1 ci.skip\n`);
  });

  it("does not list the refs of the repository as those of an alternate", async () => {
    const repository = await cluster.createRepository();
    const trace = join(cluster.dir, "trace");
    const args = ["push", one.gitDir(repository), `${await ada.commit()}:refs/heads/main`];
    const { code } = await cluster.git.run(args, { cwd: ada.dir, env: { GIT_TRACE2_EVENT: trace } });
    expect(code).toBe(0);
    const started = (await readFile(trace, "utf8")).split("\n").filter((line) => line.includes('"child_start"'));
    expect(started).toContainEqual(expect.stringContaining('"--alternate-refs"'));
    expect(started).not.toContainEqual(expect.stringContaining("for-each-ref"));
  });

  it("may carry 1,000 refs, which are one version", async () => {
    const repository = await cluster.createRepository();
    const commit = await ada.commit();
    const names = Array.from({ length: 1_000 }, (_, index) => `refs/heads/many/${index}`);
    await ada.land(two.url(repository), ...names.map((name) => `${commit}:${name}`));
    expect(await refsAt(three, repository)).toEqual(Object.fromEntries(names.map((name) => [name, commit])));
    expect(await expectAtRest(cluster, repository)).toMatchObject({ version: 1 });
    await ada.land(one.url(repository), ...names.map((name) => `:${name}`));
    expect(await expectAtRest(cluster, repository)).toMatchObject({ version: 2, refs: new Map() });
  });

  it("a push may carry 8 MB, sent in chunks", async () => {
    const repository = await cluster.createRepository();
    const tree = await cluster.git.workTree("large");
    const content = randomBytes(8 * 1024 * 1024);
    const commit = await cluster.git.commit(tree, "large", { "large.bin": content });
    await cluster.git.git(["push", "--quiet", one.url(repository), "HEAD:refs/heads/main"], { cwd: tree });
    const clone = join(cluster.git.dir, "large-clone");
    await cluster.git.git(["clone", "--quiet", three.url(repository), clone]);
    expect(await cluster.git.git(["rev-parse", "HEAD"], { cwd: clone })).toBe(commit);
    expect(content.equals(await readFile(join(clone, "large.bin")))).toBe(true);
  });

  it("is in the log with who, where and what", async () => {
    const repository = await cluster.createRepository();
    const commit = await ada.commit();
    await ada.land(two.url(repository), `${commit}:refs/heads/main`);
    const { code, document } = await three.lockstep("log", repository);
    expect(code).toBe(0);
    expect(document).toMatchObject({
      repository,
      log: [
        {
          version: 1,
          device: "repo002",
          author: "anonymous@127.0.0.1",
          updates: [{ ref: "refs/heads/main", old: null, new: commit }],
        },
      ],
    });
  });

  it("to a repository that does not exist fails with a sentence, and makes none", async () => {
    const { code, stderr } = await ada.push(one.url("team/nobody-made-it"), `${await ada.commit()}:refs/heads/main`);
    expect(code).toBe(128);
    expect(stderr).toMatch(/remote: .*team\/nobody-made-it/);
    const { document } = await one.lockstep("repo", "list");
    expect(document.repositories.map((each: { name: string }) => each.name)).not.toContain("team/nobody-made-it");
  });
});

describe("followers", () => {
  it("become current without being asked", async () => {
    const repository = await cluster.createRepository();
    const commit = await ada.commit();
    await ada.land(one.url(repository), `${commit}:refs/heads/main`);
    for (const device of [two, three]) {
      await vi.waitFor(async () => expect(await onDisk(device, repository, "refs/heads/main")).toBe(commit), soon());
    }
  });

  it("become current by polling where notifications are cut off", async () => {
    const repository = await cluster.createRepository();
    await three.kill();
    await three.start({ LOCKSTEP_NOTIFY_DATABASE_URL: "postgres://nobody@127.0.0.1:1/nothing" });
    const listeners = () =>
      administer(cluster.databaseUrl, async (client) => {
        const { rows } = await client.query(
          "select application_name as name from pg_stat_activity where datname = current_database() and application_name like '% listen'",
        );
        return rows.map(({ name }) => name).sort();
      });
    // PostgreSQL may be slow to notice that the one of before is gone.
    const others = ["lockstep repo001 listen", "lockstep repo002 listen"];
    await vi.waitFor(async () => expect(await listeners()).toEqual(others), soon());
    const commit = await ada.commit();
    await ada.land(one.url(repository), `${commit}:refs/heads/main`);
    await vi.waitFor(async () => expect(await onDisk(three, repository, "refs/heads/main")).toBe(commit), soon());
  });
});
