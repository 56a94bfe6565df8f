import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { type CredentialPair, createAuthority, issue } from "../../src/ca/authority.ts";
import { writeCredentials } from "../../src/ca/credentials.ts";
import { main } from "../../src/cli/program.ts";
import { judgeCertificate } from "../../src/doctor/certificate.ts";
import { judgeClock, judgeDatabase, judgeLogin } from "../../src/doctor/database.ts";
import { judgeDisk } from "../../src/doctor/directories.ts";
import { type Finding, find } from "../../src/doctor/finding.ts";
import { refName, symbolicTo } from "../../src/domain.ts";
import { ensureAliasHook } from "../../src/git/refs/alias-hook.ts";
import { administer, databaseUrl } from "../support/administer.ts";
import { createDatabase, migratedDatabase, type TestDatabase } from "../support/database.ts";
import { freePort } from "../support/ports.ts";
import { findProgram } from "../support/programs.ts";

const TRUST_DOMAIN = "cluster.example";
const DAY_MS = 86_400_000;
/** The native program is not beside the sources: this check warns here. */
const NOT_BUILT = "shim";

type Environment = Record<string, string>;

let dir: string;
let database: TestDatabase;
let empty: TestDatabase;
let authority: CredentialPair;
let stranger: Server;
/** All that `serve` needs. */
let well: Environment;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "ls-doctor-"));
  [database, empty] = await Promise.all([migratedDatabase(), createDatabase()]);
  authority = await createAuthority({ trustDomain: TRUST_DOMAIN, days: 400 });
  const { certificate: ca } = await writeCredentials(dir, "ca", authority);
  const [git, flock] = [findProgram("git", "git"), findProgram("flock", "util-linux")] as { path: string }[];
  for (const [name, programs] of [
    ["bin", [git, flock]],
    ["bin-without-flock", [git]],
  ] as const) {
    await mkdir(join(dir, name));
    for (const program of programs) await symlink(program!.path, join(dir, name, program!.path.split("/").at(-1)!));
  }
  for (const [name, said] of [
    ["git", "git version 2.30.2"],
    ["node", "v18.19.0"],
  ] as const) {
    await mkdir(join(dir, `old-${name}`));
    await writeFile(join(dir, `old-${name}`, name), `#!/bin/sh\necho ${said}\n`);
    await chmod(join(dir, `old-${name}`, name), 0o755);
  }
  await writeFile(join(dir, "file"), "");
  await mkdir(join(dir, "of-another", ".lockstep"), { recursive: true });
  await writeFile(join(dir, "of-another", ".lockstep", "root.json"), JSON.stringify({ device: "repo009" }));
  stranger = createServer().listen(0, "127.0.0.1");
  await once(stranger, "listening");
  const { cert, key } = await credentials("repo001", {});
  const ports = await Promise.all([freePort(), freePort(), freePort()]);
  well = {
    PATH: join(dir, "bin"),
    LOCKSTEP_DEVICE: "repo001",
    LOCKSTEP_ROOT: join(dir, "root"),
    LOCKSTEP_SOCKET_DIR: join(dir, "run"),
    LOCKSTEP_DATABASE_URL: database.url,
    LOCKSTEP_TLS_CERT: cert,
    LOCKSTEP_TLS_KEY: key,
    LOCKSTEP_TLS_CA: ca,
    LOCKSTEP_LISTEN: `127.0.0.1:${ports[0]}`,
    LOCKSTEP_GIT_LISTEN: `127.0.0.1:${ports[1]}`,
    LOCKSTEP_HTTP_LISTEN: `127.0.0.1:${ports[2]}`,
  };
});
afterAll(async () => {
  stranger?.close();
  await database?.[Symbol.asyncDispose]();
  await empty?.[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
});

async function credentials(name: string, { by = authority, days = 100 }: { by?: CredentialPair; days?: number }) {
  const pair = await issue(by, { role: "device", name, hosts: ["localhost"], days });
  const { certificate, key } = await writeCredentials(dir, `${name}-${days}-${by === authority}`, pair);
  return { cert: certificate, key };
}

async function doctor(env: Environment, execPath = process.execPath) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const stream = (to: PassThrough) => to as unknown as NodeJS.WriteStream;
  const code = await main({
    env,
    argv: ["doctor", "--json"],
    cwd: "/",
    pid: process.pid,
    execPath,
    isRoot: false,
    stdin: process.stdin,
    stdout: stream(stdout),
    stderr: stream(stderr),
    stop: AbortSignal.timeout(30_000),
    kill: () => {},
  });
  stdout.end();
  const { ok, checks } = JSON.parse(await text(stdout)) as { ok: boolean; checks: Finding[] };
  return { code, ok, checks: checks.filter(({ check, state }) => check !== NOT_BUILT || state === "missing") };
}

it("finds all well where nothing is missing, says what it found, and leaves nothing behind", async () => {
  for (const place of ["root", "run"]) await mkdir(join(dir, place));
  const { code, ok, checks } = await doctor(well);
  expect(checks.filter(({ state }) => state !== "ok")).toEqual([]);
  expect({ code, ok }).toEqual({ code: 0, ok: true });
  const said = Object.fromEntries(checks.map((each) => [each.check, each.said]));
  expect(said).toMatchObject({
    node: expect.stringMatching(/^2\d\.\d+\.\d+$/),
    git: expect.stringMatching(/^2\.\d+/),
    root: join(dir, "root"),
    names: "every name that a ref may have",
    disk: expect.stringMatching(/^\d+\.\d GB free at /),
    sockets: join(dir, "run"),
    certificate: expect.stringMatching(/^device repo001 of cluster\.example, until \d{4}-\d\d-\d\d$/),
    database: expect.stringMatching(/^PostgreSQL \d+\S*( .*)?, schema level \d+$/),
    clock: expect.stringMatching(/^as the database's/),
    listen: `${well.LOCKSTEP_LISTEN} is free`,
  });
  for (const place of ["root", "run"]) expect(await readdir(join(dir, place))).toEqual([]);
});

/** What is changed; the check that notices; a program in place of Node; what is said, remedy included. */
type Case = [string, () => Environment | Promise<Environment>, string, RegExp];

describe("the doctor names each missing prerequisite with a remedy", () => {
  const files = ({ cert, key }: { cert: string; key: string }) => ({ LOCKSTEP_TLS_CERT: cert, LOCKSTEP_TLS_KEY: key });
  const foreign = async () => await createAuthority({ trustDomain: TRUST_DOMAIN, days: 400 });
  const cases: Case[] = [
    ["no git", () => ({ PATH: "/no/such" }), "git", /cannot be started; install git 2\.39 or newer\./],
    ["an old git", () => ({ PATH: `${dir}/old-git:${dir}/bin` }), "git", /2\.30\.2, .* too old; install git 2\.39/],
    [
      "a git too old for the refs that are asked for",
      () => ({ PATH: `${dir}/old-git:${dir}/bin`, LOCKSTEP_REF_FORMAT: "reftable" }),
      "git",
      /2\.30\.2, .* too old for --ref-format reftable; install git 2\.46/,
    ],
    ["no root", () => ({ LOCKSTEP_ROOT: undefined as never }), "root", /--root \(or LOCKSTEP_ROOT\) is missing/],
    ["a file for a root", () => ({ LOCKSTEP_ROOT: `${dir}/file` }), "root", /no directory; .* choose another --root\./],
    ["a root below a file", () => ({ LOCKSTEP_ROOT: `${dir}/file/x` }), "root", /file is no directory; .* --root\./],
    [
      "another's root",
      () => ({ LOCKSTEP_ROOT: `${dir}/of-another` }),
      "root",
      /device repo009; give each device a root/,
    ],
    [
      "a read-only root",
      () => ({ LOCKSTEP_ROOT: "/proc/x" }),
      "root",
      /written to \/proc .*; let the user that runs serve and the git server write there/,
    ],
    [
      "a root that is too long",
      () => ({ LOCKSTEP_ROOT: `${dir}${"/x".repeat(1_000)}` }),
      "names",
      /has 20\d\d bytes, and at most 2000 .*; choose a shorter --root\./,
    ],
    ["a file for sockets", () => ({ LOCKSTEP_SOCKET_DIR: `${dir}/file` }), "sockets", /choose another --socket-dir\./],
    [
      "a long socket path",
      () => ({ LOCKSTEP_SOCKET_DIR: `/tmp/${"x".repeat(120)}` }),
      "sockets",
      /too long for a unix socket .*; choose a shorter --socket-dir\./,
    ],
    [
      "no certificate",
      () => ({ LOCKSTEP_TLS_CERT: "/no/such" }),
      "certificate",
      /cannot be read .*; correct its path\./,
    ],
    [
      "no key",
      () => ({ LOCKSTEP_TLS_KEY: "/no/such" }),
      "certificate",
      /--tls-key cannot be read .*; correct its path\./,
    ],
    [
      "another's key",
      async () => ({ LOCKSTEP_TLS_KEY: (await credentials("repo002", {})).key }),
      "certificate",
      /is no private key for the certificate; give the right one\./,
    ],
    [
      "another device's certificate",
      async () => files(await credentials("repo002", {})),
      "certificate",
      /is not that of device repo001; it needs the one URI spiffe:/,
    ],
    [
      "a certificate of another authority",
      async () => files(await credentials("repo001", { by: await foreign() })),
      "certificate",
      /No authority of --tls-ca has signed .*; give the authority that issued it\./,
    ],
    [
      "a certificate that has expired",
      async () => files(await credentials("repo001", { days: -1 / 1440 })),
      "certificate",
      /expired on \d{4}-\d\d-\d\d; issue a new one\./,
    ],
    [
      "no database URL",
      () => ({ LOCKSTEP_DATABASE_URL: undefined as never }),
      "database",
      /LOCKSTEP_DATABASE_URL\) is missing/,
    ],
    [
      "a database that is down",
      () => ({ LOCKSTEP_DATABASE_URL: "postgres://ada:secret@127.0.0.1:1/x" }),
      "database",
      /ECONNREFUSED.*; try again, and see whether PostgreSQL runs/,
    ],
    [
      "a database that does not exist",
      () => ({ LOCKSTEP_DATABASE_URL: databaseUrl(inject("postgresUrl"), "no_such_database") }),
      "database",
      /; create that database, or correct its name in the database URL/,
    ],
    [
      "a port that somebody has",
      () => ({ LOCKSTEP_GIT_LISTEN: `127.0.0.1:${(stranger.address() as AddressInfo).port}` }),
      "git-listen",
      /--git-listen \(EADDRINUSE\); end the process that has it, or choose another one\./,
    ],
    [
      "an address of another machine",
      () => ({ LOCKSTEP_LISTEN: "192.0.2.1:7420" }),
      "listen",
      /\(EADDRNOTAVAIL\); give an address of this machine/,
    ],
  ];
  it.each(cases)("%s", async (_, change, check, sentence) => {
    const changed = { ...well, ...(await change()) };
    const { code, ok, checks } = await doctor(changed);
    expect({ code, ok }).toEqual({ code: 1, ok: false });
    const finding = checks.find((each) => each.check === check);
    expect(finding).toMatchObject({ state: "missing", said: expect.stringMatching(sentence) });
    // Nothing else is blamed but what stands on the same thing.
    const together = [
      ["root", "names", "lock", "disk"],
      ["database", "login", "clock"],
      ["git", "lock"],
    ].find((each) => each.includes(check));
    const blamed = checks.filter(({ state }) => state === "missing").map((each) => each.check);
    for (const name of blamed) expect(together ?? [check]).toContain(name);
    expect(JSON.stringify(checks)).not.toContain("secret");
  });

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
      said: expect.stringContaining(`let ${shared}/pre-receive end with \`exec ${root}/.lockstep/bin/lockstep-git`),
    };
    expect(await look()).toMatchObject(told);
    await writeFile(join(shared, "pre-receive"), "#!/bin/sh\nexit 0\n");
    expect(await look()).toMatchObject(told);
    await writeFile(join(shared, "pre-receive"), `#!/bin/sh\nexec ${root}/.lockstep/bin/lockstep-git pre-receive\n`);
    expect(await look()).toMatchObject({ state: "ok" });
  });

  it("a replica with which git would read from another directory", async () => {
    const root = join(dir, "with-borrowing");
    const replica = join(root, "team", "app.git");
    await mkdir(join(replica, "objects", "info"), { recursive: true });
    const look = async () => {
      const { checks } = await doctor({ ...well, LOCKSTEP_ROOT: root });
      return checks.find(({ check }) => check === "replicas");
    };
    expect(await look()).toMatchObject({ state: "ok" });
    await writeFile(join(replica, "objects", "info", "alternates"), "/elsewhere/objects\n");
    expect(await look()).toEqual({
      check: "replicas",
      state: "missing",
      said: expect.stringMatching(/^With \S+team\/app\.git\/objects\/info\/alternates git would read from other/),
    });
  });

  it("an old Node", async () => {
    const { code, checks } = await doctor(well, join(dir, "old-node", "node"));
    expect(code).toBe(1);
    expect(checks[0]).toEqual({
      check: "node",
      state: "missing",
      said: "Node is 18.19.0, which is too old; install 20.20 or newer.",
    });
  });

  it("a missing flock program on a machine without a compiler", async () => {
    const { checks } = await doctor({ ...well, PATH: join(dir, "bin-without-flock") });
    // The native program is not beside the sources, so that it is missing here.
    expect(checks.find(({ check }) => check === "lock")).toEqual({
      check: "lock",
      state: "missing",
      said: "Cannot run flock, which locks the root; install util-linux or a C compiler.",
    });
  });

  it("a schema that is too new for this program", async () => {
    await using newer = await migratedDatabase();
    const text = "update lockstep.schema_level set level = 99, compatible_from = 99";
    await administer(newer.url, (client) => client.query(text));
    const { code, checks } = await doctor({ ...well, LOCKSTEP_DATABASE_URL: newer.url });
    expect(code).toBe(1);
    expect(checks.find(({ check }) => check === "database")).toMatchObject({
      state: "missing",
      said: expect.stringMatching(/level 99.*; install the newer version of Lockstep/),
    });
  });
});

describe("a prerequisite that will soon be missing is a warning, and no failure", () => {
  it("a certificate that ends within 30 days", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 80.5 * 86_400_000 });
    const { checks } = await doctor(well).finally(() => vi.useRealTimers());
    expect(checks.find(({ check }) => check === "certificate")).toEqual({
      check: "certificate",
      state: "warning",
      said: "The certificate expires in 19 days; issue a new one before.",
    });
  });

  it("a schema that serve will make", async () => {
    const { code, checks } = await doctor({ ...well, LOCKSTEP_DATABASE_URL: empty.url });
    expect(code).toBe(0);
    expect(checks.find(({ check }) => check === "database")).toMatchObject({
      state: "warning",
      said: expect.stringMatching(/schema level 0 of \d+; serve migrates it when it starts/),
    });
  });
});

describe("a database that may forget", () => {
  it("is warned of", async () => {
    await using forgetful = await migratedDatabase();
    await administer(forgetful.url, (client) =>
      client.query(`alter database ${new URL(forgetful.url).pathname.slice(1)} set synchronous_commit = off`),
    );
    const { code, checks } = await doctor({ ...well, LOCKSTEP_DATABASE_URL: forgetful.url });
    expect(code).toBe(0);
    expect(checks.find(({ check }) => check === "database")).toMatchObject({
      state: "warning",
      said: expect.stringContaining("synchronous_commit is off"),
    });
  });
});

describe("the doctor judges states that this machine cannot produce", () => {
  const inspection = { version: "16.4 (Debian)", standby: false, level: 3, mayCreate: true, aheadMs: 0, off: [] };
  const pem = async (days: number) => {
    const grant = { role: "device", name: "repo001", hosts: [], days } as const;
    return new X509Certificate((await issue(authority, grant)).certificatePem);
  };

  it.each([
    [{}, 3, "PostgreSQL 16.4 (Debian), schema level 3"],
    [{ level: 4 }, 3, "PostgreSQL 16.4 (Debian), schema level 4"],
    [{ version: "13.9" }, 3, { missing: "PostgreSQL is 13.9, which is too old; install 14 or newer." }],
    [{ standby: true }, 3, { missing: "This PostgreSQL is a standby; give the URL of the primary." }],
    [{ level: 2 }, 3, { warning: expect.stringMatching(/level 2 of 3; serve migrates it/) }],
    [{ off: ["fsync"] }, 3, { warning: expect.stringMatching(/level 3, but fsync is off, .*; turn that on/) }],
    [{ off: ["fsync", "x"] }, 3, { warning: expect.stringMatching(/but fsync and x are off/) }],
    [{ level: 2, mayCreate: false }, 3, { missing: expect.stringMatching(/may not migrate it; grant it CREATE/) }],
  ])("a database %j", (found, known, verdict) => {
    expect(judgeDatabase({ ...inspection, ...found }, known)).toEqual(verdict);
  });

  it.each([
    [undefined, "no schema yet"],
    [{}, "lockstep, which acts for all devices"],
    [{ devices: ["repo001"] }, "lockstep, which acts for all devices"],
    [
      { devices: ["repo001", "repo002"] },
      { warning: expect.stringMatching(/while 1 other device has a login of its own/) },
    ],
    [
      { devices: ["repo002", "repo003"] },
      { warning: expect.stringMatching(/while 2 other devices have logins of their own/) },
    ],
    [{ device: "repo001", ownsSchema: false }, "lockstep, which acts for this device only"],
    [
      { device: "repo002", ownsSchema: false },
      { missing: expect.stringMatching(/acts for the device repo002, not for repo001/) },
    ],
    [{ ownsSchema: false }, { missing: expect.stringMatching(/acts for no device; .*device login repo001/) }],
  ])("a login %j", (found, verdict) => {
    const login = { login: "lockstep", device: null, ownsSchema: true, devices: [] };
    expect(judgeLogin(found && { ...login, ...found }, "repo001")).toEqual(verdict);
  });

  it.each([
    [0, expect.any(String)],
    [-4_000, expect.any(String)],
    [61_000, { warning: expect.stringMatching(/clock is 61 s behind the database's.*; run an NTP client/) }],
    [-61_000, { warning: expect.stringMatching(/clock is 61 s ahead of the database's.*; run an NTP client/) }],
  ])("a database whose clock is ahead by %i ms", (ms, verdict) => {
    expect(judgeClock(ms)).toEqual(verdict);
  });

  it.each([
    [{ bytes: 5e10, files: 1e6 }, "50.0 GB free at /srv"],
    [{ bytes: 5e10, files: undefined }, "50.0 GB free at /srv"],
    [{ bytes: 5e8, files: 1e6 }, { warning: expect.stringMatching(/0\.5 GB free at \/srv\); make room/) }],
    [{ bytes: 5e7, files: 1e6 }, { missing: expect.stringMatching(/too little room .*; make room/) }],
    [{ bytes: 5e10, files: 12 }, { warning: expect.stringMatching(/only 12 more files at \/srv; make room/) }],
  ])("a disk with %j", (free, verdict) => {
    expect(judgeDisk("/srv", free)).toEqual(verdict);
  });

  it("a certificate that is not valid yet, or only for clients", async () => {
    const signers = [new X509Certificate(authority.certificatePem)];
    const certificate = await pem(100);
    expect(judgeCertificate(certificate, signers, Date.now())).toBeUndefined();
    expect(judgeCertificate(certificate, signers, Date.now() - DAY_MS)).toEqual({
      missing: expect.stringMatching(/valid from \d{4}-\d\d-\d\d on; set this machine's clock, or issue a new one\./),
    });
    const grant = { role: "operator", name: "alice", hosts: [], days: 100 } as const;
    const client = new X509Certificate((await issue(authority, grant)).certificatePem);
    expect(judgeCertificate(client, signers, Date.now())).toEqual({
      missing: expect.stringMatching(/not for servers and clients both; issue one with serverAuth and clientAuth\./),
    });
  });

  it("a check that fails with an unexpected error", async () => {
    const looked = find("x", async () => {
      throw new Error("no idea");
    });
    expect(await looked).toEqual({ check: "x", state: "missing", said: "no idea" });
  });
});
