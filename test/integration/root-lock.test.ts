import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, realpath, rm } from "node:fs/promises";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, it, vi } from "vitest";
import { finished, spawnGit } from "../../src/git/process.ts";
import { initBare } from "../../src/git/replica/init-bare.ts";
import { lockRoot, type RootLock, type RootLockOptions } from "../../src/git/root/root-lock.ts";
import { soon } from "../support/soon.ts";

const SOON = soon(10);
const PATH = process.env.PATH ?? "/usr/bin:/bin";

/** What a sidecar does with the lock, in few words: takes it, and gives it on to a child that writes. */
const HOLDER = `
  const { spawn, spawnSync } = require("node:child_process");
  const fd = require("node:fs").openSync(process.argv[1], "a+");
  const { status } = spawnSync("flock", ["-n", "3"], { stdio: ["ignore", "ignore", "ignore", fd] });
  const [command, ...args] = process.argv.slice(2);
  // Its input comes from the test, and stays open however this process ends.
  const child = command && spawn(command, args, { stdio: [3, "ignore", "ignore", fd] });
  console.log(JSON.stringify({ status, child: child ? child.pid : null }));
  setInterval(() => {}, 1_000_000);
`;

class Holder implements AsyncDisposable {
  readonly process: ChildProcess;
  readonly pid: number;
  child = 0;

  private constructor(process: ChildProcess) {
    this.process = process;
    this.pid = process.pid!;
  }

  static async start(lock: string, ...command: string[]): Promise<Holder> {
    const holder = new Holder(
      spawn(process.execPath, ["-e", HOLDER, lock, ...command], { stdio: ["ignore", "pipe", "inherit", "pipe"] }),
    );
    const [line] = (await once(createInterface({ input: holder.process.stdout! }), "line")) as [string];
    const { status, child } = JSON.parse(line) as { status: number; child: number | null };
    expect(status).toBe(0);
    holder.child = child ?? 0;
    return holder;
  }

  signal(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  async killed(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const exit = once(this.process, "exit");
    this.signal("SIGKILL");
    await exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.killed();
    (this.process.stdio[3] as Socket).destroy();
    if (this.child > 0) await vi.waitFor(async () => expect(await state(this.child)).toBeUndefined(), SOON);
  }
}

/** One letter of /proc, undefined when the process is no more: nobody may reap it in a container without an init. */
async function state(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const letter = /^\d+ \(.*\) (\w)/.exec(stat)?.[1];
  return letter === "Z" || letter === "X" ? undefined : letter;
}

interface Root extends AsyncDisposable {
  readonly dir: string;
  readonly file: string;
  readonly killed: number[];
  lock(options?: Partial<RootLockOptions>): Promise<RootLock>;
}

async function root(): Promise<Root> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), "lockstep-root-ü ")));
  const killed: number[] = [];
  return {
    dir,
    file: join(dir, "lock"),
    killed,
    lock: (options) =>
      lockRoot({
        stateDir: dir,
        locker: ["flock", "-n"],
        path: PATH,
        host: {
          pid: process.pid,
          kill: (pid, signal) => {
            killed.push(pid);
            process.kill(pid, signal);
          },
        },
        recordedPid: undefined,
        mayEnd: async () => false,
        ...options,
      }),
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true }),
  };
}

/** Whether a stranger could take the lock now. */
async function isFree(file: string): Promise<boolean> {
  const child = spawn("flock", ["-n", file, "true"], { stdio: "ignore" });
  const [code] = (await once(child, "exit")) as [number];
  return code === 0;
}

describe("the lock on a root", () => {
  it("is taken when nobody has it, and free again when it is disposed of", async () => {
    await using place = await root();
    {
      await using _ = await place.lock();
      expect(await isFree(place.file)).toBe(false);
    }
    expect(await isFree(place.file)).toBe(true);
    expect(place.killed).toEqual([]);
  });

  it("is refused while another sidecar lives, which is named and left alone", async () => {
    await using place = await root();
    await using holder = await Holder.start(place.file);
    const tries = join(place.dir, "tries");
    const locker = ["sh", "-c", `echo >>'${tries}'; exec flock -n "$1"`, "sh"];
    await expect(place.lock({ recordedPid: holder.pid, locker })).rejects.toMatchObject({
      code: "ROOT_LOCKED",
      message: expect.stringContaining(`process ${holder.pid}`),
      details: { pid: String(holder.pid) },
    });
    // Nobody waits for a sidecar that lives.
    expect(await readFile(tries, "utf8")).toBe("\n");
    expect(place.killed).toEqual([]);
    await holder.killed();
    await using _ = await place.lock({ recordedPid: holder.pid });
  });

  it("is refused while a sidecar lives that has not yet recorded itself, even if its device's lease has ended", async () => {
    await using place = await root();
    await using holder = await Holder.start(place.file);
    await expect(place.lock({ recordedPid: 1, mayEnd: async () => true })).rejects.toMatchObject({
      code: "ROOT_LOCKED",
      details: { pid: String(holder.pid) },
    });
    expect(place.killed).toEqual([]);
  });

  it.each([
    ["git", ["git", "hash-object", "--stdin"]],
    ["hook", ["sh", "-c", "read line"]],
  ])("is taken from a %s that a dead sidecar left behind", async (_, command) => {
    await using place = await root();
    await using holder = await Holder.start(place.file, ...command);
    await holder.killed();
    expect(await state(holder.child)).toBeDefined();
    expect(await isFree(place.file)).toBe(false);
    await using _lock = await place.lock({ recordedPid: holder.pid });
    expect(place.killed).toEqual([holder.child]);
    expect(await isFree(place.file)).toBe(false);
  });

  it("is taken from a sidecar that is stopped and has no lease any more, with its git", async () => {
    await using place = await root();
    await using holder = await Holder.start(place.file, "git", "hash-object", "--stdin");
    holder.signal("SIGSTOP");
    await vi.waitFor(async () => expect(await state(holder.pid)).toBe("T"), SOON);
    await using _ = await place.lock({ recordedPid: holder.pid, mayEnd: async () => true });
    expect(place.killed.sort()).toEqual([holder.pid, holder.child].sort());
    await vi.waitFor(async () => expect(await state(holder.pid)).toBeUndefined(), SOON);
  });

  it("is not taken from a sidecar that is stopped but whose lease runs", async () => {
    await using place = await root();
    await using holder = await Holder.start(place.file);
    holder.signal("SIGSTOP");
    await vi.waitFor(async () => expect(await state(holder.pid)).toBe("T"), SOON);
    const attempt = place.lock({ recordedPid: holder.pid, mayEnd: async () => false });
    await expect(attempt).rejects.toMatchObject({ code: "ROOT_LOCKED", details: { pid: String(holder.pid) } });
    holder.signal("SIGCONT");
    await vi.waitFor(async () => expect(await state(holder.pid)).toBe("S"), SOON);
    expect(place.killed).toEqual([]);
  });

  it("lives as long as any git of ours that writes, and not for those that read", async () => {
    await using place = await root();
    const lock = await place.lock();
    const context = { path: PATH, home: place.dir, lockFd: lock.fd };
    const path = join(place.dir, "app.git");
    await mkdir(path);
    await initBare(context, path, "sha1");
    const reader = spawnGit(context, path, ["cat-file", "--batch"]);
    const writer = spawnGit(context, path, ["cat-file", "--batch"], { writes: true });
    await Promise.all([once(reader, "spawn"), once(writer, "spawn")]);
    await lock[Symbol.asyncDispose]();
    expect(await isFree(place.file)).toBe(false);
    writer.stdin.end();
    await finished(writer);
    expect(await isFree(place.file)).toBe(true);
    reader.stdin.end();
    await finished(reader);
  });

  it("needs a program that can lock, and says which is missing or what it said", async () => {
    await using place = await root();
    await expect(place.lock({ locker: ["no-such-program"] })).rejects.toMatchObject({
      code: "PREREQUISITE_MISSING",
      message: expect.stringContaining("no-such-program"),
    });
    await expect(place.lock({ locker: ["sh", "-c", "echo no locks here >&2; exit 71"] })).rejects.toMatchObject({
      code: "PREREQUISITE_MISSING",
      message: expect.stringContaining("no locks here"),
    });
    expect(await isFree(place.file)).toBe(true);
  });
});
