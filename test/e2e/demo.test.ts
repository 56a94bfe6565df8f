import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, mkdtemp, readdir, readFile, realpath, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { Client } from "../../src/client/client.ts";
import { expectAtRest } from "../support/at-rest.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { type Device, PATIENCE, PROGRAM } from "../support/cluster-device.ts";
import { type Demo, startDemo } from "../support/demo.ts";
import { isAlive, processesOf, untilGone } from "../support/processes.ts";
import { pusher } from "../support/pusher.ts";
import { soon } from "../support/soon.ts";

/** Until then a sidecar that is told to stop waits for what is under way. */
const GRACE_MS = 10_000;

/** Device names, gates and all: what must be gone when a demo is. */
const pidsOf = ({ line }: Demo) => line.devices.flatMap(({ pid, gate }) => [pid, gate.pid]);

describe("a demo", () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(async () => await cluster?.[Symbol.asyncDispose]());

  it("shows in one line all that an outsider needs", async () => {
    const url = (scheme: string, host: string) => expect.stringMatching(new RegExp(`^${scheme}${host}:\\d+$`));
    const path = (end: string) => expect.stringMatching(new RegExp(`^/.*${end}$`));
    const credentials = { cert: path("\\.pem"), key: path("\\.key") };
    expect(cluster.demo.line).toEqual({
      database_url: cluster.databaseUrl,
      trust_domain: expect.stringMatching(/^[a-z.]+$/),
      ca_dir: path("credentials"),
      ca: path("ca\\.pem"),
      operator: credentials,
      frontend: credentials,
      devices: ["repo001", "repo002", "repo003"].map((name) => ({
        name,
        pid: expect.any(Number),
        argv: expect.arrayContaining([path("main\\.js"), "serve"]),
        env: expect.objectContaining({ LOCKSTEP_DEVICE: name, LOCKSTEP_DATABASE_URL: cluster.databaseUrl }),
        root: path(""),
        grpc: url("", "localhost"),
        git: url("https://", "localhost"),
        http: url("http://", "127\\.0\\.0\\.1"),
        socket: path("lockstep\\.sock"),
        ...credentials,
        gate: { url: url("http://", "127\\.0\\.0\\.1"), pid: expect.any(Number) },
      })),
    });
    expect(new Set(pidsOf(cluster.demo)).size).toBe(6);
    for (const { argv } of cluster.demo.line.devices) expect(isAbsolute(argv[0]!)).toBe(true);
  });

  it("has an empty repository `demo`, which can be cloned from every gate", async () => {
    expect(await expectAtRest(cluster, "demo")).toEqual({ version: 0, refs: new Map(), log: [] });
    for (const device of cluster.devices) {
      const clone = join(cluster.git.dir, device.name);
      expect(await cluster.git.run(["clone", device.url("demo"), clone])).toMatchObject({ code: 0 });
    }
  });

  it("gives out certificates that its devices accept, each in its role", async () => {
    const { ca, operator, frontend, trust_domain: trustDomain, devices } = cluster.demo.line;
    const { grpc: address, name } = devices[2]!;
    const call = async (
      { cert, key }: { cert: string; key: string },
      method: "GetStatus" | "BeforeRead" | "CreateRepository",
    ) => {
      const [authority, certificate, secret] = await Promise.all([ca, cert, key].map((file) => readFile(file, "utf8")));
      const credentials = { ca: authority!, cert: certificate!, key: secret! };
      using client = new Client({ address, ...credentials, trustDomain, device: name });
      return await client.call(method, method === "GetStatus" ? {} : { repository: "demo" }, PATIENCE);
    };
    expect(await call(operator, "GetStatus")).toMatchObject({ devices: devices.map(() => ({ live: true })) });
    expect(await call(frontend, "BeforeRead")).toMatchObject({ version: "0" });
    await expect(call(frontend, "CreateRepository")).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
  });

  it("never starts a device again, whose gate stays, and which its argv and env bring back", async () => {
    const [device] = cluster.devices as [Device];
    const ada = await pusher(cluster.git, "ada");
    await device.kill();
    const { stderr } = await ada.push(device.url("demo"), `${await ada.commit()}:refs/heads/main`);
    expect(stderr).toMatch(/remote: The sidecar does not answer .*; see whether `lockstep serve` runs/);
    expect(isAlive(device.demo.gate.pid)).toBe(true);
    expect(isAlive(device.demo.pid)).toBe(false);
    await device.start();
    const commit = await ada.commit();
    // The gate looks for its sidecar many times a second.
    await vi.waitFor(() => ada.land(device.url("demo"), `${commit}:refs/heads/main`), soon());
    await expectAtRest(cluster, "demo");
  });

  it("stays up when every device is gone, so that devices can be started again", async () => {
    await using alone = await startCluster();
    for (const pid of pidsOf(alone.demo)) process.kill(pid, "SIGKILL");
    await Promise.all(pidsOf(alone.demo).map((pid) => untilGone(pid)));
    await alone.devices[0]!.start();
    expect(isAlive(alone.demo.pid)).toBe(true);
  });

  it("stops its devices at once though strangers keep connections to every port", async () => {
    const [, device] = cluster.devices as [Device, Device];
    const addresses = [device.demo.grpc, device.demo.git, device.demo.http].map((address) =>
      Number(/\d+$/.exec(address)![0]),
    );
    const sockets = await Promise.all(
      addresses.map(async (port) => {
        const socket = connect(port, "127.0.0.1").on("error", () => {});
        await once(socket, "connect");
        return socket;
      }),
    );
    const startedAt = performance.now();
    process.kill(device.pid, "SIGTERM");
    await untilGone(device.pid);
    expect(performance.now() - startedAt).toBeLessThan(GRACE_MS);
    for (const socket of sockets) socket.destroy();
    await device.start();
  });
});

describe("with a database of their own", () => {
  let dir: string;
  let demos: Demo[];
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "ls-"));
    // PostgreSQL, which is not root, lives below it.
    await chmod(dir, 0o755);
    demos = [];
  });
  afterEach(async () => {
    for (const { pid } of demos) if (isAlive(pid)) process.kill(pid, "SIGINT");
    await Promise.all(demos.map(({ pid }) => untilGone(pid)));
    await rm(dir, { recursive: true });
  });
  const start = async () => {
    const demo = await startDemo([], { TMPDIR: dir });
    demos.push(demo);
    return demo;
  };
  const running = async () => (await processesOf(dir)).map(({ pid, command }) => `${pid} ${command}`);

  it("two demos do not meet, Ctrl-C ends one, and SIGKILL of the other leaves nothing running", async () => {
    const [first, second] = await Promise.all([start(), start()]);
    expect(first.line.database_url).not.toBe(second.line.database_url);
    // As a terminal does it: the whole group gets the signal.
    const ended = once(first.process, "exit");
    process.kill(-first.pid, "SIGINT");
    expect(await ended).toEqual([0, null]);
    expect(await first.stdout).toBe(`${JSON.stringify(first.line)}\n`);
    expect(pidsOf(first).filter(isAlive)).toEqual([]);
    expect(await readdir(dir)).toHaveLength(1);

    expect(pidsOf(second).every(isAlive)).toBe(true);
    expect((await running()).join()).toContain("postgres");
    process.kill(second.pid, "SIGKILL");
    await vi.waitFor(async () => expect(await running()).toEqual([]), soon());
  });

  it.each([100, 500, 1_000])("a demo that is stopped %i ms after its start leaves nothing", async (ms) => {
    const child = spawn(process.execPath, [PROGRAM, "demo", "--json"], {
      env: { PATH: process.env.PATH, TMPDIR: dir },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    const [stdout, stderr] = [text(child.stdout), text(child.stderr)];
    const ended = once(child, "exit");
    await delay(ms);
    process.kill(-child.pid!, "SIGINT");
    const [code, signal] = await ended;
    // In its first moments a program has no handler yet.
    if (signal === null)
      expect({ code, stdout: await stdout, stderr: await stderr }).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(await running()).toEqual([]);
    expect(await readdir(dir)).toEqual([]);
  });

  it("a demo in a folder that its database cannot enter keeps the database elsewhere, and removes it too", async () => {
    await chmod(dir, 0o700);
    const demo = await start();
    const [made] = await readdir(dir);
    const database = await realpath(join(dir, made!, "postgres"));
    const ended = once(demo.process, "exit");
    demo.process.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
    expect(await processesOf(database)).toEqual([]);
    expect([await readdir(dir), existsSync(database)]).toEqual([[], false]);
  });

  it("the demo for people shows a push and a read elsewhere, and what to try", async () => {
    const child = spawn(process.execPath, [PROGRAM, "demo"], {
      env: { PATH: process.env.PATH, TMPDIR: dir },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let shown = "";
    child.stdout.setEncoding("utf8").on("data", (chunk) => {
      shown += chunk;
    });
    const stderr = text(child.stderr);
    const ended = once(child, "exit");
    await vi.waitFor(() => expect(shown).toContain("Ctrl-C stops everything"), soon());
    const clone = /git clone (http:\S+)/.exec(shown)![1]!;
    expect((await fetch(`${clone}/info/refs?service=git-upload-pack`)).status).toBe(200);
    const sockets = /export LOCKSTEP_SOCKET_DIR=(\S+)/.exec(shown)![1]!;
    expect(dirname(sockets)).toContain("repo001");
    child.kill("SIGINT");
    expect(await ended).toEqual([0, null]);
    // A slow machine is told how long it has taken.
    expect(await stderr).toMatch(/^(starting a database and 3 devices … \d+ s\n)*$/);
    expect(await running()).toEqual([]);
  });
});
