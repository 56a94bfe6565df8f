// The proc-receive shim when something breaks: no sidecar, a connection that ends, a pusher who leaves.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { type Result, type Running, Site, seesClient, shims } from "../support/shim-site.ts";

function processes(): { pid: number; parent: number }[] {
  if (!existsSync("/proc/self/stat")) {
    const lines = spawnSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" }).stdout.trim().split("\n");
    return lines
      .map((line) => line.trim().split(/\s+/).map(Number))
      .map(([pid, parent]) => ({ pid: pid!, parent: parent! }));
  }
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const fields = readFileSync(`/proc/${name}/stat`, "latin1")
          .replace(/^.*\) /s, "")
          .split(" ");
        return fields[0] === "Z" ? [] : [{ pid: Number(name), parent: Number(fields[1]) }];
      } catch {
        return [];
      }
    });
}

/** git push → (sh →) receive-pack → the two processes of the hook, each the only child of the one before. */
function chainBelow(pid: number): number[] {
  const child = processes().find(({ parent }) => parent === pid);
  return child === undefined ? [] : [child.pid, ...chainBelow(child.pid)];
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(10);
}

function expectHangUp({ code, stderr }: Result): void {
  expect(code).not.toBe(0);
  expect(stderr).toMatch(/hung up unexpectedly|unexpected disconnect/);
  expect(stderr).not.toMatch(/rejected|proc-receive/);
}

describe.each(shims)("the $name shim as proc-receive", (shim) => {
  it("refuses the push with a sentence when there is no sidecar", async () => {
    await using site = await Site.create(shim);
    const { code, stderr } = await site.push();
    expect(code).toBe(1);
    expect(stderr.replace(/ +$/gm, "")).toMatch(
      /^remote: lockstep: the sidecar of this server does not answer \(no such file or directory\), so this push was refused and nothing has changed; start `lockstep serve` on this server and push again\.$/im,
    );
    // Whoever pushes may be a stranger.
    expect(stderr).not.toContain("hook.sock");
    expect(stderr).toContain("[remote rejected]");
  });

  it("refuses the push with a sentence when the path of the socket is too long", async () => {
    await using site = await Site.create(shim);
    site.env.LOCKSTEP_SOCKET_DIR = `/${"d".repeat(120)}`;
    const { code, stderr } = await site.push();
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /has 131 bytes and a unix socket takes \d+, so this push was refused and nothing has changed/,
    );
  });

  it.each([
    ["before it answers", ""],
    ["in the middle of the report", "001aok refs/hea"],
  ])("hangs up when the connection ends %s", async (_when, report) => {
    await using site = await Site.create(shim);
    await using sidecar = await site.sidecar(async (peer) => {
      await peer.readPush();
      if (report) peer.send("O", report);
      peer.socket.end();
    });
    const result = await site.push();
    await sidecar.served();
    expectHangUp(result);
    expect(result.stderr).toContain("it is not known whether this push has landed");
  });

  it.each([
    ["a frame that the protocol does not have", Buffer.from("?\0\0\0\0")],
    ["a frame of more than 1 MiB", Buffer.from("O\x7f\0\0\0")],
    ["an exit code that is none", Buffer.from("X\0\0\0\x03256")],
  ])("hangs up when the sidecar sends %s", async (_what, bytes) => {
    await using site = await Site.create(shim);
    await using sidecar = await site.sidecar(async (peer) => {
      await peer.readPush();
      peer.socket.write(bytes);
      await peer.ended();
    });
    const result = await site.push();
    await sidecar.served();
    expectHangUp(result);
  });

  it.each([
    ["the process that git waits for is killed", ["SIGKILL"], [-2]],
    ["the other process is killed", ["SIGKILL"], [-1]],
    // Stopped first, so that neither can act on the end of the other.
    ["both processes are terminated", ["SIGSTOP", "SIGTERM", "SIGCONT"], [-2, -1]],
  ] as const)("hangs up when %s", async (_what, signals, targets) => {
    await using site = await Site.create(shim);
    let push: Running | undefined;
    await using sidecar = await site.sidecar(async (peer) => {
      await peer.readPush();
      const chain = chainBelow(push!.pid);
      expect(chain.length).toBeGreaterThanOrEqual(3);
      for (const signal of signals) for (const target of targets) process.kill(chain.at(target)!, signal);
      await peer.ended();
      await until(() => !processes().some(({ pid }) => chain.includes(pid)));
    });
    push = site.startPush();
    const result = await push.result;
    expectHangUp(result);
    await sidecar.served();
  });

  it("tells the sidecar when the pusher interrupts git", async () => {
    await using site = await Site.create(shim);
    let push: Running | undefined;
    await using sidecar = await site.sidecar(async (peer) => {
      await peer.readPush();
      process.kill(-push!.pid, "SIGINT");
      expect(await peer.ended()).toMatch(/^I?$/);
    });
    push = site.startPush();
    const { stderr } = await push.result;
    await sidecar.served();
    expect(stderr).not.toContain("rejected");
  });

  it.runIf(seesClient(shim))(
    "tells the sidecar when the client vanishes, which receive-pack does not notice",
    async () => {
      await using site = await Site.create(shim);
      let push: Running | undefined;
      await using sidecar = await site.sidecar(async (peer) => {
        await peer.readPush();
        const chain = chainBelow(push!.pid);
        process.kill(push!.pid, "SIGKILL");
        expect(await peer.ended()).toBe("I");
        peer.socket.end();
        await until(() => !processes().some(({ pid }) => chain.includes(pid)));
      });
      push = site.startPush();
      await push.result;
      await sidecar.served();
    },
  );

  it("tells the sidecar when receive-pack is killed", async () => {
    await using site = await Site.create(shim);
    let push: Running | undefined;
    await using sidecar = await site.sidecar(async (peer) => {
      await peer.readPush();
      process.kill(chainBelow(push!.pid).at(-3)!, "SIGKILL");
      expect(await peer.ended()).toBe("I");
      peer.socket.end();
    });
    push = site.startPush();
    expectHangUp(await push.result);
    await sidecar.served();
  });

  it("will not be started by hand, where it would kill the shell", async () => {
    await using site = await Site.create(shim);
    const { code, stderr } = await site.act(["proc-receive"]);
    expect(code).toBe(2);
    expect(stderr).toBe(
      "lockstep: proc-receive is a hook that only git receive-pack can start; push to the repository instead.\n",
    );
  });
});
