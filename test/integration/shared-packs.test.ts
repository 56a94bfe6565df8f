// Clients who ask for the same pack get one pack, from the sidecar, through git's hook for packs. The git server of each
// client is a real `git upload-pack` that starts the native program.
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import * as site from "../support/pack-site.ts";
import { hasNative } from "../support/shim-site.ts";
import { SOON } from "../support/sync-device.ts";

describe.skipIf(!hasNative)("a pack that several clients ask for", () => {
  site.startPackSite();

  it("is made once for ten clients at once, and each has what git would give it", async () => {
    await site.plainClone("plain");
    const names = Array.from({ length: 10 }, (_, index) => `clone-${index}`);
    await Promise.all(names.map((name) => site.clone(name)));
    expect(await site.packsMade()).toHaveLength(1);
    expect(site.answers.sort()).toEqual(["made", ...Array(9).fill("shared")]);
    for (const name of names) {
      expect(await site.objectsOf(name)).toEqual(await site.objectsOf("plain"));
      expect(await site.refsOf(name)).toBe(await site.refsOf("plain"));
    }
  });

  it.each([
    ["a shallow clone", ["--depth=1", "--no-single-branch"]],
    ["a clone without blobs", ["--filter=blob:none"]],
    ["a clone without deep trees", ["--filter=tree:1"]],
    ["a clone of one branch", ["--single-branch", "--branch=main"]],
  ])("is what git would give: %s", async (_, options) => {
    await site.sandbox.git(["config", "uploadpack.allowFilter", "true"], { cwd: site.device.gitDir(site.REPOSITORY) });
    await site.plainClone("plain", ...options);
    await site.device.gitCommands();
    await site.clone("first", ...options);
    await site.clone("second", ...options);
    expect(site.answers).toEqual(["made", "shared"]);
    for (const name of ["first", "second"]) expect(await site.objectsOf(name)).toEqual(await site.objectsOf("plain"));
  });

  it("differs between a clone with a filter and one without", async () => {
    await site.sandbox.git(["config", "uploadpack.allowFilter", "true"], { cwd: site.device.gitDir(site.REPOSITORY) });
    await site.clone("without-blobs", "--filter=blob:none");
    await site.clone("whole");
    expect(site.answers).toEqual(["made", "made"]);
    expect((await site.objectsOf("whole")).length).toBeGreaterThan((await site.objectsOf("without-blobs")).length);
  });

  it("is shared by clients of git http-backend, with the setting in the environment", async () => {
    const packet = (line: string) => (line.length + 4).toString(16).padStart(4, "0") + line;
    const body = [packet("command=fetch"), "0001", packet(`want ${site.tip}\n`), packet("done\n"), "0000"].join("");
    const env = {
      LOCKSTEP_SOCKET_DIR: site.device.context.socketDir,
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "uploadpack.packObjectsHook",
      GIT_CONFIG_VALUE_0: join(site.sandbox.dir, "bin", "lockstep-pack-objects"),
      GIT_PROJECT_ROOT: site.device.context.root,
      GIT_HTTP_EXPORT_ALL: "1",
      GIT_PROTOCOL: "version=2",
      REQUEST_METHOD: "POST",
      PATH_INFO: `/${site.REPOSITORY}.git/git-upload-pack`,
      CONTENT_TYPE: "application/x-git-upload-pack-request",
      CONTENT_LENGTH: String(body.length),
    };
    for (const _ of [1, 2])
      expect((await site.sandbox.run(["http-backend"], { env, input: body })).bytes.toString("latin1")).toContain(
        "PACK",
      );
    expect(site.answers).toEqual(["made", "shared"]);
  });

  it("has new tags after they were pushed, though the clients want the same commit", async () => {
    await site.clone("before", "--single-branch");
    const tag = await site.device.git(
      site.REPOSITORY,
      ["mktag"],
      `object ${site.tip}\ntype commit\ntag v1\ntagger A <a@b.c> 1 +0000\n\nx\n`,
    );
    await site.push("refs/tags/v1", tag);
    await site.clone("after", "--single-branch");
    await site.plainClone("plain", "--single-branch");
    expect(await site.refsOf("after")).toBe(await site.refsOf("plain"));
    expect(await site.objectsOf("after")).toContainEqual(expect.stringContaining(tag));
  });

  it("is not made anew because a branch moved that the client does not want", async () => {
    await site.clone("before", "--single-branch");
    await site.push("refs/heads/other", site.tip);
    await site.clone("after", "--single-branch");
    expect(site.answers).toEqual(["made", "shared"]);
  });

  it("is shared by clients who have the same part, from the second one on; others get their own", async () => {
    const runners = ["one", "two", "three"];
    for (const name of [...runners, "behind"]) await site.clone(name);
    const next = await site.device.commit(site.REPOSITORY, "next", { parents: [site.tip] });
    await site.push("refs/heads/main", next, site.tip);
    const last = await site.device.commit(site.REPOSITORY, "last", { parents: [next] });
    site.answers.length = 0;
    const fetch = async (name: string) => {
      const words = ["fetch", "--quiet", "--upload-pack", site.uploadPack, "origin", "+refs/heads/*:refs/heads/*"];
      expect(await site.client(words, join(site.sandbox.dir, name))).toMatchObject({ code: 0, stderr: "" });
    };
    await fetch("one");
    await fetch("two");
    await fetch("three");
    expect(site.answers).toEqual(["alone", "made", "shared"]);
    await site.push("refs/heads/main", last, next);
    site.answers.length = 0;
    // Both want the same commit. They have different parts.
    await fetch("one");
    await fetch("behind");
    expect(site.answers).toEqual(["alone", "alone"]);
    await fetch("two");
    expect(site.answers.at(-1)).toBe("made");
    for (const name of ["one", "two", "behind"]) {
      await site.sandbox.git(["fsck", "--strict"], { cwd: join(site.sandbox.dir, name) });
      expect(await site.sandbox.git(["rev-parse", "main"], { cwd: join(site.sandbox.dir, name) })).toBe(last);
    }
  });

  it("reaches all clients while it is made, and the others when the first one leaves", async () => {
    const go = await site.holdPacks();
    const words = [
      "clone",
      "--quiet",
      "--bare",
      "--no-local",
      "--upload-pack",
      site.uploadPack,
      site.device.gitDir(site.REPOSITORY),
    ];
    const env = { LOCKSTEP_SOCKET_DIR: site.device.context.socketDir };
    const first = site.sandbox.start([...words, "first"], { env });
    await vi.waitFor(() => expect(site.answers).toEqual(["made"]), SOON);
    const second = site.clone("second");
    await vi.waitFor(() => expect(site.answers).toEqual(["made", "shared"]), SOON);
    first.kill("SIGKILL");
    await go();
    await second;
    expect(await site.packsMade()).toHaveLength(1);
  });

  it("makes room for a newer one, the oldest first, and is gone after its time", async () => {
    await site.clone("warm");
    const { bytes } = site.packs;
    // Three packs of this size have no room.
    const limit = Math.ceil(2.5 * bytes);
    await site.reopen({ limit });
    site.answers.length = 0;
    await site.clone("whole");
    await site.clone("shallow", "--depth=2");
    await site.clone("branch", "--single-branch");
    expect(site.packs.bytes).toBeLessThanOrEqual(limit);
    await site.clone("branch-again", "--single-branch");
    await site.clone("whole-again");
    expect(site.answers).toEqual(["made", "made", "made", "shared", "made"]);
    await site.reopen({ keepMs: 2_000 });
    site.answers.length = 0;
    await site.clone("before");
    await vi.waitFor(async () => expect([site.packs.bytes, await site.files()]).toEqual([0, []]), SOON);
    await site.clone("after");
    expect(site.answers).toEqual(["made", "made"]);
  });

  it("of an earlier process is removed when a sidecar starts", async () => {
    await site.clone("first");
    expect(await site.files()).toHaveLength(2);
    await site.reopen({});
    expect(await site.files()).toEqual([]);
    await site.reopen({ limit: 0 });
    await site.clone("second");
    expect(site.answers.at(-1)).toBe("alone");
  });
});
