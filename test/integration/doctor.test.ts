import { mkdir, readdir, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, inject, it, vi } from "vitest";
import { createAuthority } from "../../src/ca/authority.ts";
import { administer, databaseUrl } from "../support/administer.ts";
import { migratedDatabase } from "../support/database.ts";
import {
  credentials,
  dir,
  doctor,
  type Environment,
  empty,
  makeDoctorSite,
  stranger,
  TRUST_DOMAIN,
  well,
} from "../support/doctor-site.ts";

makeDoctorSite();

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

  it("the doctor names a replica with which git would read from another directory", async () => {
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

  it("a Node that is too old is named, with the version that is needed", async () => {
    const { code, checks } = await doctor(well, join(dir, "old-node", "node"));
    expect(code).toBe(1);
    expect(checks[0]).toEqual({
      check: "node",
      state: "missing",
      said: "Node is 18.19.0, which is too old; install 20.20 or newer.",
    });
  });

  it("the doctor names a missing flock program on a machine without a compiler", async () => {
    const { checks } = await doctor({ ...well, PATH: join(dir, "bin-without-flock") });
    // The native program is not beside the sources, so that it is missing here.
    expect(checks.find(({ check }) => check === "lock")).toEqual({
      check: "lock",
      state: "missing",
      said: "Cannot run flock, which locks the root; install util-linux or a C compiler.",
    });
  });

  it("the doctor names a schema that is too new for this program", async () => {
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
  it("a certificate that ends within 30 days is a warning", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 80.5 * 86_400_000 });
    const { checks } = await doctor(well).finally(() => vi.useRealTimers());
    expect(checks.find(({ check }) => check === "certificate")).toEqual({
      check: "certificate",
      state: "warning",
      said: "The certificate expires in 19 days; issue a new one before.",
    });
  });

  it("a schema that serve will make is a warning", async () => {
    const { code, checks } = await doctor({ ...well, LOCKSTEP_DATABASE_URL: empty.url });
    expect(code).toBe(0);
    expect(checks.find(({ check }) => check === "database")).toMatchObject({
      state: "warning",
      said: expect.stringMatching(/schema level 0 of \d+; serve migrates it when it starts/),
    });
  });
});

describe("a database that may forget", () => {
  it("a database that may forget commits is warned of", async () => {
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
