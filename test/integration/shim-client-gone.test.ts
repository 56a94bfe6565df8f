// Clients that vanish in the middle of a push over ssh: git ends in order, and leaves nothing behind.
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { access, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { processesAt } from "../support/git.ts";
import { Site, seesClient, shims } from "../support/shim-site.ts";
import { soon } from "../support/soon.ts";

const SOON = soon(10);
const MIB = 1 << 20;

/** What a client sends to receive-pack to create `main`: the command and a pack of some size. */
async function pushOf(site: Site): Promise<Buffer> {
  await writeFile(join(site.clone, "large"), randomBytes(MIB));
  site.git(site.clone, "add", "large");
  site.git(site.clone, "commit", "--quiet", "--message", "large");
  const pack = join(site.dir, "pack");
  site.git(site.clone, "pack-objects", "--all", "--quiet", pack);
  const [file] = (await readdir(site.dir)).filter((name) => name.endsWith(".pack"));
  const command = `${"0".repeat(40)} ${site.head()} refs/heads/main\0 report-status side-band-64k`;
  const head = `${(command.length + 4).toString(16).padStart(4, "0")}${command}0000`;
  return Buffer.concat([Buffer.from(head), await readFile(join(site.dir, file!))]);
}

async function leftovers(site: Site): Promise<string[]> {
  const entries = await readdir(join(site.repository, "objects"), { recursive: true });
  return entries.filter((name) => /tmp_|\.keep$/.test(name));
}

describe.each(shims)("the $name shim before receive-pack", (shim) => {
  /** Starts the shim as sshd does, with a socket or pipes that end when the client does. */
  function start(site: Site): { child: ChildProcess; vanish: () => void } {
    const [program = "", ...args] = [...shim.command, "lockstep-receive-pack", "app"];
    const child = spawn(program, args, { cwd: site.clone, env: site.env, stdio: ["pipe", "pipe", "ignore"] });
    child.stdin?.on("error", () => {});
    child.stdout?.resume();
    return {
      child,
      vanish() {
        child.stdin?.destroy();
        child.stdout?.destroy();
      },
    };
  }

  const allows = (site: Site) =>
    site.sidecar((peer) => {
      peer.send("P", site.repository);
      peer.exit(0);
    });
  const untilGone = (site: Site) =>
    vi.waitFor(async () => expect(await processesAt(site.repository)).toEqual([]), SOON);

  it("lets it remove its quarantine when an upload is cut off", async () => {
    await using site = await Site.create(shim);
    await using _sidecar = await allows(site);
    const bytes = await pushOf(site);
    const { child, vanish } = start(site);
    child.stdin?.write(bytes.subarray(0, bytes.length / 2));
    await vi.waitFor(async () => expect(await leftovers(site)).not.toEqual([]), SOON);
    vanish();
    await untilGone(site);
    expect(await leftovers(site)).toEqual([]);
    expect(site.refs()).toBe("");
  });

  it("lets it end in order when the client leaves during a hook that talks", async () => {
    await using site = await Site.create(shim);
    await using _sidecar = await allows(site);
    const [waiting, go] = [join(site.dir, "waiting"), join(site.dir, "go")];
    const talk = "i=0; while [ $i -lt 3000 ]; do echo a word to the one who left $i >&2; i=$((i+1)); done";
    await site.script(
      join(site.repository, "hooks", "pre-receive"),
      `touch '${waiting}'; while [ ! -e '${go}' ]; do sleep 0.05; done; ${talk}; exit 1`,
    );
    const { child, vanish } = start(site);
    child.stdin?.write(await pushOf(site));
    await vi.waitFor(() => access(waiting), SOON);
    vanish();
    await writeFile(go, "");
    await untilGone(site);
    expect(await leftovers(site)).toEqual([]);
  });

  it("lets it remove the .keep of its pack when the client leaves during proc-receive", async () => {
    await using site = await Site.create(shim);
    site.git(site.repository, "config", "receive.unpackLimit", "1");
    // How soon receive-pack would notice, had it the client's own pipe.
    site.git(site.repository, "config", "receive.keepAlive", "1");
    let kept: string[] = [];
    let types: string | undefined;
    let vanish = () => {};
    let reported = false;
    await using _sidecar = await site.sidecar(async (peer) => {
      if (peer.hello.get("op") === "receive-pack") {
        peer.send("P", site.repository);
        return peer.exit(0);
      }
      const { commands } = await peer.readPush();
      kept = await leftovers(site);
      vanish();
      if (seesClient(shim)) types = await peer.ended();
      for (let i = 0; i < 3_000; i += 1) peer.send("E", `a word to the one who left ${i}\n`);
      peer.report(commands.map((line) => `ng ${line.split(" ")[2]} the pusher is gone`));
      peer.exit(0);
      reported = true;
    });
    const started = start(site);
    vanish = started.vanish;
    started.child.stdin?.write(await pushOf(site));
    await vi.waitFor(() => expect(reported).toBe(true), SOON);
    await untilGone(site);
    expect(kept).toEqual([expect.stringMatching(/\.keep$/)]);
    expect(types).toBe(seesClient(shim) ? "I" : undefined);
    expect(await leftovers(site)).toEqual([]);
  });

  it("passes what it says on, and ends as it does", async () => {
    await using site = await Site.create(shim);
    await using _sidecar = await allows(site);
    await site.script(join(site.repository, "hooks", "pre-receive"), "head -c 1000000 /dev/zero | tr '\\0' x; exit 1");
    const [program, ...args] = [...shim.command, "lockstep-receive-pack"].map((word) => `'${word}'`);
    const { code, stderr } = await site.push(`--receive-pack=${[program, ...args].join(" ")}`);
    expect(code).toBe(1);
    expect(stderr).toContain("pre-receive hook declined");
    expect(stderr.match(/x/g)?.length).toBeGreaterThanOrEqual(1_000_000);
    await site.script(join(site.repository, "hooks", "pre-receive"), "kill -9 $PPID");
    const killed = await site.push(`--receive-pack=${[program, ...args].join(" ")}`);
    expect(killed.code).not.toBe(0);
    expect(killed.stderr).toMatch(/hung up unexpectedly|unexpected disconnect/);
  });
});
