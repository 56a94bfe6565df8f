// Clients who ask for the same pack get one pack, from the sidecar, through git's hook for packs. The git server of each
// client is a real `git upload-pack` that starts the native program.
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import {
  answers,
  client,
  clone,
  device,
  files,
  holdPacks,
  objectsOf,
  packs,
  packsMade,
  plainClone,
  push,
  REPOSITORY,
  refsOf,
  reopen,
  sandbox,
  startPackSite,
  tip,
  uploadPack,
} from "../support/pack-site.ts";
import { hasNative } from "../support/shim-site.ts";
import { SOON } from "../support/sync-device.ts";

describe.skipIf(!hasNative)("a pack that several clients ask for", () => {
  startPackSite();

  it("is made once for ten clients at once, and each has what git would give it", async () => {
    await plainClone("plain");
    const names = Array.from({ length: 10 }, (_, index) => `clone-${index}`);
    await Promise.all(names.map((name) => clone(name)));
    expect(await packsMade()).toHaveLength(1);
    expect(answers.sort()).toEqual(["made", ...Array(9).fill("shared")]);
    for (const name of names) {
      expect(await objectsOf(name)).toEqual(await objectsOf("plain"));
      expect(await refsOf(name)).toBe(await refsOf("plain"));
    }
  });

  it.each([
    ["a shallow clone", ["--depth=1", "--no-single-branch"]],
    ["a clone without blobs", ["--filter=blob:none"]],
    ["a clone without deep trees", ["--filter=tree:1"]],
    ["a clone of one branch", ["--single-branch", "--branch=main"]],
  ])("is what git would give: %s", async (_, options) => {
    await sandbox.git(["config", "uploadpack.allowFilter", "true"], { cwd: device.gitDir(REPOSITORY) });
    await plainClone("plain", ...options);
    await device.gitCommands();
    await clone("first", ...options);
    await clone("second", ...options);
    expect(answers).toEqual(["made", "shared"]);
    for (const name of ["first", "second"]) expect(await objectsOf(name)).toEqual(await objectsOf("plain"));
  });

  it("differs between a clone with a filter and one without", async () => {
    await sandbox.git(["config", "uploadpack.allowFilter", "true"], { cwd: device.gitDir(REPOSITORY) });
    await clone("without-blobs", "--filter=blob:none");
    await clone("whole");
    expect(answers).toEqual(["made", "made"]);
    expect((await objectsOf("whole")).length).toBeGreaterThan((await objectsOf("without-blobs")).length);
  });

  it("is shared by clients of git http-backend, with the setting in the environment", async () => {
    const packet = (line: string) => (line.length + 4).toString(16).padStart(4, "0") + line;
    const body = [packet("command=fetch"), "0001", packet(`want ${tip}\n`), packet("done\n"), "0000"].join("");
    const env = {
      LOCKSTEP_SOCKET_DIR: device.context.socketDir,
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "uploadpack.packObjectsHook",
      GIT_CONFIG_VALUE_0: join(sandbox.dir, "bin", "lockstep-pack-objects"),
      GIT_PROJECT_ROOT: device.context.root,
      GIT_HTTP_EXPORT_ALL: "1",
      GIT_PROTOCOL: "version=2",
      REQUEST_METHOD: "POST",
      PATH_INFO: `/${REPOSITORY}.git/git-upload-pack`,
      CONTENT_TYPE: "application/x-git-upload-pack-request",
      CONTENT_LENGTH: String(body.length),
    };
    for (const _ of [1, 2])
      expect((await sandbox.run(["http-backend"], { env, input: body })).bytes.toString("latin1")).toContain("PACK");
    expect(answers).toEqual(["made", "shared"]);
  });

  it("has new tags after they were pushed, though the clients want the same commit", async () => {
    await clone("before", "--single-branch");
    const tag = await device.git(
      REPOSITORY,
      ["mktag"],
      `object ${tip}\ntype commit\ntag v1\ntagger A <a@b.c> 1 +0000\n\nx\n`,
    );
    await push("refs/tags/v1", tag);
    await clone("after", "--single-branch");
    await plainClone("plain", "--single-branch");
    expect(await refsOf("after")).toBe(await refsOf("plain"));
    expect(await objectsOf("after")).toContainEqual(expect.stringContaining(tag));
  });

  it("is not made anew because a branch moved that the client does not want", async () => {
    await clone("before", "--single-branch");
    await push("refs/heads/other", tip);
    await clone("after", "--single-branch");
    expect(answers).toEqual(["made", "shared"]);
  });

  it("is shared by clients who have the same part, from the second one on; others get their own", async () => {
    const runners = ["one", "two", "three"];
    for (const name of [...runners, "behind"]) await clone(name);
    const next = await device.commit(REPOSITORY, "next", { parents: [tip] });
    await push("refs/heads/main", next, tip);
    const last = await device.commit(REPOSITORY, "last", { parents: [next] });
    answers.length = 0;
    const fetch = async (name: string) => {
      const words = ["fetch", "--quiet", "--upload-pack", uploadPack, "origin", "+refs/heads/*:refs/heads/*"];
      expect(await client(words, join(sandbox.dir, name))).toMatchObject({ code: 0, stderr: "" });
    };
    await fetch("one");
    await fetch("two");
    await fetch("three");
    expect(answers).toEqual(["alone", "made", "shared"]);
    await push("refs/heads/main", last, next);
    answers.length = 0;
    // Both want the same commit. They have different parts.
    await fetch("one");
    await fetch("behind");
    expect(answers).toEqual(["alone", "alone"]);
    await fetch("two");
    expect(answers.at(-1)).toBe("made");
    for (const name of ["one", "two", "behind"]) {
      await sandbox.git(["fsck", "--strict"], { cwd: join(sandbox.dir, name) });
      expect(await sandbox.git(["rev-parse", "main"], { cwd: join(sandbox.dir, name) })).toBe(last);
    }
  });

  it("reaches all clients while it is made, and the others when the first one leaves", async () => {
    const go = await holdPacks();
    const words = ["clone", "--quiet", "--bare", "--no-local", "--upload-pack", uploadPack, device.gitDir(REPOSITORY)];
    const env = { LOCKSTEP_SOCKET_DIR: device.context.socketDir };
    const first = sandbox.start([...words, "first"], { env });
    await vi.waitFor(() => expect(answers).toEqual(["made"]), SOON);
    const second = clone("second");
    await vi.waitFor(() => expect(answers).toEqual(["made", "shared"]), SOON);
    first.kill("SIGKILL");
    await go();
    await second;
    expect(await packsMade()).toHaveLength(1);
  });

  it("makes room for a newer one, the oldest first, and is gone after its time", async () => {
    await clone("warm");
    const { bytes } = packs;
    // Three packs of this size have no room.
    const limit = Math.ceil(2.5 * bytes);
    await reopen({ limit, keepMs: 3_000 });
    answers.length = 0;
    await clone("whole");
    await clone("shallow", "--depth=2");
    await clone("branch", "--single-branch");
    expect(packs.bytes).toBeLessThanOrEqual(limit);
    await clone("branch-again", "--single-branch");
    await clone("whole-again");
    expect(answers).toEqual(["made", "made", "made", "shared", "made"]);
    await vi.waitFor(async () => expect([packs.bytes, await files()]).toEqual([0, []]), SOON);
  });

  it("of an earlier process is removed when a sidecar starts", async () => {
    await clone("first");
    expect(await files()).toHaveLength(2);
    await reopen({});
    expect(await files()).toEqual([]);
    await reopen({ limit: 0 });
    await clone("second");
    expect(answers.at(-1)).toBe("alone");
  });
});
