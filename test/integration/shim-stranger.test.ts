// The shims as strangers start them, over ssh: whom they obey, and what for.
import { copyFile, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Shim, Site, shims } from "../support/shim-site.ts";
import { isRoot, owned, PROGRAMS, runs, trap } from "../support/shim-trap.ts";

if (!isRoot) console.warn("sockets of other users are not tested: that takes root");

/** The shim as it is installed in a root, with a file beside it that says where the sidecar and the repositories are. */
async function installed(site: Site, { socketDir, root = site.dir }: { socketDir: string; root?: string }) {
  const bin = join(site.dir, "bin");
  await mkdir(bin, { recursive: true });
  const program = join(bin, "lockstep-git");
  const settings = `${program}.settings`;
  await writeFile(settings, `socket-dir=${socketDir}\nroot=${root}\n`);
  if (site.shim.command.length > 1) return [...site.shim.command, "--settings", settings];
  await copyFile(site.shim.command[0]!, program);
  // As administrators put it into PATH.
  await symlink(program, join(site.dir, "lockstep-link"));
  return [join(site.dir, "lockstep-link")];
}

/** Runs the shim under one of its names; a link has the name in place of the first argument. */
async function actAs(site: Site, command: readonly string[], name: string, ...args: string[]) {
  const [program, ...rest] = command as [string, ...string[]];
  if (rest.length > 0) return await site.run([program, ...rest, name, ...args]);
  const link = join(site.dir, name);
  await symlink(program, link);
  return await site.run([link, ...args]);
}

describe.each(shims)("the $name shim, started by a stranger", (shim: Shim) => {
  it.each(PROGRAMS)(
    "as %s asks the sidecar that its operator has named, not that of the directory it is given",
    async (name) => {
      await using site = await Site.create(shim);
      delete site.env.LOCKSTEP_SOCKET_DIR;
      await using trapped = await trap(site, (peer) => peer.send("U", runs(site)));
      await using sidecar = await site.sidecar((peer) => peer.exit(7));
      const command = await installed(site, { socketDir: site.dir });
      expect(await actAs(site, command, name, trapped.repository)).toMatchObject({ code: 7 });
      await sidecar.served();
      expect(trapped.asked()).toBe(0);
      expect(await owned(site)).toBe(false);
    },
  );

  it("as lockstep-shell does the same, and obeys the environment of the forced command before the file", async () => {
    await using site = await Site.create(shim);
    await using trapped = await trap(site, (peer) => peer.send("U", runs(site)));
    await using sidecar = await site.sidecar((peer) => peer.exit(7));
    const command = await installed(site, { socketDir: "/nowhere" });
    site.env.SSH_ORIGINAL_COMMAND = `git-upload-pack '${trapped.repository}'`;
    expect(await actAs(site, command, "lockstep-shell")).toMatchObject({ code: 7 });
    await sidecar.served();
    expect(trapped.asked()).toBe(0);
  });

  it("takes one path, once", async () => {
    await using site = await Site.create(shim);
    await using sidecar = await site.sidecar((peer) => {
      peer.send("P", "/nowhere");
      peer.send("P", site.repository);
      peer.exit(0);
    });
    expect(await site.act(["lockstep-upload-pack", site.repository])).toMatchObject({ code: 1, stdout: "" });
    await sidecar.served();
  });

  it("as a hook takes no path: the pusher sees a hang-up", async () => {
    await using site = await Site.create(shim);
    await using sidecar = await site.sidecar(async (peer) => {
      await peer.readPush();
      peer.send("P", site.repository);
      peer.report(["ok refs/heads/main"]);
      peer.exit(0);
    });
    const { code, stderr } = await site.push();
    await sidecar.served();
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/hung up unexpectedly|unexpected disconnect/);
  });

  it.each<[string, (site: Site) => Promise<string> | string]>([
    ["the root itself", (site) => join(site.dir, "root")],
    [
      "a path with dots that lead out",
      (site) => join(site.dir, "root", "..", "it's here!.git").replace("root", "root/."),
    ],
    ["a path beside the root whose name begins as the root's does", (site) => aside(site, "root-more")],
    ["a link that leads out", (site) => link(site, join(site.dir, "root", "link.git"), site.repository)],
    ["a path that is not absolute", () => "it's here!.git"],
    ["a path that is not there", (site) => join(site.dir, "root", "missing.git")],
    ["the outside", (site) => site.repository],
  ])("does not run git on %s", async (_what, path) => {
    await using site = await Site.create(shim);
    await mkdir(join(site.dir, "root"));
    const named = await path(site);
    await using sidecar = await site.sidecar((peer) => {
      peer.send("P", named);
      peer.exit(0);
    });
    const command = await installed(site, { socketDir: site.dir, root: join(site.dir, "root") });
    const { code, stdout, stderr } = await actAs(site, command, "lockstep-upload-pack", "app");
    await sidecar.served();
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toBe(
      "lockstep: the sidecar named a repository that is not below its root, so nothing was read; tell the operator of this server.\n",
    );
  });

  it("runs git on what lies below the root, also where the root is a link, by its whole name", async () => {
    await using site = await Site.create(shim);
    const root = await link(site, join(site.dir, "root"), site.dir);
    const seen = await fakeGit(site);
    await using sidecar = await site.sidecar((peer) => {
      peer.send("P", join(root, "it's here!.git"));
      peer.exit(0);
    });
    const command = await installed(site, { socketDir: site.dir, root });
    expect(await actAs(site, command, "lockstep-upload-pack", "app")).toMatchObject({ code: 0 });
    await sidecar.served();
    expect((await seen()).args).toEqual(["upload-pack", "--", site.repository]);
  });

  it.each([
    [{ LOCKSTEP_PUSHER: "ada", USER: "git" }, "ada"],
    [{ REMOTE_USER: "grace", GL_USER: "mary" }, "grace"],
    [{ USER: "git", SSH_CONNECTION: "192.0.2.7 1 192.0.2.1 22" }, "git"],
    [{ SSH_CONNECTION: "192.0.2.7 1 192.0.2.1 22" }, "anonymous@192.0.2.7"],
    [{}, undefined],
  ])("gives git nothing of the environment %o but what is harmless, and the pusher's name", async (env, pusher) => {
    await using site = await Site.create(shim);
    const seen = await fakeGit(site);
    await using sidecar = await site.sidecar((peer) => {
      peer.send("P", site.repository);
      peer.exit(0);
    });
    const harm = {
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "uploadpack.packObjectsHook",
      GIT_CONFIG_VALUE_0: "/bin/evil",
      GIT_CONFIG_GLOBAL: "/tmp/evil",
      GIT_CONFIG_PARAMETERS: "'core.hooksPath'='/tmp'",
      GIT_SSH_COMMAND: "evil",
      GIT_SSH: "evil",
      GIT_DIR: "/tmp",
      GIT_EXEC_PATH: "/tmp",
      GIT_TRACE: "/tmp/trace",
      LD_PRELOAD: "",
      LD_LIBRARY_PATH: "/tmp",
      BASH_ENV: "/tmp/evil",
      XDG_CONFIG_HOME: "/tmp",
      PATHOLOGY: "no",
    };
    const result = await site.act(["lockstep-receive-pack", "app"], {
      ...harm,
      GIT_PROTOCOL: "version=2",
      LOCKSTEP_REQUEST_ID: "r-1",
      ...env,
    });
    await sidecar.served();
    expect(result).toMatchObject({ code: 0 });
    const { env: found } = await seen();
    expect(found).toEqual({
      PATH: site.env.PATH,
      HOME: site.dir,
      GIT_PROTOCOL: "version=2",
      GIT_ALLOC_LIMIT: "1024m",
      GIT_NO_LAZY_FETCH: "1",
      LOCKSTEP_SOCKET_DIR: site.dir,
      LOCKSTEP_REQUEST_ID: "r-1",
      ...(pusher && { LOCKSTEP_PUSHER: pusher }),
      ...("SSH_CONNECTION" in env && { SSH_CONNECTION: env.SSH_CONNECTION }),
    });
  });
});

async function link(_site: Site, path: string, target: string): Promise<string> {
  await symlink(target, path);
  return path;
}

async function aside(site: Site, name: string): Promise<string> {
  const path = join(site.dir, name, "app.git");
  await mkdir(path, { recursive: true });
  return path;
}

/** A git that notes what it was started with and does nothing. */
async function fakeGit(site: Site): Promise<() => Promise<{ args: string[]; env: Record<string, string> }>> {
  const bin = join(site.dir, "fake");
  const file = join(site.dir, "seen");
  await site.script(join(bin, "git"), `printf '%s\\0' "$@" >'${file}.args'; exec /usr/bin/env -0 >'${file}.env'`);
  site.env.PATH = `${bin}:${site.env.PATH}`;
  const strings = async (what: string) => (await readFile(`${file}.${what}`, "utf8")).split("\0").slice(0, -1);
  // What the shell of the script itself adds, and the shim (docs/hook-protocol.md).
  const added = ["PWD", "SHLVL", "_", "OLDPWD", "LOCKSTEP_CLIENT"];
  return async () => ({
    args: await strings("args"),
    env: Object.fromEntries(
      (await strings("env"))
        .map((each): [string, string] => [each.replace(/=.*/s, ""), each.replace(/^[^=]*=/, "")])
        .filter(([name]) => !added.includes(name)),
    ),
  });
}
