// A shim that a stranger starts asks only the sidecar of its own server.
import { spawn, spawnSync } from "node:child_process";
import { chown, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { encodeFrame } from "../support/hook-frames.ts";
import { type Shim, Site, shims } from "../support/shim-site.ts";
import { isRoot, owned, PROGRAMS, runs, trap } from "../support/shim-trap.ts";

const NOBODY = 65_534;

if (!isRoot) console.warn("sockets of other users are not tested: that takes root");

describe.each(shims)("the $name shim, started by a stranger", (shim: Shim) => {
  it("does not look for a sidecar where the environment of git's configuration says", async () => {
    await using site = await Site.create(shim);
    delete site.env.LOCKSTEP_SOCKET_DIR;
    await using trapped = await trap(site, (peer) => peer.exit(7));
    const socketDir = join(trapped.repository, "..");
    const env = { GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "lockstep.socketDir", GIT_CONFIG_VALUE_0: socketDir };
    await site.act(["lockstep-upload-pack", trapped.repository], env);
    expect(trapped.asked()).toBe(0);
  });

  it.each(
    PROGRAMS.flatMap(
      (name) =>
        [
          [name, "U, which runs programs", "U", runs],
          [name, "O, which speaks for git", "O", () => "0000"],
          [name, "R", "R", () => "0"],
          [name, "I", "I", () => ""],
          [name, "H", "H", () => "version=1\0"],
          [name, "Q", "Q", () => ""],
        ] as const,
    ),
  )("as %s takes no frame %s", async (name, _what, type, payload) => {
    await using site = await Site.create(shim);
    await using sidecar = await site.sidecar((peer) => {
      peer.send(type, payload(site));
      peer.send("P", site.repository);
      peer.exit(0);
    });
    const { code, stdout, stderr } = await site.act([name, site.repository]);
    await sidecar.served();
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain("the sidecar ended the connection without an answer");
    expect(await owned(site)).toBe(false);
  });

  it.runIf(isRoot)("as a hook asks no sidecar of another user's than root's and the repository's owner's", async () => {
    await using site = await Site.create(shim);
    await using foreign = await foreignSidecar(site);
    const { code, stderr } = await site.push();
    expect(code).toBe(1);
    expect(stderr).toContain("the socket of the sidecar belongs to another user than the repositories");
    expect(foreign.asked()).toBe("");
    await chown(site.repository, NOBODY, NOBODY);
    site.git(site.dir, "config", "--global", "safe.directory", "*");
    expect((await site.push()).stderr).not.toContain("another user");
  });

  it.runIf(isRoot).each(PROGRAMS)("as %s asks no sidecar of another user's", async (name) => {
    await using site = await Site.create(shim);
    await using foreign = await foreignSidecar(site);
    const { code, stderr } = await site.act([name, site.repository]);
    expect(code).toBe(1);
    expect(stderr).toContain("the socket of the sidecar belongs to another user than the repositories");
    expect(foreign.asked()).toBe("");
  });

  it("takes no relative path for the socket's directory: it would be the client's", async () => {
    await using site = await Site.create(shim);
    site.env.LOCKSTEP_SOCKET_DIR = "run";
    const { code, stderr } = await site.act(["lockstep-upload-pack", site.repository]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^lockstep: the socket directory of this server is no absolute path, so nothing was read;/);
  });
});

/** A sidecar that another user runs, which would land everything. Tells what it was asked. */
async function foreignSidecar(site: Site): Promise<AsyncDisposable & { asked: () => string }> {
  const path = join(site.dir, "hook.sock");
  const heard = join(site.dir, "heard");
  await mkdir(join(site.dir, "foreign"));
  await chown(site.dir, NOBODY, NOBODY);
  const answer = Buffer.concat([encodeFrame("E", "yes\n"), encodeFrame("X", "0")]).toString("base64");
  const script = `
    require("node:net").createServer((socket) => {
      socket.on("error", () => {});
      socket.on("data", (data) => require("node:fs").appendFileSync(${JSON.stringify(heard)}, data));
      socket.end(Buffer.from("${answer}", "base64"));
    }).listen(${JSON.stringify(path)}, () => console.log("listening"));`;
  const child = spawn(process.execPath, ["-e", script], {
    uid: NOBODY,
    gid: NOBODY,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  await new Promise((resolve) => child.stdout.once("data", resolve));
  return {
    asked: () => spawnSync("cat", [heard], { encoding: "utf8" }).stdout,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
