// The native programs in a directory of their own, for a git server without Node: the program is that of dist/.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PROGRAM } from "../support/cluster-device.ts";
import { hasNative, NATIVE } from "../support/shim-site.ts";

const run = promisify(execFile);
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lockstep-install-shims-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe.skipIf(!hasNative)("lockstep install-shims", () => {
  it("installs the native program under each of its names, and replaces an older one", async () => {
    const shims = join(folder, "shims");
    await mkdir(shims);
    await writeFile(join(shims, "lockstep-git"), "an older program");
    await writeFile(join(shims, "lockstep-shell"), "an older link");
    await install(shims);
    expect((await readdir(shims)).sort()).toEqual([
      "lockstep-git",
      "lockstep-git.settings",
      "lockstep-receive-pack",
      "lockstep-shell",
      "lockstep-upload-pack",
    ]);
    expect((await readFile(join(shims, "lockstep-git"))).equals(await readFile(NATIVE))).toBe(true);
    expect(await readlink(join(shims, "lockstep-shell"))).toBe("lockstep-git");
    await install(shims);
    await access(join(shims, "lockstep-shell"));
  });

  it("tells the programs where the sidecar listens, so they find it without variables", async () => {
    const shims = join(folder, "shims");
    await install(shims);
    const socketDir = join(folder, "sockets");
    await mkdir(socketDir);
    await mkdir(join(folder, "root", "app.git"), { recursive: true });
    const sidecar = createServer().listen(join(socketDir, "hook.sock"));
    await once(sidecar, "listening");
    const asked = once(sidecar, "connection");
    const shell = spawn(join(shims, "lockstep-shell"), ["-c", "git-upload-pack 'app.git'"], {
      env: {},
      stdio: "ignore",
    });
    const ended = once(shell, "exit");
    const [connection] = await asked;
    const [frame] = await once(connection, "data");
    expect(frame.toString()).toContain("dir=app.git");
    connection.destroy();
    await ended;
    sidecar.close();
  });

  it("refuses without the root, in one sentence", async () => {
    const refused = run(process.execPath, [PROGRAM, "install-shims", folder], { env: { PATH: "/usr/bin:/bin" } });
    await expect(refused).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^lockstep: --root .*\.\n$/),
    });
  });
});

async function install(shims: string): Promise<void> {
  const settings = ["--root", join(folder, "root"), "--socket-dir", join(folder, "sockets")];
  await run(process.execPath, [PROGRAM, "install-shims", shims, ...settings], { env: { PATH: "/usr/bin:/bin" } });
}
