import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { main } from "../../src/cli/program.ts";
import { administer } from "../support/administer.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { type Device, PATIENCE, PROGRAM } from "../support/cluster-device.ts";
import { createDatabase, migratedDatabase } from "../support/database.ts";
import { type Pusher, pusher } from "../support/pusher.ts";

const EXIT = { OK: 0, FAILED: 1, USAGE: 2, NOT_NOW: 3 };
type Environment = Readonly<Record<string, string>>;

let cluster: Cluster;
let one: Device;
let two: Device;
let ada: Pusher;
beforeAll(async () => {
  cluster = await startCluster();
  [one, two] = cluster.devices as [Device, Device];
  ada = await pusher(cluster.git, "ada");
});
afterAll(async () => await cluster?.[Symbol.asyncDispose]());

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(args: readonly string[], env: Environment = {}): ChildProcess {
  return spawn(process.execPath, [PROGRAM, ...args], {
    env: { PATH: process.env.PATH ?? "/usr/bin:/bin", LOCKSTEP_SOCKET_DIR: dirname(one.demo.socket), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function ended(child: ChildProcess): Promise<Ended> {
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout!), text(child.stderr!), once(child, "close")]);
  return { code, stdout, stderr };
}

const lockstep = (args: readonly string[], env?: Environment): Promise<Ended> => ended(start(args, env));

/** The same without a process of its own, which takes longer to start than these take to refuse. */
async function runHere(args: readonly string[], env: Environment = {}, isTTY = false): Promise<Ended> {
  const [stdout, stderr] = [new PassThrough(), Object.assign(new PassThrough(), { isTTY })];
  const stream = (to: PassThrough) => to as unknown as NodeJS.WriteStream;
  const code = await main({
    env: { PATH: process.env.PATH ?? "/usr/bin:/bin", ...env },
    argv: args,
    cwd: "/",
    pid: process.pid,
    execPath: process.execPath,
    isRoot: process.getuid?.() === 0,
    stdin: process.stdin,
    stdout: stream(stdout),
    stderr: stream(stderr),
    stop: AbortSignal.timeout(10_000),
    kill: (pid, signal) => void process.kill(pid, signal),
  });
  stdout.end();
  stderr.end();
  return { code, stdout: await text(stdout), stderr: await text(stderr) };
}

/** A sidecar like that of device one, but for `env`. It is expected to refuse to start. */
const serve = (env: Environment, ...args: string[]): Promise<Ended> =>
  lockstep(["serve", ...args], { ...one.demo.env, ...env });

/** One sentence for a person on standard error and nothing on standard output: what, why, what to do. */
function expectSentence({ stdout, stderr }: Ended, ...parts: (string | RegExp)[]): void {
  expect(stdout).toBe("");
  expect(stderr).toMatch(/^lockstep: ([A-Z"`-]|git )[^\n]*\.\n$/);
  expect(stderr).not.toMatch(/a bug|undefined|\bError:|\[object/);
  for (const part of parts) expect(stderr).toMatch(part);
}

const COMMANDS = [
  "serve",
  "demo",
  "gate",
  "repo create",
  "repo list",
  "repo show",
  "status",
  "sync",
  "write-lock",
  "lock",
  "log",
  "verify",
  "doctor",
  "migrate",
  "version",
];

describe("every command", () => {
  it.each(["", "repo", ...COMMANDS])("shows an example with --help: %s", async (command) => {
    const { code, stdout, stderr } = await runHere([...command.split(" ").filter(Boolean), "--help"]);
    expect({ code, stderr }).toEqual({ code: EXIT.OK, stderr: "" });
    expect(stdout).toMatch(new RegExp(`^Usage: lockstep ${command}`));
    expect(stdout).toMatch(new RegExp(`\\nExample:\\n  .*lockstep ${command}`));
    if (COMMANDS.includes(command)) expect(stdout).toContain("--json");
  });

  it("is shown by --help of the program", async () => {
    const { stdout } = await runHere(["--help"]);
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command.split(" ")[0]} `, "m"));
  });

  it.each(COMMANDS)("refuses an unknown flag, as a sentence and as a document: %s", async (command) => {
    const args = [...command.split(" "), "--no-such-flag"];
    const refused = await runHere(args);
    expect(refused.code).toBe(EXIT.USAGE);
    expectSentence(refused, "--no-such-flag", `\`lockstep ${command} --help\``);
    const { code, stdout, stderr } = await runHere([...args, "--json"]);
    expect({ code, stderr }).toEqual({ code: EXIT.USAGE, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "USAGE", message: expect.stringContaining("no-such") } });
  });

  it.each([
    [["no-such-command"], "Unknown command"],
    [["repo", "no-such-command"], "Unknown command"],
    [["repo", "create"], "Missing required argument 'name'"],
    [["repo", "create", "a", "b"], "Too many arguments"],
    [["sync", "demo", "--from"], "argument missing"],
    [["log", "demo", "--limit", "many"], "--limit must be a number"],
    [["log", "demo", "--before", "-1"], "--before must be a number"],
    [["demo", "--devices", "0"], "--devices must be a number from 1 to 20"],
    [["gate", "--root", "/", "--gate-listen", "127.0.0.1:99999"], "HOST:PORT"],
    [["gate"], "--root .or LOCKSTEP_ROOT. is missing"],
    [["migrate"], "--database-url .or LOCKSTEP_DATABASE_URL. is missing"],
    [["migrate", "--database-url", "host=x password=secret"], "must begin with postgres://"],
    [["serve"], "--device .or LOCKSTEP_DEVICE. is missing"],
  ])("refuses what makes no sense: %j", async (args, sentence) => {
    const refused = await runHere(args);
    expect(refused.code).toBe(EXIT.USAGE);
    expectSentence(refused, new RegExp(sentence));
    expect(refused.stderr).not.toContain("secret");
  });
});

describe("--json", () => {
  /** What `args --json` printed, which must be one document and nothing else. */
  async function document(args: string[], code = EXIT.OK, env?: Environment) {
    const printed = await lockstep([...args, "--json"], env);
    expect({ code: printed.code, stderr: printed.stderr }).toEqual({ code, stderr: "" });
    expect(printed.stdout.endsWith("}\n")).toBe(true);
    return JSON.parse(printed.stdout);
  }

  it("prints one document for each command that answers", async () => {
    const repository = "json/one";
    expect(await document(["repo", "create", repository])).toMatchObject({
      name: repository,
      version: 0,
      object_format: "sha1",
      replicas: [{ device: "repo001", state: "active" }, { device: "repo002" }, { device: "repo003" }],
    });
    const tip = await ada.commit();
    await ada.land(two.url(repository), `${tip}:refs/heads/main`);
    expect(await document(["sync", repository])).toMatchObject({ repository, version: 1 });
    expect(await document(["sync", repository])).toMatchObject({ version: 1, already_current: true, refs_changed: 0 });
    const entry = {
      version: 1,
      device: "repo002",
      updates: [{ ref: "refs/heads/main", old: null, new: tip }],
      more: 0,
    };
    expect(await document(["log", repository])).toMatchObject({ repository, log: [entry] });
    expect(await document(["log", repository, "--before", "1"])).toEqual({ repository, log: [] });
    expect(await document(["repo", "show", repository])).toMatchObject({ name: repository, version: 1, log: [entry] });
    expect(await document(["repo", "list"])).toMatchObject({
      repositories: expect.arrayContaining([{ name: repository, version: 1 }]),
    });
    expect(await document(["verify", repository])).toMatchObject({ repository, ok: true, refs: 2, differences: [] });
    expect(await document(["status"])).toMatchObject({
      devices: [{ name: "repo001", live: true }, { name: "repo002" }, { name: "repo003" }],
    });
    const { version } = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8"));
    expect(await document(["version"])).toMatchObject({ lockstep: version, git: expect.stringMatching(/^2\./) });
    const url = { LOCKSTEP_DATABASE_URL: cluster.databaseUrl };
    expect(await document(["migrate"], EXIT.OK, url)).toMatchObject({
      from: expect.any(Number),
      to: expect.any(Number),
    });
  });

  it("prints one document for each kind of failure", async () => {
    const failure = (code: string) => ({ error: { code, message: expect.stringMatching(/\.$/), details: {} } });
    const wrong = { LOCKSTEP_SOCKET_DIR: "/no/such" };
    expect(await document(["log", "no/such"], EXIT.FAILED)).toMatchObject(failure("REPOSITORY_NOT_FOUND"));
    expect(await document(["repo", "create", "demo"], EXIT.FAILED)).toMatchObject(failure("REPOSITORY_EXISTS"));
    expect(await document(["repo", "show", "../x"], EXIT.USAGE)).toMatchObject(failure("INVALID_NAME"));
    expect(await document(["sync", "no/such"], EXIT.FAILED)).toMatchObject(failure("REPOSITORY_NOT_FOUND"));
    expect(await document(["status"], EXIT.NOT_NOW, wrong)).toMatchObject(failure("SIDECAR_UNAVAILABLE"));
    expect(await document(["serve"], EXIT.NOT_NOW, one.demo.env)).toMatchObject(failure("ROOT_LOCKED"));
    expect(await document(["demo", "--devices", "x"], EXIT.USAGE)).toMatchObject(failure("USAGE"));
  });

  it("tells what verify found, with exit code 1", async () => {
    await lockstep(["repo", "create", "json/meddled"]);
    const cwd = one.gitDir("json/meddled");
    await cluster.git.git(["-c", "safe.directory=*", "symbolic-ref", "HEAD", "refs/heads/other"], { cwd });
    expect(await document(["verify", "json/meddled"], EXIT.FAILED)).toMatchObject({
      ok: false,
      differences: [{ ref: "HEAD", on_disk: "ref: refs/heads/other", in_log: "ref: refs/heads/main" }],
    });
  });
});

describe("people", () => {
  it("read tables and sentences", async () => {
    const created = await lockstep(["repo", "create", "people/app"]);
    expect(created).toMatchObject({
      code: EXIT.OK,
      stderr: "",
      stdout: expect.stringContaining("Created people/app."),
    });
    const shown = await lockstep(["repo", "show", "people/app"]);
    expect(shown.stdout).toMatch(/^people\/app at version 0\n/);
    expect(shown.stdout).toMatch(/^device +version +state +leader +live +last error$/m);
    expect(shown.stdout).toMatch(/^repo003 +0 +active +yes +yes$/m);
    expect((await lockstep(["sync", "people/app"])).stdout).toBe("people/app is current at version 0.\n");
    expect((await lockstep(["log", "people/app"])).stdout).toBe("Nothing has been written yet.\n");
    expect((await lockstep(["verify", "people/app"])).stdout).toMatch(/all 1 refs are those of version 0\.\n$/);
    expect((await lockstep(["status"])).stdout).toMatch(/^repo001 +live +localhost:\d+$/m);
  });

  it("are told where the sidecar is not running", async () => {
    for (const args of [["status"], ["repo", "list"], ["sync", "demo"], ["log", "demo"], ["verify", "demo"]]) {
      const refused = await lockstep(args, { LOCKSTEP_SOCKET_DIR: "/no/such" });
      expect(refused.code).toBe(EXIT.NOT_NOW);
      expectSentence(refused, "The sidecar does not answer", "/no/such/lockstep.sock", "`lockstep serve`");
    }
  });

  it("are told which variable is misspelt, on standard error only", async () => {
    const { code, stdout, stderr } = await lockstep(["version", "--json"], { LOCKSTEP_SOCKET_DRI: "/x" });
    expect(code).toBe(EXIT.OK);
    expect(JSON.parse(stdout)).toHaveProperty("lockstep");
    expect(JSON.parse(stderr)).toMatchObject({ level: "warn", variable: "LOCKSTEP_SOCKET_DRI" });
  });

  it("are kept from showing a password to everyone on the machine", async () => {
    for (const url of ["postgres://ada:secret@127.0.0.1/x", "postgres://ada@127.0.0.1/x?password=secret"]) {
      for (const command of ["migrate", "serve", "demo"]) {
        const refused = await runHere([command, "--database-url", url]);
        expect(refused.code).toBe(EXIT.USAGE);
        expectSentence(refused, "must not carry a password", "LOCKSTEP_DATABASE_URL", "--database-url-file");
        expect(refused.stderr).not.toContain("secret");
      }
    }
  });
});

describe("people who wait at a terminal", () => {
  const env = () => ({ LOCKSTEP_SOCKET_DIR: dirname(one.demo.socket) });

  /** Runs `work` while whoever asks about a repository waits. */
  async function whileAllWait<T>(work: () => Promise<T>): Promise<T> {
    const locker = new pg.Client({ connectionString: cluster.databaseUrl });
    await locker.connect();
    try {
      await locker.query("begin");
      await locker.query("lock table lockstep.repository in access exclusive mode");
      const working = work();
      await delay(1_000);
      await locker.query("rollback");
      return await working;
    } finally {
      await locker.end();
    }
  }

  it.each([
    [["sync", "demo"], /asking the sidecar … \d s/],
    [["verify", "demo"], /comparing every ref on disk with the log … \d s/],
    [["repo", "create", "waited/for"], /replicas made: +0 of \?/],
  ])("see on it what goes on, in one line that goes away: %j", async (args, line) => {
    const { code, stdout, stderr } = await whileAllWait(() => runHere(args, env(), true));
    expect(code).toBe(EXIT.OK);
    expect(stderr).toMatch(line);
    expect(stderr.endsWith("\r\x1b[K")).toBe(true);
    expect(stdout).not.toContain("\r");
  });

  it("see whose write keeps them from stopping writes", async () => {
    const repository = await cluster.createRepository();
    const asked = { repository, author: "ada", reason: "import" };
    const { token, writeId } = await one.call("BeginWrite", asked, PATIENCE);
    const args = ["write-lock", "--enable", "--reason", "new disks", "--wait", "2", repository];
    const { code, stderr } = await runHere(args, env(), true);
    await one.call("AbortWrite", { repository, token }, PATIENCE);
    await one.lockstep("write-lock", "--disable", repository);
    expect(code).toBe(EXIT.NOT_NOW);
    const line = `waiting for ${writeId} in ${repository} by ada on repo001 since \\S+Z \\(import\\) … \\d s`;
    expect(stderr).toMatch(new RegExp(line));
    expect(stderr).toContain("\r\x1b[Klockstep: New writes are refused now, but after 2 s ");
  });

  it("see nothing of it where standard error is no terminal, nor does a program", async () => {
    const [person, program] = await whileAllWait(() =>
      Promise.all([runHere(["verify", "demo"], env(), false), runHere(["verify", "demo", "--json"], env(), true)]),
    );
    for (const { code, stderr } of [person, program]) expect({ code, stderr }).toEqual({ code: EXIT.OK, stderr: "" });
    expect(JSON.parse(program.stdout)).toMatchObject({ ok: true });
  });
});

describe("doctor", () => {
  it("finds a device that runs to be well, its own sidecar being where it listens", async () => {
    const { code, stdout, stderr } = await lockstep(["doctor"], one.demo.env);
    expect({ code, stderr }).toEqual({ code: EXIT.OK, stderr: "" });
    expect(stdout).toMatch(/^ok +root +\S+\/repo001\/repositories$/m);
    expect(stdout).toMatch(/^ok +database +PostgreSQL \d+/m);
    for (const check of ["listen", "git-listen", "http-listen"])
      expect(stdout).toMatch(
        new RegExp(`^ok +${check} +127\\.0\\.0\\.1:\\d+, held by the sidecar that runs here$`, "m"),
      );
  });

  it("does not take another device's sidecar for its own", async () => {
    const { LOCKSTEP_LISTEN = "", LOCKSTEP_GIT_LISTEN = "", LOCKSTEP_SOCKET_DIR = "" } = two.demo.env;
    const env = { ...one.demo.env, LOCKSTEP_LISTEN, LOCKSTEP_GIT_LISTEN, LOCKSTEP_SOCKET_DIR };
    const { code, stdout } = await lockstep(["doctor"], env);
    expect(code).toBe(EXIT.FAILED);
    for (const check of ["listen", "git-listen"])
      expect(stdout).toMatch(new RegExp(`^missing +${check} +.*\\(EADDRINUSE\\); end the process that has it`, "m"));
  });
});

describe("serve refuses to start", () => {
  const elsewhere = (name: string) => ({
    LOCKSTEP_ROOT: join(cluster.dir, name),
    LOCKSTEP_SOCKET_DIR: join(cluster.dir, `${name}.run`),
  });
  const long = `/tmp/${"x".repeat(120)}`;
  const credentials = (name: string) => join(dirname(one.demo.cert), name);

  it("a root that a live sidecar serves, and names its process", async () => {
    const refused = await serve({});
    expect(refused.code).toBe(EXIT.NOT_NOW);
    expectSentence(refused, `process ${one.pid}`, one.demo.root, "--root");
  });

  it("a root of another device", async () => {
    const refused = await serve({ LOCKSTEP_ROOT: two.demo.root });
    expect(refused.code).toBe(EXIT.FAILED);
    expectSentence(refused, "belongs to device repo002, not to repo001");
  });

  it("an address that somebody has", async () => {
    const refused = await serve(elsewhere("busy"));
    expect(refused.code).toBe(EXIT.FAILED);
    expectSentence(refused, "EADDRINUSE", new URL(one.demo.http).host, "choose another one");
  });

  it.each<[string, () => Environment, RegExp]>([
    [
      "a socket directory that is too long",
      () => ({ LOCKSTEP_SOCKET_DIR: long }),
      /too long for a unix socket.*--socket-dir/,
    ],
    ["another device's certificate", () => ({ LOCKSTEP_DEVICE: "repo009" }), /not that of device repo009.*spiffe:/],
    [
      "a frontend's certificate",
      () => ({ LOCKSTEP_TLS_CERT: credentials("frontend.pem"), LOCKSTEP_TLS_KEY: credentials("frontend.key") }),
      /not that of device repo001/,
    ],
    ["a certificate that is not there", () => ({ LOCKSTEP_TLS_CERT: "/no/such" }), /--tls-cert cannot be read/],
    ["a certificate that is none", () => ({ LOCKSTEP_TLS_CERT: PROGRAM }), /--tls-cert holds no certificate/],
    [
      "a key of another certificate",
      () => ({ LOCKSTEP_TLS_KEY: two.demo.key }),
      /--tls-key is no private key for the certificate/,
    ],
    ["an authority that is none", () => ({ LOCKSTEP_TLS_CA: PROGRAM }), /--tls-ca holds no certificate/],
    ["a device name that is none", () => ({ LOCKSTEP_DEVICE: "Repo_1" }), /"Repo_1" is not a DNS label/],
    ["an address that is none", () => ({ LOCKSTEP_LISTEN: "here" }), /LOCKSTEP_LISTEN must be HOST:PORT/],
    ["an empty variable", () => ({ LOCKSTEP_ROOT: "" }), /LOCKSTEP_ROOT must not be empty/],
    [
      "a URL file that is not there",
      () => ({ LOCKSTEP_DATABASE_URL_FILE: "/no/such" }),
      /\/no\/such of --database-url-file cannot be read/,
    ],
    ["a URL file with something else", () => ({ LOCKSTEP_DATABASE_URL_FILE: PROGRAM }), /does not hold a URL/],
  ])("with %s", async (_, env, sentence) => {
    const refused = await runHere(["serve"], { ...one.demo.env, ...elsewhere("wrong"), ...env() });
    expect(refused.code).toBe(EXIT.USAGE);
    expectSentence(refused, sentence);
  });

  it("with a root that cannot be made", async () => {
    const refused = await serve({ LOCKSTEP_ROOT: join(PROGRAM, "root") });
    expect(refused.code).toBe(EXIT.FAILED);
    expectSentence(refused, "ENOTDIR");
  });

  it("without git, and with one that is too old", async () => {
    const none = await serve({ PATH: "/no/such" });
    expect(none.code).toBe(EXIT.FAILED);
    expectSentence(none, "git cannot be started; install git 2.39 or newer");
    const bin = join(cluster.dir, "old");
    await mkdir(bin);
    await writeFile(join(bin, "git"), "#!/bin/sh\necho git version 2.30.2\n");
    await chmod(join(bin, "git"), 0o755);
    const old = await serve({ PATH: `${bin}:${one.demo.env.PATH}` });
    expect(old.code).toBe(EXIT.FAILED);
    expectSentence(old, "git is 2.30.2, which is too old; install git 2.39 or newer");
    const shown = await lockstep(["version", "--json"], { PATH: "/no/such" });
    expect(JSON.parse(shown.stdout)).toMatchObject({ git: null });
  });

  it("without a database", async () => {
    const refused = await serve({ ...elsewhere("none"), LOCKSTEP_DATABASE_URL: "postgres://ada:secret@127.0.0.1:1/x" });
    expect(refused.code).toBe(EXIT.NOT_NOW);
    expectSentence(refused, "The database cannot be used now", "ECONNREFUSED", "see whether PostgreSQL runs");
    expect(refused.stderr).not.toContain("secret");
  });

  it("on a schema that is too new for it, as does migrate", async () => {
    await using database = await migratedDatabase();
    await administer(database.url, (client) =>
      client.query("update lockstep.schema_level set level = 99, compatible_from = 99"),
    );
    const url = { LOCKSTEP_DATABASE_URL: database.url };
    for (const refused of [await serve({ ...elsewhere("new"), ...url }), await lockstep(["migrate"], url)]) {
      expect(refused.code).toBe(EXIT.FAILED);
      expectSentence(refused, "The database schema is at level 99", "install the newer version");
    }
  });

  it("and the device that runs takes no notice of all that", async () => {
    await expect(lockstep(["sync", "demo"])).resolves.toMatchObject({ code: EXIT.OK });
    expect(await one.isReady()).toBe(true);
  });
});

describe("other commands refuse", () => {
  it("a socket directory that is too long", async () => {
    const refused = await lockstep(["status", "--socket-dir", `/tmp/${"x".repeat(120)}`]);
    expect(refused.code).toBe(EXIT.USAGE);
    expectSentence(refused, "too long for a unix socket");
  });

  it("an address that somebody has, for the gate", async () => {
    const refused = await lockstep(["gate", "--root", one.demo.root, "--gate-listen", new URL(one.demo.http).host]);
    expect(refused.code).toBe(EXIT.FAILED);
    expectSentence(refused, "EADDRINUSE", "choose another one");
  });

  it("a database that is not there, for the demo", async () => {
    const dir = join(cluster.dir, "demo-without");
    const refused = await lockstep(["demo", "--dir", dir], {
      LOCKSTEP_DATABASE_URL: "postgres://ada:secret@127.0.0.1:1/x",
    });
    expect(refused.code).toBe(EXIT.NOT_NOW);
    expect(refused.stderr).toMatch(/^lockstep: [^\n]*\.\n$/);
    expect(refused.stderr + refused.stdout).not.toContain("secret");
  });
});

describe("migrate", () => {
  it("says what it did, and that there is nothing left to do", async () => {
    await using database = await createDatabase();
    const url = { LOCKSTEP_DATABASE_URL: database.url };
    const first = await lockstep(["migrate"], url);
    expect(first).toMatchObject({
      code: EXIT.OK,
      stdout: expect.stringMatching(/^The schema went from level 0 to \d+\.\n$/),
    });
    const file = join(cluster.dir, "url");
    await writeFile(file, `${database.url}\n`, { mode: 0o600 });
    const second = await lockstep(["migrate", "--database-url-file", file]);
    expect(second).toMatchObject({ code: EXIT.OK, stdout: expect.stringMatching(/already\.\n$/) });
  });
});

describe("a reader that goes away", () => {
  it.each([["repo", "list"], ["status", "--json"], ["no-such-command"]])("is no crash: %s", async (...args) => {
    const child = start(args);
    child.stdout?.destroy();
    const code = once(child, "close");
    const stderr = await text(child.stderr!);
    expect((await code)[0]).toBe(args[0] === "no-such-command" ? EXIT.USAGE : EXIT.OK);
    expect(stderr).not.toMatch(/EPIPE|\n {4}at /);
  });

  it("leaves the exit code when it had standard error", async () => {
    const child = start(["no-such-command"]);
    child.stderr?.destroy();
    const [[code]] = await Promise.all([once(child, "close"), text(child.stdout!)]);
    expect(code).toBe(EXIT.USAGE);
  });
});

/** How many clients the socket at `path` has, as the kernel counts them: whoever is connected has loaded its program. */
async function connections(path: string): Promise<number> {
  const sockets = (await readFile("/proc/net/unix", "utf8")).split("\n");
  const CONNECTED = "03";
  return sockets.filter((line) => line.endsWith(` ${path}`) && line.split(/\s+/)[5] === CONNECTED).length;
}

describe("Ctrl-C", () => {
  it.each([[["sync", "demo"]], [["log", "demo"]], [["repo", "show", "demo"]]])(
    "ends %j at once, with a sentence",
    async (args) => {
      const locker = new pg.Client({ connectionString: cluster.databaseUrl });
      await locker.connect();
      try {
        // Whoever asks about a repository now waits.
        await locker.query("begin");
        await locker.query("lock table lockstep.repository in access exclusive mode");
        const before = await connections(one.demo.socket);
        const child = start(args);
        const end = ended(child);
        await expect.poll(async () => await connections(one.demo.socket)).toBeGreaterThan(before);
        child.kill("SIGINT");
        const outcome = await end;
        expect(outcome.code).toBe(EXIT.NOT_NOW);
        expectSentence(outcome, "cancelled");
      } finally {
        await locker.query("rollback");
        await locker.end();
      }
      await expect(lockstep(args)).resolves.toMatchObject({ code: EXIT.OK });
    },
  );
});
