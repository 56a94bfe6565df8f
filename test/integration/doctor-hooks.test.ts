import { execFile } from "node:child_process";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { refName, symbolicTo } from "../../src/domain.ts";
import { ensureAliasHook } from "../../src/git/refs/alias-hook.ts";
import { dir, doctor, makeDoctorSite, well } from "../support/doctor-site.ts";

makeDoctorSite();

describe("the doctor names each missing prerequisite with a remedy", () => {
  it("a folder of hooks without ours, of the user or of one replica, unless it is linked there", async () => {
    const home = join(dir, "home");
    const shared = join(home, "hooks");
    await mkdir(shared, { recursive: true });
    const config = join(home, ".gitconfig");
    await writeFile(config, "[core]\n\thooksPath = ~/hooks\n");
    const root = join(dir, "with-replica");
    const replica = join(root, "team", "app.git");
    await mkdir(join(replica, "hooks"), { recursive: true });
    const env = { ...well, HOME: home, LOCKSTEP_ROOT: root };
    const look = async () => (await doctor(env)).checks.find(({ check }) => check === "hooks");
    const shim = join(root, ".lockstep", "bin", "lockstep-git");
    expect(await look()).toEqual({
      check: "hooks",
      state: "missing",
      said: `core.hooksPath is ${shared} (${config}), and git finds no proc-receive there, so that every push is refused; run \`ln -s ${shim} ${shared}/proc-receive\`, or unset core.hooksPath.`,
    });
    const program = join(dir, "bin", "git");
    await symlink(program, join(shared, "proc-receive"));
    expect(await look()).toMatchObject({ state: "ok", said: shared });
    await promisify(execFile)(program, ["init", "--quiet", "--bare", replica]);
    await promisify(execFile)(program, ["config", "core.hooksPath", "elsewhere"], { cwd: replica });
    expect(await look()).toMatchObject({
      state: "missing",
      said: expect.stringContaining(`${replica}/elsewhere/proc-receive`),
    });
    await promisify(execFile)(program, ["config", "core.hooksPath", "hooks"], { cwd: replica });
    await symlink(program, join(replica, "hooks", "proc-receive"));
    expect(await look()).toMatchObject({ state: "ok" });
  });

  it("a folder of hooks whose pre-receive does not start ours, which a replica with aliases needs", async () => {
    const home = join(dir, "home-of-aliases");
    const shared = join(home, "hooks");
    const root = join(dir, "with-alias");
    const replica = join(root, "team", "app.git");
    const program = join(dir, "bin", "git");
    await mkdir(shared, { recursive: true });
    await writeFile(join(home, ".gitconfig"), "[core]\n\thooksPath = ~/hooks\n");
    await mkdir(replica, { recursive: true });
    await promisify(execFile)(program, ["init", "--quiet", "--bare", replica]);
    await symlink(program, join(shared, "proc-receive"));
    await symlink(program, join(replica, "hooks", "proc-receive"));
    const look = async () => {
      const { checks } = await doctor({ ...well, HOME: home, LOCKSTEP_ROOT: root });
      return checks.find(({ check }) => check === "hooks");
    };
    expect(await look()).toMatchObject({ state: "ok" });
    const alias = [refName("refs/heads/alias"), symbolicTo(refName("refs/heads/main"))] as const;
    await ensureAliasHook(replica, [[...alias]]);
    const told = {
      state: "warning",
      said: expect.stringContaining(`Let ${shared}/pre-receive end with \`exec ${root}/.lockstep/bin/lockstep-git`),
    };
    expect(await look()).toMatchObject(told);
    await writeFile(join(shared, "pre-receive"), "#!/bin/sh\nexit 0\n");
    expect(await look()).toMatchObject(told);
    await writeFile(join(shared, "pre-receive"), `#!/bin/sh\nexec ${root}/.lockstep/bin/lockstep-git pre-receive\n`);
    expect(await look()).toMatchObject({ state: "ok" });
  });
});
