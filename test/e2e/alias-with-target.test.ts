// A push to an alias and its target, through every way in. git hands only the target over (test/e2e/as-git-does.test.ts compares the outcome
// with plain git's).
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { PATIENCE } from "../support/cluster-device.ts";
import { ada, cluster, one, startClusterOfFile, two } from "../support/file-cluster.ts";
import { soon } from "../support/soon.ts";

const ALIAS = "refs/heads/alias";
const DEV = "refs/heads/dev";
let first: string;
let second: string;
startClusterOfFile();
beforeAll(async () => {
  first = await ada.commit();
  second = await ada.commit(first);
});

/** A repository with `dev` and an alias of it, which every device knows. */
async function withAlias(): Promise<string> {
  const repository = await cluster.createRepository();
  await ada.land(one.url(repository), `${first}:${DEV}`);
  const { path, token } = await one.call("BeginWrite", { repository, author: "grace" }, PATIENCE);
  await cluster.git.git(["symbolic-ref", ALIAS, DEV], { env: { GIT_DIR: path } });
  await one.call("BumpVersion", { repository, token }, PATIENCE);
  for (const device of cluster.devices) await cluster.git.git(["ls-remote", device.url(repository)]);
  return repository;
}

const BOTH = [`:${ALIAS}`, `:${DEV}`];

async function push(url: string, args: readonly string[] = [], specs = BOTH.map((to) => second + to)) {
  const { stdout, stderr } = await cluster.git.run(["push", "--porcelain", ...args, url, ...specs], {
    cwd: ada.dir,
    env: { LOCKSTEP_SOCKET_DIR: dirname(one.demo.socket), LOCKSTEP_ROOT: one.demo.root },
  });
  const told = stdout.split("\n").filter((line) => line.includes("\t"));
  return {
    told: Object.fromEntries(told.map((line) => [line.split("\t")[1]?.split(":")[1], line[0]])),
    stdout,
    stderr,
  };
}

/** What plain git says of both. */
async function expectTaken(repository: string, { told, stderr }: Awaited<ReturnType<typeof push>>): Promise<void> {
  expect({ told, stderr }).toEqual({ told: { [ALIAS]: " ", [DEV]: " " }, stderr: expect.not.stringContaining("rror") });
  for (const device of cluster.devices) {
    const refs = await cluster.git.git(["ls-remote", device.url(repository)]);
    for (const name of [ALIAS, DEV]) expect(refs).toContain(`${second}\t${name}`);
  }
}

describe("an alias that is pushed together with its target is told of as git does:", () => {
  it("over HTTP, on every device", async () => {
    for (const device of [one, two]) {
      const repository = await withAlias();
      await expectTaken(repository, await push(device.url(repository)));
    }
  });

  it("into the directory", async () => {
    const repository = await withAlias();
    await expectTaken(repository, await push(one.gitDir(repository)));
  });

  it("through the programs of an ssh account", async () => {
    const repository = await withAlias();
    const shim = join(one.demo.root, ".lockstep", "bin", "lockstep-git");
    const program = `--receive-pack=${shim} lockstep-receive-pack`;
    await expectTaken(repository, await push(one.gitDir(repository), [program]));
  });

  it("through git's own daemon", async () => {
    const repository = await withAlias();
    const { url, stop } = await gitDaemon(one.demo.root);
    try {
      await expectTaken(repository, await push(`${url}/${repository}.git`, ["--atomic"]));
    } finally {
      await stop();
    }
  });

  it("behind a hook of an operator's that is started by ours", async () => {
    const repository = await withAlias();
    const hook = join(one.gitDir(repository), "hooks", "pre-receive");
    const own = join(cluster.git.dir, "own-hook");
    await writeFile(own, `#!/bin/sh\ncat > '${own}.read'\n`, { mode: 0o755 });
    await writeFile(hook, (await readFile(hook, "utf8")).trimEnd().concat(` '${own}'\n`));
    await expectTaken(repository, await push(one.url(repository)));
    expect((await readFile(`${own}.read`, "utf8")).split("\n").map((line) => line.split(" ")[2])).toContain(ALIAS);
  });

  it("once verify has put the hook back that somebody removed", async () => {
    const repository = await withAlias();
    await rm(join(one.gitDir(repository), "hooks", "pre-receive"));
    await one.call("VerifyReplica", { repository }, PATIENCE);
    await expectTaken(repository, await push(one.url(repository)));
  });
});

describe("an alias whose target is refused in the same push", () => {
  // Plain git says that the alias was taken, though neither has changed.
  it("is refused for the same reason", async () => {
    const repository = await withAlias();
    await writeFile(join(one.gitDir(repository), "hooks", "update"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
    const { stdout } = await push(one.url(repository));
    for (const name of [ALIAS, DEV]) expect(stdout).toContain(`${name}\t[remote rejected] (hook declined)`);
  });

  it("is refused with the writes of the repository", async () => {
    const repository = await withAlias();
    await one.lockstep("write-lock", "--enable", "--reason", "moving", repository);
    const { stdout } = await push(one.gitDir(repository));
    for (const name of [ALIAS, DEV]) expect(stdout).toContain(`${name}\t[remote rejected] (lockstep: writes stopped`);
  });

  it("an alias whose target another alias keeps out, which is to become something else, is refused with it", async () => {
    const repository = await withAlias();
    const { path, token } = await one.call("BeginWrite", { repository, author: "grace" }, PATIENCE);
    await cluster.git.git(["symbolic-ref", "refs/heads/second", DEV], { env: { GIT_DIR: path } });
    await one.call("BumpVersion", { repository, token }, PATIENCE);
    const { stdout } = await push(
      one.url(repository),
      ["--force"],
      [...BOTH.map((to) => second + to), ":refs/heads/second"],
    );
    for (const name of [ALIAS, DEV, "refs/heads/second"])
      expect(stdout).toContain(`${name}\t[remote rejected] (inconsistent aliased update)`);
  });
});

describe("a hook of an operator's in its place", () => {
  it("stays as it is", async () => {
    const repository = await cluster.createRepository();
    await ada.land(one.url(repository), `${first}:${DEV}`);
    const hook = join(one.gitDir(repository), "hooks", "pre-receive");
    await writeFile(hook, "#!/bin/sh\nexit 0\n", { mode: 0o755 });
    const { path, token } = await one.call("BeginWrite", { repository, author: "grace" }, PATIENCE);
    await cluster.git.git(["symbolic-ref", ALIAS, DEV], { env: { GIT_DIR: path } });
    await one.call("BumpVersion", { repository, token }, PATIENCE);
    await one.call("VerifyReplica", { repository }, PATIENCE);
    expect(await readFile(hook, "utf8")).toBe("#!/bin/sh\nexit 0\n");
  });
});

/** git daemon, which lets everybody push. */
async function gitDaemon(root: string): Promise<{ url: string; stop: () => Promise<void> }> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, "close");
  const options = [
    "--listen=127.0.0.1",
    `--port=${port}`,
    "--export-all",
    "--enable=receive-pack",
    `--base-path=${root}`,
  ];
  // Started by `git daemon` it would be a child of that.
  const program = join(await cluster.git.git(["--exec-path"]), "git-daemon");
  const child = spawn(program, ["--reuseaddr", ...options, root], { stdio: "ignore" });
  const url = `git://127.0.0.1:${port}`;
  const isUp = async () => (await cluster.git.run(["ls-remote", `${url}/demo.git`])).code;
  await vi.waitFor(async () => expect(await isUp()).toBe(0), soon());
  return {
    url,
    async stop() {
      const ended = once(child, "exit");
      child.kill();
      await ended;
    },
  };
}
