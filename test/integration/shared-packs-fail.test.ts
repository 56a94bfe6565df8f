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
import * as site from "../support/pack-site.ts";
import { hasNative } from "../support/shim-site.ts";
import { SOON } from "../support/sync-device.ts";

describe.skipIf(!hasNative)("a pack that several clients ask for", () => {
  site.startPackSite();

  it("is given up when all who waited for it have left, and the next client gets a new one", async () => {
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
    const first = site.sandbox.start([...words, "first"], {
      env: { LOCKSTEP_SOCKET_DIR: site.device.context.socketDir },
    });
    await vi.waitFor(() => expect(site.answers).toEqual(["made"]), SOON);
    first.kill("SIGKILL");
    await vi.waitFor(async () => expect(await site.files()).toEqual([]), SOON);
    await go();
    await site.clone("second");
    expect(site.answers).toEqual(["made", "made"]);
  });

  it("that git cannot make is an error for each client, is not kept, and tells git's words", async () => {
    const words = [
      "clone",
      "--bare",
      "--no-local",
      "--upload-pack",
      site.uploadPack,
      site.device.gitDir(site.REPOSITORY),
    ];
    const env = { LOCKSTEP_SOCKET_DIR: site.device.context.socketDir };
    for (const into of ["first", "second"]) {
      const go = join(site.sandbox.dir, `go-${into}`);
      const wait = `while [ ! -e '${go}' ]; do sleep 0.01; done`;
      // A git that fails before the hook has opened its files is no error: the hook then becomes git's own command.
      await site.device.beforeGit(
        `case "$*" in *pack-objects*--stdout*) echo 'no such luck' >&2; ${wait}; exit 128; esac`,
      );
      const cloning = site.sandbox.start([...words, into], { env });
      const ended = once(cloning, "close");
      let told = "";
      cloning.stderr?.setEncoding("utf8").on("data", (said: string) => {
        told += said;
        if (told.includes("no such luck")) void writeFile(go, "");
      });
      expect(await ended).toEqual([128, null]);
    }
    // The device removes the files a moment after its clients have ended.
    await vi.waitFor(async () => expect(await site.files()).toEqual([]), SOON);
    await site.device.beforeGit("");
    await site.clone("third");
  });

  it("breaks off for clients that have a part of it when the sidecar ends, and nobody gets half a repository", async () => {
    await site.holdPacks();
    const words = ["clone", "--bare", "--progress", "--no-local", "--upload-pack", site.uploadPack];
    const env = { LOCKSTEP_SOCKET_DIR: site.device.context.socketDir };
    const cloning = site.sandbox.start([...words, site.device.gitDir(site.REPOSITORY), "first"], { env });
    const [code] = await Promise.all([
      once(cloning, "exit"),
      (async () => {
        for await (const line of createInterface(cloning.stderr!)) if (line.includes("half way")) break;
        await site.hooks[Symbol.asyncDispose]();
      })(),
    ]);
    expect(code).toEqual([128, null]);
    await vi.waitFor(async () => expect(await processesAt(site.device.gitDir(site.REPOSITORY))).toEqual([]), SOON);
  });

  it("is made by the client's own git when no sidecar answers", async () => {
    await site.hooks[Symbol.asyncDispose]();
    await site.clone("first");
    expect(site.answers).toEqual([]);
  });

  it("is made by the client's own git when a sidecar accepts and says nothing for long", async () => {
    await site.hooks[Symbol.asyncDispose]();
    const path = join(site.device.context.socketDir, "hook.sock");
    await rm(path, { force: true });
    let asked = 0;
    const silent = createServer(() => {
      asked += 1;
    }).listen(path);
    try {
      await site.clone("first");
      expect(asked).toBeGreaterThan(0);
    } finally {
      silent.close();
    }
  });

  it("breaks off when the sidecar hangs in the middle of it", async () => {
    await site.hooks[Symbol.asyncDispose]();
    const pack = join(site.sandbox.dir, "pack");
    await writeFile(pack, "PACK");
    await writeFile(`${pack}.words`, "");
    const path = join(site.device.context.socketDir, "hook.sock");
    await rm(path, { force: true });
    const hung = createServer((socket) => void socket.write(encodeFrames("P", pack))).listen(path);
    try {
      const words = ["clone", "--quiet", "--bare", "--no-local", "--upload-pack", site.uploadPack];
      expect((await site.client([...words, site.device.gitDir(site.REPOSITORY), "first"])).code).toBe(128);
    } finally {
      hung.close();
    }
  });

  it("is made by the client's own git when the replica is in doubt", async () => {
    site.device.replica(site.REPOSITORY).applied = undefined;
    await site.clone("first");
    expect(site.answers).toEqual([]);
  });

  it("is made by the client's own git when the repository is larger than the cache", async () => {
    await site.device.git(site.REPOSITORY, ["repack", "-adq"]);
    await site.reopen({ limit: 100 });
    await site.clone("first");
    expect(site.answers).toEqual(["alone"]);
    expect(await site.files()).toEqual([]);
  });
});
