// A pack that the sidecar does not make for its clients, or not to its end: the client's own git makes it, or the client
// gets an error and no half repository.
import { once } from "node:events";
import { rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, it, vi } from "vitest";
import { encodeFrames } from "../../src/framing/frames.ts";
import { processesAt } from "../support/git.ts";
import {
  answers,
  client,
  clone,
  device,
  files,
  holdPacks,
  hooks,
  REPOSITORY,
  reopen,
  sandbox,
  startPackSite,
  uploadPack,
} from "../support/pack-site.ts";
import { hasNative } from "../support/shim-site.ts";
import { SOON } from "../support/sync-device.ts";

describe.skipIf(!hasNative)("a pack that several clients ask for", () => {
  startPackSite();

  it("is given up when all who waited for it have left, and the next client gets a new one", async () => {
    const go = await holdPacks();
    const words = ["clone", "--quiet", "--bare", "--no-local", "--upload-pack", uploadPack, device.gitDir(REPOSITORY)];
    const first = sandbox.start([...words, "first"], { env: { LOCKSTEP_SOCKET_DIR: device.context.socketDir } });
    await vi.waitFor(() => expect(answers).toEqual(["made"]), SOON);
    first.kill("SIGKILL");
    await vi.waitFor(async () => expect(await files()).toEqual([]), SOON);
    await go();
    await clone("second");
    expect(answers).toEqual(["made", "made"]);
  });

  it("that git cannot make is an error for each client, is not kept, and tells git's words", async () => {
    const words = ["clone", "--bare", "--no-local", "--upload-pack", uploadPack, device.gitDir(REPOSITORY)];
    const env = { LOCKSTEP_SOCKET_DIR: device.context.socketDir };
    for (const into of ["first", "second"]) {
      const go = join(sandbox.dir, `go-${into}`);
      const wait = `while [ ! -e '${go}' ]; do sleep 0.01; done`;
      // A git that fails before the hook has opened its files is no error: the hook then becomes git's own command.
      await device.beforeGit(`case "$*" in *pack-objects*--stdout*) echo 'no such luck' >&2; ${wait}; exit 128; esac`);
      const cloning = sandbox.start([...words, into], { env });
      const ended = once(cloning, "close");
      let told = "";
      cloning.stderr?.setEncoding("utf8").on("data", (said: string) => {
        told += said;
        if (told.includes("no such luck")) void writeFile(go, "");
      });
      expect(await ended).toEqual([128, null]);
    }
    expect(await files()).toEqual([]);
    await device.beforeGit("");
    await clone("third");
  });

  it("breaks off for clients that have a part of it when the sidecar ends, and nobody gets half a repository", async () => {
    await holdPacks();
    const words = ["clone", "--bare", "--progress", "--no-local", "--upload-pack", uploadPack];
    const env = { LOCKSTEP_SOCKET_DIR: device.context.socketDir };
    const cloning = sandbox.start([...words, device.gitDir(REPOSITORY), "first"], { env });
    const [code] = await Promise.all([
      once(cloning, "exit"),
      (async () => {
        for await (const line of createInterface(cloning.stderr!)) if (line.includes("half way")) break;
        await hooks[Symbol.asyncDispose]();
      })(),
    ]);
    expect(code).toEqual([128, null]);
    await vi.waitFor(async () => expect(await processesAt(device.gitDir(REPOSITORY))).toEqual([]), SOON);
  });

  it("is made by the client's own git when no sidecar answers", async () => {
    await hooks[Symbol.asyncDispose]();
    await clone("first");
    expect(answers).toEqual([]);
  });

  it("is made by the client's own git when a sidecar accepts and says nothing for long", async () => {
    await hooks[Symbol.asyncDispose]();
    const path = join(device.context.socketDir, "hook.sock");
    await rm(path, { force: true });
    const silent = createServer(() => {}).listen(path);
    try {
      await clone("first");
    } finally {
      silent.close();
    }
  });

  it("breaks off when the sidecar hangs in the middle of it", async () => {
    await hooks[Symbol.asyncDispose]();
    const pack = join(sandbox.dir, "pack");
    await writeFile(pack, "PACK");
    await writeFile(`${pack}.words`, "");
    const path = join(device.context.socketDir, "hook.sock");
    await rm(path, { force: true });
    const hung = createServer((socket) => void socket.write(encodeFrames("P", pack))).listen(path);
    try {
      const words = ["clone", "--quiet", "--bare", "--no-local", "--upload-pack", uploadPack];
      expect((await client([...words, device.gitDir(REPOSITORY), "first"])).code).toBe(128);
    } finally {
      hung.close();
    }
  });

  it("is made by the client's own git when the replica is in doubt", async () => {
    device.replica(REPOSITORY).applied = undefined;
    await clone("first");
    expect(answers).toEqual([]);
  });

  it("is made by the client's own git when the repository is larger than the cache", async () => {
    await device.git(REPOSITORY, ["repack", "-adq"]);
    await reopen({ limit: 100 });
    await clone("first");
    expect(answers).toEqual(["alone"]);
    expect(await files()).toEqual([]);
  });
});
