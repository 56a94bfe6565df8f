// The shims as pre-receive, as git starts them: a note of the whole push, for the sidecar, and for a hook of an operator's.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Site, shims } from "../support/shim-site.ts";

const MAIN = "refs/heads/main";

describe.each(shims)("the $name shim as pre-receive", (shim) => {
  const command = shim.command.map((word) => `'${word}'`).join(" ");
  const notes = (site: Site) =>
    readdirSync(join(site.repository, "objects")).filter((name) => name.startsWith("tmp_pushed-"));

  /** main, and an alias of it; both are pushed, and what the hooks have seen is returned. */
  async function push(site: Site, hook = "") {
    await site.script(join(site.repository, "hooks", "pre-receive"), `exec ${command} pre-receive ${hook}`);
    let note: string | undefined;
    let handed: readonly string[] = [];
    await using sidecar = await site.sidecar(async (peer) => {
      const path = join(site.repository, "objects", `tmp_pushed-${peer.hello.get("push")}`);
      note = existsSync(path) ? readFileSync(path, "latin1") : undefined;
      handed = (await peer.readPush()).commands;
      site.land(handed);
      peer.report([`ok ${MAIN}`, "ok refs/heads/alias"]);
      peer.exit(0);
    });
    const result = await site.run(["git", "push", site.repository, `HEAD:${MAIN}`, "HEAD:refs/heads/alias"]);
    if (result.code === 0) await sidecar.served();
    return { result, note, handed };
  }

  async function withAlias(): Promise<Site> {
    const site = await Site.create(shim);
    site.git(site.repository, "symbolic-ref", "refs/heads/alias", MAIN);
    return site;
  }

  it("notes what git does not hand over, under a name that proc-receive tells, and git takes a report of it", async () => {
    await using site = await withAlias();
    const { result, note, handed } = await push(site);
    const [zero, id] = ["0".repeat(40), site.head()];
    expect(handed).toEqual([`${zero} ${id} ${MAIN}`]);
    expect(note?.split("\n").sort()).toEqual(["", `${zero} ${id} refs/heads/alias`, `${zero} ${id} ${MAIN}`]);
    expect(result).toMatchObject({ code: 0 });
    expect(result.stderr).not.toContain("error");
  });

  it("runs the hook of an operator with the same input, its arguments, words and answer", async () => {
    await using site = await withAlias();
    const own = await site.script(join(site.dir, "own hook"), `cat > '${site.dir}/read'; echo "no $1" >&2; exit 3`);
    const { result, note } = await push(site, `'${own}' 'not today'`);
    expect(result.stderr).toContain("remote: no not today");
    expect(result.stderr).toContain("pre-receive hook declined");
    expect(note).toBeUndefined();
    const [left] = notes(site);
    expect(readFileSync(join(site.dir, "read"))).toEqual(readFileSync(join(site.repository, "objects", left!)));
    await site.script(own, "exit 0");
    expect((await push(site, `'${own}'`)).note).toContain("refs/heads/alias");
  });

  it("refuses the push where that hook cannot be run, or cannot read it", async () => {
    await using site = await withAlias();
    const missing = await push(site, "/nowhere/at-all");
    expect(missing.result.stderr).toContain("the hook at-all cannot be run");
    expect(missing.result.stderr).toContain("pre-receive hook declined");
    const own = await site.script(join(site.dir, "own"), "exit 0");
    // The key is not known before, so that no file can be in the way: the whole place is.
    const elsewhere = `sh -c 'cd /proc && exec "$0" "$@"' ${command} pre-receive`;
    await site.script(join(site.repository, "hooks", "pre-receive"), `exec ${elsewhere} '${own}'`);
    const unnoted = await site.push();
    expect(unnoted.stderr).toContain("the push note cannot be written (");
    expect(unnoted.stderr).toContain("so this push was refused and nothing has changed");
    expect(site.refs()).toBe("");
  });

  it("refuses no push that it cannot note where there is no such hook", async () => {
    await using site = await withAlias();
    await mkdir(join(site.repository, "hooks"), { recursive: true });
    await using sidecar = await site.sidecar(async (peer) => {
      site.land((await peer.readPush()).commands);
      peer.report([`ok ${MAIN}`]);
      peer.exit(0);
    });
    const elsewhere = `sh -c 'cd /proc && exec "$0" "$@"' ${command} pre-receive`;
    await site.script(join(site.repository, "hooks", "pre-receive"), `exec ${elsewhere}`);
    expect(await site.push()).toMatchObject({ code: 0 });
    await sidecar.served();
    expect(notes(site)).toEqual([]);
  });

  it.each([
    [2, "", 0],
    [1, "LOCKSTEP_PUSH_REFS=2 ", 0],
    [2, "LOCKSTEP_PUSH_REFS=1 ", 1],
    [2, "LOCKSTEP_PUSH_REFS=0 ", 0],
  ])("lets a push of %i refs through that has the limit %j, or refuses it: exit code %i", async (refs, limit, code) => {
    await using site = await withAlias();
    await site.script(join(site.repository, "hooks", "pre-receive"), `${limit}exec ${command} pre-receive`);
    await using sidecar = await site.sidecar(async (peer) => {
      const { commands } = await peer.readPush();
      site.land(commands);
      peer.report(commands.map((each) => `ok ${each.split(" ")[2]}`));
      peer.exit(0);
    });
    const names = ["refs/heads/one", "refs/heads/two"].slice(0, refs);
    const result = await site.run(["git", "push", site.repository, ...names.map((name) => `HEAD:${name}`)]);
    expect(result.code).toBe(code);
    if (code === 0) return await sidecar.served();
    expect(result.stderr).toContain(
      "remote: lockstep: this push changes more than 1 refs, so it was refused and nothing has changed; push in parts.",
    );
    expect(notes(site)).toEqual([]);
    expect(site.refs()).toBe("");
  });

  it("will not be started by hand", async () => {
    await using site = await withAlias();
    await rm(join(site.repository, "hooks", "pre-receive"), { force: true });
    expect(await site.act(["pre-receive"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("only git receive-pack can start"),
    });
  });
});
