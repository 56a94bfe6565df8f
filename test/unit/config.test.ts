import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SETTINGS, type SettingName, settingsOf, variableOf } from "../../src/settings/config.ts";
import { readConfig, required, unknownVariables } from "../../src/settings/read-config.ts";
import { parseHostPort } from "../../src/settings/setting-checks.ts";
import { readLimits } from "../../src/sidecar/read-settings.ts";

const names = Object.keys(SETTINGS) as SettingName[];
const usage = (message: string) =>
  expect.objectContaining({ code: "USAGE", message: expect.stringContaining(message) });
const serve = (flags: Record<string, string>, env: Record<string, string> = {}) =>
  readConfig("serve", flags, env, "/cwd");

describe("the limits of what others may cost", () => {
  it("the limits of what others may cost are those of the settings", () => {
    const wanted = { tlsHandshakes: "3", tlsHandshakeSeconds: "7", tlsConnections: "4", tlsCalls: "5" };
    const peers = { peerPacks: "9", peerPacksEach: "1", peerCopies: "11", peerBigRequests: "12" };
    const handshakes = { most: 3, timeoutMs: 7_000 };
    expect(readLimits(serve({ ...wanted, ...peers }))).toEqual({
      handshakes,
      rpcLimits: { handshakes, connections: 4, calls: 5 },
      portLimits: { packs: { all: 9, own: 1 }, copies: 11, bigRequests: 12 },
    });
  });

  it.each([
    ["tlsHandshakes", "--tls-handshakes must be a number of connections above 0"],
    ["tlsHandshakeSeconds", "--tls-handshake-seconds must be a number of seconds above 0"],
    ["tlsCalls", "--tls-calls must be a number of calls above 0"],
    ["peerPacks", "--peer-packs must be a number of packs above 0"],
    ["peerPacksEach", "--peer-packs-each must be a number of packs above 0"],
    ["peerCopies", "--peer-copies must be a number of requests above 0"],
    ["peerBigRequests", "--peer-big-requests must be a number of requests above 0"],
  ])("are not 0: %s", (flag, sentence) => {
    expect(() => serve({ [flag]: "0" })).toThrow(usage(sentence));
  });
});

describe("readConfig", () => {
  it("prefers the flag to the environment, and the environment to the default", () => {
    const env = { LOCKSTEP_HTTP_LISTEN: "127.0.0.1:2" };
    expect(serve({ httpListen: "127.0.0.1:1" }, env)["http-listen"]).toBe("127.0.0.1:1");
    expect(serve({}, env)["http-listen"]).toBe("127.0.0.1:2");
    expect(serve({})["http-listen"]).toBe(SETTINGS["http-listen"].default);
  });

  it("leaves out a setting that has neither a value nor a default", () => {
    expect(serve({})).not.toHaveProperty("device");
  });

  it("reads the settings of its command only", () => {
    const env = { LOCKSTEP_DEVICE: "a", LOCKSTEP_GATE_LISTEN: "127.0.0.1:1" };
    expect(serve({}, env)).toMatchObject({ device: "a" });
    expect(serve({}, env)).not.toHaveProperty("gate-listen");
    expect(readConfig("gate", {}, env, "/")).not.toHaveProperty("device");
  });

  it("resolves paths against the directory in which the command runs", () => {
    expect(serve({ root: "r", tlsKey: "/k", tlsCert: "../c" })).toMatchObject({
      root: "/cwd/r",
      "tls-key": "/k",
      "tls-cert": "/c",
    });
  });

  it("cannot be changed afterwards", () => {
    expect(Object.isFrozen(serve({}))).toBe(true);
  });

  it("knows every variable by the name of its flag", () => {
    for (const name of names) expect(variableOf(name)).toMatch(/^LOCKSTEP_[A-Z_]+$/);
    expect(variableOf("http-listen")).toBe("LOCKSTEP_HTTP_LISTEN");
    expect(new Set(names.map(variableOf)).size).toBe(names.length);
  });

  it("has settings only for commands, and defaults that fit", () => {
    for (const name of names) expect(settingsOf(SETTINGS[name].commands[0])).toContain(name);
    for (const command of new Set(names.flatMap((name) => [...SETTINGS[name].commands])))
      expect(() => readConfig(command, {}, {}, "/")).not.toThrow();
  });
});

describe("a value that does not fit", () => {
  it.each(["", "7420", "localhost", "localhost:", ":7420", "localhost:http", "a b:1", "::1:7420", "localhost:65536"])(
    "is refused as an address: %j",
    (value) => {
      expect(() => serve({ listen: value })).toThrow(usage("--listen must be HOST:PORT"));
      expect(() => serve({}, { LOCKSTEP_LISTEN: value })).toThrow(usage("LOCKSTEP_LISTEN must be HOST:PORT"));
    },
  );

  it.each(["127.0.0.1:0", "[::1]:7420", "repo001.example:65535"])("%j is refused as an address", (value) => {
    expect(serve({ listen: value }).listen).toBe(value);
  });

  it.each(["evil@host", "host:9", "host/x", "host?", "evil@host:9/x?", "", "a b", "a..b", "-a", "[::1"])(
    "is refused as the host that others reach: %j",
    (value) => {
      const refused = usage("--advertise must be a host name or an IP address, without a port");
      expect(() => serve({ advertise: value })).toThrow(refused);
      if (value !== "") expect(() => serve({ hostNames: `good,${value}` })).toThrow(usage("--host-names must be"));
    },
  );

  it.each(["repo001", "repo_1.example.", "10.0.0.7", "::1", "[::1]"])("%j is refused as a host", (value) => {
    expect(serve({ advertise: value, hostNames: value })).toMatchObject({ advertise: value, "host-names": value });
  });

  it.each([
    ["inDoubtSeconds", "1.5", '--in-doubt-seconds must be a number of seconds, not "1.5".'],
    ["inDoubtSeconds", "-1", '--in-doubt-seconds must be a number of seconds, not "-1".'],
    ["logLevel", "loud", '--log-level must be debug, info, warn or error, not "loud".'],
    ["refFormat", "FILES", '--ref-format must be files or reftable, not "FILES".'],
    ["exitWithPid", "me", '--exit-with-pid must be a process id, not "me".'],
    ["device", "", '--device must not be empty, not "".'],
    ["root", "", '--root must not be empty, not "".'],
    ["databaseConnections", "1", '--database-connections must be a number of connections from 2 to 100, not "1".'],
    ["databaseConnections", "101", '--database-connections must be a number of connections from 2 to 100, not "101".'],
    ["databaseConnections", "8.5", '--database-connections must be a number of connections from 2 to 100, not "8.5".'],
    ["listen", "host:65536", '--listen must be HOST:PORT, with a port up to 65535, not "host:65536".'],
  ])("is refused for --%s: %j", (flag, value, message) => {
    expect(() => serve({ [flag]: value })).toThrow(expect.objectContaining({ code: "USAGE", message }));
  });
});

describe("the database URL", () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), "lockstep-config-"));
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  it.each([
    "postgres://user:secret@host/db",
    "postgres://user:secret@host:5432/db?sslmode=require",
    "postgres://user:secret@%2Frun%2Fpostgresql/db",
    "postgres://:secret@host/db",
    "postgres://user@host/db?password=secret",
    "postgres://user:secret@/db",
  ])("is refused as a flag when it carries a password, without repeating it: %s", (url) => {
    for (const flag of ["databaseUrl", "notifyDatabaseUrl"]) {
      const read = () => serve({ [flag]: url });
      expect(read).toThrow(usage("must not carry a password"));
      expect(read).not.toThrow("secret");
    }
  });

  it("may carry one in the environment", () => {
    const url = "postgres://user:secret@host/db";
    expect(serve({}, { LOCKSTEP_DATABASE_URL: url })["database-url"]).toBe(url);
  });

  it.each(["postgres://user@host/db", "postgres://host/db", "postgres://user@host:5432/a:b@c"])(
    "may be a flag without one: %s",
    (url) => {
      expect(serve({ databaseUrl: url })["database-url"]).toBe(url);
    },
  );

  it("is read from a file, without the line feed at its end", () => {
    writeFileSync(join(dir, "url"), "postgres://user:secret@host/db\n");
    expect(readConfig("serve", { databaseUrlFile: "url" }, {}, dir)["database-url"]).toBe(
      "postgres://user:secret@host/db",
    );
  });

  it("cannot come from a file that is not there", () => {
    expect(() => serve({ databaseUrlFile: join(dir, "none") })).toThrow(usage("cannot be read"));
  });
});

describe("required", () => {
  it("returns the value of a setting, or names its flag and its variable", () => {
    expect(required({ device: "a" }, "device")).toBe("a");
    for (const config of [{}, { device: "" }])
      expect(() => required(config, "device")).toThrow(usage("--device (or LOCKSTEP_DEVICE) is missing"));
  });
});

describe("unknownVariables", () => {
  it("names variables that look like settings but are not", () => {
    const env = {
      LOCKSTEP_DEVISE: "a",
      LOCKSTEP_: "",
      LOCKSTEP_LISTEN_: "",
      lockstep_x: "",
      PATH: "/bin",
      XLOCKSTEP_A: "",
    };
    expect(unknownVariables(env)).toEqual(["LOCKSTEP_DEVISE", "LOCKSTEP_", "LOCKSTEP_LISTEN_"]);
  });

  it("names neither settings nor the variables that a git server hands over", () => {
    const env = Object.fromEntries(names.map((name) => [variableOf(name), ""]));
    expect(unknownVariables({ ...env, LOCKSTEP_PUSHER: "", LOCKSTEP_REQUEST_ID: "" })).toEqual([]);
  });

  it("does not name the variables that Kubernetes sets for services named lockstep and lockstep-gate", () => {
    const ofService = (service: string, port: string) => [
      `${service}_SERVICE_HOST`,
      `${service}_SERVICE_PORT`,
      `${service}_SERVICE_PORT_HTTP`,
      `${service}_PORT`,
      `${service}_PORT_${port}_TCP`,
      `${service}_PORT_${port}_TCP_PROTO`,
      `${service}_PORT_${port}_TCP_PORT`,
      `${service}_PORT_${port}_TCP_ADDR`,
      `${service}_PORT_${port}_UDP_ADDR`,
    ];
    const injected = [...ofService("LOCKSTEP", "7420"), ...ofService("LOCKSTEP_GATE", "80")];
    expect(unknownVariables(Object.fromEntries(injected.map((name) => [name, "x"])))).toEqual([]);
    // What merely resembles them.
    expect(unknownVariables({ LOCKSTEP_REPORT: "", LOCKSTEP_PORTS: "", LOCKSTEP_PORT_TCP: "" })).toHaveLength(3);
  });
});

describe("parseHostPort", () => {
  it("splits an address into host and port, without brackets", () => {
    expect(parseHostPort("repo001:7420")).toEqual({ host: "repo001", port: 7420 });
    expect(parseHostPort("[::1]:80")).toEqual({ host: "::1", port: 80 });
  });
});
