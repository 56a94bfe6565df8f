// Names of refs as stock git pushes and reads them: any bytes are the same everywhere, and what some device could not hold is refused.
import { once } from "node:events";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { expectAtRest } from "../support/at-rest.ts";
import type { Device } from "../support/cluster-device.ts";
import { ada, cluster, one, startClusterOfFile, two } from "../support/file-cluster.ts";

startClusterOfFile();

const utf8 = (text: string) => Buffer.from(text).toString("latin1");

/** Pushes branches of these names, as bytes, and nothing else. What the pusher reads is latin1. */
async function pushBranches(
  device: Device,
  repository: string,
  commit: string,
  names: readonly string[],
  ...args: string[]
) {
  const from = await cluster.git.bare(`pusher-${Math.random().toString(36).slice(2)}`);
  await writeFile(join(from, "objects/info/alternates"), `${join(ada.dir, "objects")}\n`);
  const lines = [...names].sort().map((name) => `${commit} ${name}\n`);
  await writeFile(join(from, "packed-refs"), Buffer.from(`# pack-refs with: sorted\n${lines.join("")}`, "latin1"));
  const child = cluster.git.start(["push", ...args, device.url(repository), "refs/*:refs/*"], { cwd: from });
  const [[code], said] = await Promise.all([once(child, "close"), buffer(child.stderr!)]);
  return { code, said: said.toString("latin1") };
}

/** What stock git lists at a device, as latin1. */
async function listed(device: Device, repository: string): Promise<Record<string, string>> {
  const { bytes } = await cluster.git.run(["ls-remote", device.url(repository)]);
  const lines = bytes.toString("latin1").split("\n").filter(Boolean);
  return Object.fromEntries(lines.map((line) => line.split("\t").reverse()));
}

const BYTES = ["refs/heads/caf\xe9", "refs/heads/\xff\xfe/\x80", utf8("refs/heads/glück"), "refs/tags/it's\"\xe9"];

describe("names that are not UTF-8", () => {
  it("are pushed to any device and read at every one", async () => {
    const repository = await cluster.createRepository();
    const commit = await ada.commit();
    expect(await pushBranches(one, repository, commit, BYTES)).toMatchObject({ code: 0 });
    const refs = Object.fromEntries(BYTES.map((name) => [name, commit]));
    for (const device of cluster.devices) expect(await listed(device, repository)).toEqual(refs);
    const next = await ada.commit(commit);
    expect(await pushBranches(two, repository, next, BYTES, "--force")).toMatchObject({ code: 0 });
    for (const device of cluster.devices)
      expect(await listed(device, repository)).toEqual(Object.fromEntries(BYTES.map((name) => [name, next])));
    await expectAtRest(cluster, repository);
    const { document } = await one.lockstep("log", repository);
    expect(document.log[0].updates.map(({ ref }: { ref: string }) => ref).sort()).toEqual(
      ["refs/heads/\\xff\\xfe/\\x80", "refs/heads/caf\\xe9", "refs/heads/glück", "refs/tags/it's\"\\xe9"].sort(),
    );
  });

  it("are what the update hook is given, which protects exactly the one it means", async () => {
    const repository = await cluster.createRepository();
    const seen = join(cluster.dir, "update-saw");
    const hook = join(one.gitDir(repository), "hooks", "update");
    await writeFile(hook, `#!/bin/sh\nprintf '%s\\n' "$1" >>${seen}\ntest "$1" != "$(printf 'refs/heads/caf\\351')"\n`);
    await chmod(hook, 0o755);
    const commit = await ada.commit();
    const { code, said } = await pushBranches(one, repository, commit, [...BYTES, "refs/heads/caf\xe8"]);
    expect(code).toBe(1);
    expect(said).toContain("caf\xe9 (hook declined)");
    const landed = Object.keys(await listed(one, repository)).sort();
    expect(landed).toEqual([...BYTES.slice(1), "refs/heads/caf\xe8"].sort());
    const lines = (await readFile(seen, "latin1")).trimEnd().split("\n").sort();
    expect(lines).toEqual([...BYTES, "refs/heads/caf\xe8"].sort());
    await expectAtRest(cluster, repository);
  });

  it("may be the branch of HEAD and the target of a symbolic ref, made in a session", async () => {
    const repository = await cluster.createRepository();
    const commit = await ada.commit();
    await pushBranches(one, repository, commit, BYTES);
    const script = [
      "printf 'ref: refs/heads/caf\\351\\n' >HEAD",
      "printf 'ref: refs/heads/gl\\303\\274ck\\n' >refs/heads/alias",
    ].join("; ");
    const locked = await one.print("lock", repository, "--", "sh", "-c", `cd "$GIT_DIR" && ${script}`);
    expect(locked).toMatchObject({ code: 0 });
    for (const device of cluster.devices) {
      const list = ["ls-remote", "--symref", device.url(repository), "HEAD"];
      expect((await cluster.git.run(list)).bytes.toString("latin1")).toContain("ref: refs/heads/caf\xe9\tHEAD");
      const verified = await device.lockstep("verify", repository);
      expect(verified.document).toMatchObject({ ok: true, differences: [] });
    }
    // And the next session goes on from there.
    const again = await two.print("lock", repository, "--", "git", "symbolic-ref", "HEAD", "refs/heads/glück");
    expect(again).toMatchObject({ code: 0 });
    await expectAtRest(cluster, repository);
  });
});

describe("names that some device could not hold", () => {
  const allowed = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)).filter(
    // The last two begin a character that turns the direction of text.
    (each) => each > " " && !"\x7f~^:?*[\\./@{\xd8\xe2".includes(each),
  );
  const noise = (length: number) =>
    Array.from({ length }, () => allowed[Math.floor(Math.random() * allowed.length)]).join("");
  const bad = {
    "name of more than 1000 bytes": [`refs/heads/${noise(2_800)}`, `refs/heads/${"abc/".repeat(247)}d0`],
    "part of the name of more than 240 bytes": [`refs/heads/${noise(241)}`],
    "name with a character that changes the direction of text": [utf8("refs/heads/\u202eniam")],
  };
  const longest = [`refs/heads/${"abc/".repeat(247)}d`, `refs/heads/${noise(240)}`];

  it("are refused one by one in words, and the others land everywhere", async () => {
    const repository = await cluster.createRepository();
    const commit = await ada.commit();
    expect(longest[0]).toHaveLength(1_000);
    const good = ["refs/heads/main", ...longest];
    const { code, said } = await pushBranches(one, repository, commit, [...good, ...Object.values(bad).flat()]);
    expect(code).toBe(1);
    for (const [why, names] of Object.entries(bad))
      expect(said.split(`(${why})`).length - 1, `${why} in ${said}`).toBe(names.length);
    const refs = Object.fromEntries([...good, "HEAD"].map((name) => [name, commit]));
    for (const device of cluster.devices) expect(await listed(device, repository)).toEqual(refs);
    await expectAtRest(cluster, repository);
  });

  it("refuse a whole push that is --atomic", async () => {
    const repository = await cluster.createRepository();
    const commit = await ada.commit();
    const names = ["refs/heads/main", `refs/heads/${noise(2_800)}`];
    const { code, said } = await pushBranches(one, repository, commit, names, "--atomic");
    expect(code).toBe(1);
    expect(said).toContain("name of more than 1000 bytes");
    expect(await listed(one, repository)).toEqual({});
  });

  it.each([
    ["refs/lockstep", "refs/lockstep: refs/lockstep/ belongs to Lockstep"],
    ["refs/stash", "refs/stash: funny refname"],
    [`refs/heads/${"x".repeat(245)}`, "part of the name of more than 240 bytes"],
  ])("%s: are refused to a session, whose next one is not in its way", async (name, why) => {
    const repository = await cluster.createRepository();
    const commit = await ada.commit();
    await pushBranches(one, repository, commit, ["refs/heads/main"]);
    const refused = await one.print("lock", repository, "--", "git", "update-ref", name, commit);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain(why);
    expect(refused.stderr).toContain("what it changed is kept in refs/lockstep/dropped/");
    const next = await two.print("lock", repository, "--", "git", "update-ref", "refs/heads/fine", commit);
    expect(next).toMatchObject({ code: 0 });
    const { refs } = await expectAtRest(cluster, repository);
    expect([...refs.keys()]).toEqual(["refs/heads/fine", "refs/heads/main"]);
  });
});
