// A git of this device is stopped, or its disk does not answer. Nothing waits for it without end, and nobody has to
// help.
import { execFile } from "node:child_process";
import { access, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, vi } from "vitest";
import { LockstepError } from "../../src/errors.ts";
import { Disk, whyNoDisk } from "../support/disk.ts";
import { processesAt } from "../support/git.ts";
import { shortWaits } from "../support/short-waits.ts";
import { soon } from "../support/soon.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

const run = promisify(execFile);
const APP = "team/app";
const MAIN = "refs/heads/main";
shortWaits();
/** Short, but longer than any of the working gits here shows nothing. */
const SHORT = { stoppedMs: 700, silentMs: 2_500, diskMs: 4_000, killedMs: 1_500 };
const PATIENCE = soon(100);
const HUNG = { code: "GIT_HUNG" };

/** For `beforeGit`: the next git whose arguments contain `command` stops itself, and those after it do not. */
const stopsOnce = (command: string, flag: string) =>
  `case "$*" in *"${command}"*) mkdir '${flag}' 2>/dev/null && kill -STOP $$;; esac`;

interface Fixture extends AsyncDisposable {
  readonly cluster: TestCluster;
  readonly a: TestDevice;
  readonly b: TestDevice;
  readonly one: string;
}

/** Two devices that hold `main` at the commit `one`. */
async function fixture(): Promise<Fixture> {
  const cluster = await TestCluster.make();
  const a = await cluster.start("repo001", { patience: SHORT });
  const b = await cluster.start("repo002", { patience: SHORT });
  await cluster.create(APP, [a, b]);
  const one = await a.commit(APP, "one");
  await a.push(APP, [change("main", null, one)]);
  await b.read(APP);
  return { cluster, a, b, one, [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose]() };
}

/** Lets the next git of that command stop itself. Returns the path that then exists. */
async function stopNext(device: TestDevice, command: string): Promise<string> {
  const flag = join(device.cluster.dir, `stopped-${device.name}`);
  await device.beforeGit(stopsOnce(command, flag));
  return flag;
}

/** Sends a signal to the update-ref that runs in a replica. */
async function signalUpdateRef(device: TestDevice, signal: NodeJS.Signals): Promise<void> {
  const running = await processesAt(device.gitDir(APP));
  const found = running.filter((line) => / update-ref /.test(line)).map((line) => Number.parseInt(line, 10));
  expect(found).not.toEqual([]);
  for (const pid of found) process.kill(pid, signal);
}

/** Runs `act` once, before the statement of a push that contains `text`. */
function beforeStatement(device: TestDevice, text: string, act: () => Promise<void>): void {
  let acted = false;
  device.onStatement = async (sql, run) => {
    if (sql.includes(text) && !acted) {
      acted = true;
      await act();
    }
    return await run();
  };
}

async function expectHealed({ a, b }: Fixture, tip: string): Promise<void> {
  const next = await a.commit(APP, "afterwards", { parents: [tip] });
  expect(await a.push(APP, [change("main", tip, next)])).toEqual({ [MAIN]: null });
  await b.read(APP);
  for (const device of [a, b]) {
    await device.expectInLockstep(APP);
    await vi.waitFor(async () => expect(await processesAt(device.gitDir(APP))).toEqual([]), SOON);
  }
}

describe("a push whose git is stopped", () => {
  it.each(["update-ref", "cat-file", "merge-base"])(
    "(%s) fails with a sentence, and the next one lands",
    async (command) => {
      await using f = await fixture();
      const two = await f.a.commit(APP, "two", { parents: [f.one] });
      await f.a.git(APP, ["config", "receive.denyNonFastForwards", "true"]);
      const flag = await stopNext(f.a, command);
      await expect(f.a.push(APP, [change("main", f.one, two)])).rejects.toMatchObject(HUNG);
      await access(flag);
      expect((await f.a.read(APP)).version).toBe(1n);
      expect(await f.a.staged()).toEqual([]);
      expect(await f.a.push(APP, [change("main", f.one, two)])).toEqual({ [MAIN]: null });
      await expectHealed(f, two);
    },
  );

  it("a push whose git stops with its refs locked, after the decision, is told that it has landed", async () => {
    await using f = await fixture();
    const two = await f.a.commit(APP, "two", { parents: [f.one] });
    beforeStatement(f.a, "lockstep.bump(", () => signalUpdateRef(f.a, "SIGSTOP"));
    expect(await f.a.push(APP, [change("main", f.one, two)])).toEqual({ [MAIN]: null });
    expect(f.a.logged.map(({ msg }) => msg)).toContain("landed, but not yet on this disk");
    expect((await f.b.read(APP)).version).toBe(2n);
    expect((await f.a.read(APP)).version).toBe(2n);
    await f.a.expectInLockstep(APP);
    await expectHealed(f, two);
  });

  it("a push whose git stops with its refs locked, and that is given up, leaves no lock in the way of the next one", async () => {
    await using f = await fixture();
    const two = await f.a.commit(APP, "two", { parents: [f.one] });
    const gone = new AbortController();
    // As after a start: the next write is staged.
    f.a.replica(APP).digestKey = undefined;
    beforeStatement(f.a, "lockstep.stage_write(", async () => {
      await vi.waitFor(() => access(join(f.a.gitDir(APP), `${MAIN}.lock`)), SOON);
      await signalUpdateRef(f.a, "SIGSTOP");
      gone.abort();
    });
    const pusher = { gone: gone.signal };
    await expect(f.a.push(APP, [change("main", f.one, two)], { pusher })).rejects.toBeInstanceOf(LockstepError);
    expect(await f.a.push(APP, [change("main", f.one, two)])).toEqual({ [MAIN]: null });
    await expectHealed(f, two);
  });
});

describe("a replica", () => {
  it.each(["index-pack", "rev-list", "update-ref"])("catches up although a git (%s) is stopped", async (command) => {
    await using f = await fixture();
    const two = await f.a.commit(APP, "two", { parents: [f.one] });
    await f.a.push(APP, [change("main", f.one, two)]);
    const flag = await stopNext(f.b, command);
    await vi.waitFor(async () => expect((await f.b.read(APP)).version).toBe(2n), PATIENCE);
    await access(flag);
    await expectHealed(f, two);
  });

  it.each(["for-each-ref", "cat-file", "symbolic-ref"])("recovers although a git (%s) is stopped", async (command) => {
    await using f = await fixture();
    await writeFile(join(f.b.gitDir(APP), "refs/heads/strange"), `${f.one}\n`);
    // The sidecar itself reads a HEAD as git writes it. Two spaces are not what git writes.
    await writeFile(join(f.b.gitDir(APP), "HEAD"), `ref:  ${MAIN}\n`);
    const flag = await stopNext(f.b, command);
    await vi.waitFor(async () => {
      expect((await f.b.read(APP)).version).toBe(1n);
      expect(Object.keys(await f.b.refs(APP))).toEqual([MAIN, "HEAD"]);
    }, PATIENCE);
    await access(flag);
    await expectHealed(f, f.one);
  });

  it.each(["pack-refs", "pack-objects --stdin-packs"])(
    "is tidied later if that git (%s) is stopped",
    async (command) => {
      await using f = await fixture();
      const flag = await stopNext(f.a, command);
      const many = Array.from({ length: 1_050 }, (_, index) => change(`many/${index}`, null, f.one));
      if (command === "pack-refs") await f.a.push(APP, many);
      let tip = f.one;
      for (let count = 0; command !== "pack-refs" && count < 80; count += 1) {
        const next = await f.a.commit(APP, `commit ${count}`, { parents: [tip] });
        await f.a.git(APP, ["pack-objects", join(f.a.gitDir(APP), "objects/pack/pack"), "--quiet"], `${next}\n`);
        await f.a.push(APP, [change("main", tip, next)]);
        tip = next;
      }
      const warned = expect.objectContaining({
        msg: "could not tidy a replica up",
        err: expect.stringMatching(/stopped/),
      });
      await vi.waitFor(() => expect(f.a.logged).toContainEqual(warned), PATIENCE);
      await access(flag);
      // A deletion needs the lock that a stopped pack-refs leaves.
      if (command === "pack-refs")
        expect(Object.values(await f.a.push(APP, [change("many/1", f.one, null)]))).toEqual([null]);
      await expectHealed(f, tip);
    },
  );
});

describe("a git is left alone", () => {
  it("a git is left alone while it waits for the decision, or works without a word", async () => {
    await using f = await fixture();
    const two = await f.a.commit(APP, "two", { parents: [f.one] });
    // Each step shows on a processor or in a file, not in the output.
    await f.a.beforeGit(
      `case "$*" in *rev-list*) for i in $(seq ${(2.4 * SHORT.silentMs) / 250}); do sleep 0.25; done;; esac`,
    );
    const longerMs = 2 * SHORT.silentMs;
    beforeStatement(f.a, "lockstep.bump(", () => new Promise((resolve) => setTimeout(resolve, longerMs)));
    expect(await f.a.push(APP, [change("main", f.one, two)])).toEqual({ [MAIN]: null });
    expect(f.a.logged.filter(({ msg }) => /not yet on this disk/.test(String(msg)))).toEqual([]);
    await expectHealed(f, two);
  });

  it("a git is left alone while it runs a hook of the operator's", async () => {
    await using f = await fixture();
    const two = await f.a.commit(APP, "two", { parents: [f.one] });
    const hook = join(f.a.gitDir(APP), "hooks/reference-transaction");
    await writeFile(hook, `#!/bin/sh\n[ "$1" != prepared ] || sleep ${(2 * SHORT.silentMs) / 1000}\n`, { mode: 0o755 });
    expect(await f.a.push(APP, [change("main", f.one, two)])).toEqual({ [MAIN]: null });
    await writeFile(hook, "#!/bin/sh\n", { mode: 0o755 });
    await expectHealed(f, two);
  });
});

const noDisk = await whyNoDisk();
if (noDisk) console.warn(`The tests of a disk that does not answer are skipped: ${noDisk}.`);

describe.skipIf(noDisk)("a git that cannot be ended, since its disk does not answer", () => {
  it("holds its replica only: that one serves nobody, and heals when the disk answers", async () => {
    await using f = await fixture();
    await f.cluster.create("other", [f.a, f.b]);
    // The replica gets a disk of its own.
    const gitDir = f.a.gitDir(APP);
    await run("cp", ["-a", gitDir, `${gitDir}.aside`]);
    await using disk = await Disk.mount(gitDir, "ext4");
    await run("cp", ["-a", `${gitDir}.aside/.`, gitDir]);
    await f.a.read(APP);
    const two = await f.a.commit(APP, "two", { parents: [f.one] });
    // The objects are in place, and from now on the disk takes no change.
    await run("fsfreeze", ["--freeze", disk.path]);
    try {
      await expect(f.a.push(APP, [change("main", f.one, two)])).rejects.toMatchObject(HUNG);
      await expect(f.a.read(APP)).rejects.toThrow(/cannot be ended, so this replica serves nobody/);
      await expect(f.a.push(APP, [change("main", f.one, two)])).rejects.toMatchObject(HUNG);
      expect((await f.a.read("other")).version).toBe(0n);
      expect((await f.b.read(APP)).version).toBe(1n);
    } finally {
      await run("fsfreeze", ["--unfreeze", disk.path]);
    }
    await vi.waitFor(async () => expect((await f.a.read(APP)).version).toBe(1n), PATIENCE);
    expect(await f.a.push(APP, [change("main", f.one, two)])).toEqual({ [MAIN]: null });
    await expectHealed(f, two);
  });
});
