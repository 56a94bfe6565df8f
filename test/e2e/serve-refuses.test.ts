import { chmod, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { administer } from "../support/administer.ts";
import { type Ended, ended, PROGRAM } from "../support/cluster-device.ts";
import { type Environment, EXIT, expectSentence, runHere } from "../support/command-line.ts";
import { migratedDatabase } from "../support/database.ts";
import { cluster, one, startClusterOfFile, two } from "../support/file-cluster.ts";

startClusterOfFile();

const lockstep = (args: readonly string[], env?: Environment): Promise<Ended> => ended(one.command(args, env));

/** A sidecar like that of device one, but for `env`. It is expected to refuse to start. */
const serve = (env: Environment): Promise<Ended> => lockstep(["serve"], { ...one.demo.env, ...env });

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

  it("the root of another device is refused", async () => {
    const refused = await serve({ LOCKSTEP_ROOT: two.demo.root });
    expect(refused.code).toBe(EXIT.FAILED);
    expectSentence(refused, "belongs to device repo002, not to repo001");
  });

  it.each(["LOCKSTEP_LISTEN", "LOCKSTEP_GIT_LISTEN", "LOCKSTEP_HTTP_LISTEN"])(
    "an address that somebody has (%s)",
    async (setting) => {
      await two.kill();
      const address = one.demo.env[setting]!;
      const refused = await ended(two.command(["serve"], { ...two.demo.env, [setting]: address }));
      expect(refused.code).toBe(EXIT.FAILED);
      expectSentence(refused, "EADDRINUSE", address, "choose another one");
      await two.start();
    },
  );

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
    [
      "a URL file with something else",
      () => ({ LOCKSTEP_DATABASE_URL_FILE: PROGRAM }),
      /must begin with postgres:\/\/, or be words like host=db/,
    ],
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

  it("with a root whose path leaves no room for every ref", async () => {
    for (const more of [1_000, 3_000]) {
      const refused = await serve({
        ...elsewhere("long"),
        LOCKSTEP_ROOT: join(cluster.dir, "long", "/x".repeat(more)),
      });
      expect(refused.code).toBe(EXIT.FAILED);
      expectSentence(refused, "bytes, and at most 2000 leave room for every ref; choose a shorter --root");
    }
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

  it("serve does not start without a database", async () => {
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

  it("the device that runs serves on after all these refusals", async () => {
    await expect(lockstep(["sync", "demo"])).resolves.toMatchObject({ code: EXIT.OK });
    expect(await one.isReady()).toBe(true);
  });
});
