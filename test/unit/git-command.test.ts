import { describe, expect, it } from "vitest";
import type { Asked } from "../../src/git/command/asked.ts";
import { gitCommand, here } from "../../src/git/command/build.ts";
import type { Command } from "../../src/git/command/command.ts";
import { LOCAL, type LocalArguments, type Operation, USERS } from "../../src/git/command/operations.ts";

const ID = "12".repeat(20);
const programs = { path: "/usr/bin", home: "/root" };
const repository = { gitDir: "/srv/app.git", name: "team/app" };

const TRANSPORTS = {
  file: { transport: "file" },
  "https to a device": { transport: "https", to: "device", address: "repo002.internal:7421", publicKey: "a2V5" },
  "ssh to a device": { transport: "ssh", to: "device", address: "repo002.internal:22", user: "git" },
  "http to a device": { transport: "http", to: "device", address: "repo002.internal:80" },
  "https to a server": {
    transport: "https",
    to: "server",
    address: "git.example.org",
    ca: "/etc/ca.pem",
    publicKey: "cGlu",
  },
  "http to a server": { transport: "http", to: "server", address: "git.example.org:8080" },
  "ssh to a server": {
    transport: "ssh",
    to: "server",
    address: "git.example.org:2222",
    user: "git",
    knownHosts: "/etc/100% known",
  },
} as const;

const CREDENTIALS = {
  none: { credential: "none" },
  "as-device over https": { credential: "as-device", cert: "/etc/d.pem", key: "/etc/d.key", ca: "/etc/ca.pem" },
  "as-device over ssh": {
    credential: "as-device",
    program: ["/usr/bin/node", "/opt/lock step/main.js"],
    files: { LOCKSTEP_SSH_KEY: "/etc/d.ssh" },
  },
  "named over https": { credential: "named", include: "/run/c/named" },
  "named over ssh": { credential: "named", identity: "/etc/it's.key" },
  "as-device and named": { credential: "as-device", cert: "/c", key: "/k", ca: "/a", include: "/run/c/named" },
} as const;

type TransportName = keyof typeof TRANSPORTS;
type CredentialName = keyof typeof CREDENTIALS;

const SETTINGS = [
  ["core.useReplaceRefs", "false"],
  ["core.fsmonitor", "false"],
  ["core.alternateRefsCommand", "true"],
  ["credential.helper", ""],
  ["gpg.program", "false"],
  ["gpg.openpgp.program", "false"],
  ["gpg.ssh.program", "false"],
  ["gpg.x509.program", "false"],
  ["log.showSignature", "false"],
  ["protocol.allow", "never"],
  ["safe.directory", "*"],
  ["core.hooksPath", "/dev/null"],
] as const;

function numbered(settings: readonly (readonly [string, string])[]): Record<string, string> {
  const pairs = settings.flatMap(([key, value], at) => [
    [`GIT_CONFIG_KEY_${at}`, key],
    [`GIT_CONFIG_VALUE_${at}`, value],
  ]);
  return { GIT_CONFIG_COUNT: String(settings.length), ...Object.fromEntries(pairs) };
}

/** The environment of all gits of the sidecar but for the protocols, HOME and further settings. */
const OWN = {
  PATH: "/usr/bin",
  LC_ALL: "C",
  GIT_DIR: "/srv/app.git",
  GIT_TERMINAL_PROMPT: "0",
  GIT_ASKPASS: "",
  GIT_PAGER: "cat",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_NO_REPLACE_OBJECTS: "1",
  GIT_GRAFT_FILE: "",
  GIT_SHALLOW_FILE: "",
  GIT_NO_LAZY_FETCH: "1",
};
const LOCAL_ENV = {
  ...OWN,
  HOME: "/root",
  GIT_ALLOW_PROTOCOL: "",
  GIT_DEFAULT_REF_FORMAT: "files",
  ...numbered(SETTINGS),
};
const remoteEnv = (protocol: string, settings: [string, string][] = [], env: Record<string, string> = {}) => ({
  ...OWN,
  HOME: "/dev/null",
  GIT_ALLOW_PROTOCOL: protocol,
  ...numbered([...SETTINGS, ...settings]),
  ...env,
});

/** The cells of the operations that reach another repository: the settings in the arguments, the URL, the environment. */
const CELLS: Partial<Record<`${TransportName}, ${CredentialName}`, { args: string[]; url: string; env: object }>> = {
  "file, none": { args: [], url: "/mirrors/app.git", env: remoteEnv("file") },
  "https to a device, as-device over https": {
    args: [
      ...["-c", "http.sslCert=/etc/d.pem", "-c", "http.sslKey=/etc/d.key", "-c", "http.sslCAInfo=/etc/ca.pem"],
      ...["-c", "http.sslVersion=tlsv1.3", "-c", "http.pinnedPubkey=sha256//a2V5", "-c", "http.followRedirects=false"],
      ...["-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=30"],
    ],
    url: "https://repo002.internal:7421/team/app.git",
    env: remoteEnv("https"),
  },
  "ssh to a device, as-device over ssh": {
    args: [],
    url: "ssh://git@repo002.internal:22/team/app.git",
    env: remoteEnv("ssh", [], {
      GIT_SSH_COMMAND: "/usr/bin/node '/opt/lock step/main.js' ssh-connect",
      GIT_SSH_VARIANT: "ssh",
      LOCKSTEP_AS_DEVICE: "1",
      LOCKSTEP_SSH_KEY: "/etc/d.ssh",
    }),
  },
  "https to a server, none": {
    args: ["-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=30"],
    url: "https://git.example.org/team/app",
    env: remoteEnv("https", [
      ["http.followRedirects", "false"],
      ["http.sslVerify", "true"],
      ["http.sslCAInfo", "/etc/ca.pem"],
      ["http.pinnedPubkey", "sha256//cGlu"],
    ]),
  },
  "https to a server, named over https": {
    args: ["-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=30"],
    url: "https://git.example.org/team/app",
    env: remoteEnv("https", [
      ["http.followRedirects", "false"],
      ["http.sslVerify", "true"],
      ["http.sslCAInfo", "/etc/ca.pem"],
      ["http.pinnedPubkey", "sha256//cGlu"],
      ["include.path", "/run/c/named"],
    ]),
  },
  "http to a server, none": {
    args: ["-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=30"],
    url: "http://git.example.org:8080/team/app",
    env: remoteEnv("http", [["http.followRedirects", "false"]]),
  },
  "ssh to a server, named over ssh": {
    args: [],
    url: "ssh://git@git.example.org:2222/team/app",
    env: remoteEnv("ssh", [], {
      GIT_SSH_COMMAND:
        "ssh -F none -o IdentitiesOnly=yes -o IdentityAgent=none -o BatchMode=yes -o PreferredAuthentications=publickey " +
        "-o StrictHostKeyChecking=yes -o UpdateHostKeys=no -o 'UserKnownHostsFile=\"/etc/100%% known\"' " +
        "-o GlobalKnownHostsFile=/dev/null -o 'IdentityFile=\"/etc/it'\\''s.key\"'",
      GIT_SSH_VARIANT: "ssh",
    }),
  },
};

const DEVICES = "between devices each proves who it is with its own key; the credential must be as-device, and not";
const TOGETHER = "the device's own key and a user's credential were given together; give one of them";
const NO_SERVER = "the device's own key is for devices of its cluster, and no other server sees it";
const FILE = "a directory of this machine needs no credential";
const NO_HTTP = "devices reach each other over https or ssh, and not over http";

/** The refused cells of the operations that reach another repository, in the order of CREDENTIALS. "" : a cell. */
const REFUSED: Record<TransportName, [string, string, string, string, string, string]> = {
  file: ["", `${FILE} (as-device)`, `${FILE} (as-device)`, `${FILE} (named)`, `${FILE} (named)`, TOGETHER],
  "https to a device": [
    `${DEVICES} none`,
    "",
    "a credential for ssh was given for https",
    `${DEVICES} named`,
    `${DEVICES} named`,
    TOGETHER,
  ],
  "ssh to a device": [
    `${DEVICES} none`,
    "a credential for https was given for ssh",
    "",
    `${DEVICES} named`,
    `${DEVICES} named`,
    TOGETHER,
  ],
  "http to a device": [NO_HTTP, NO_HTTP, NO_HTTP, NO_HTTP, NO_HTTP, TOGETHER],
  "https to a server": ["", NO_SERVER, NO_SERVER, "", "a credential for ssh was given for https", TOGETHER],
  "http to a server": [
    "",
    NO_SERVER,
    NO_SERVER,
    "over http everybody on the way could read the secret",
    "over http everybody on the way could read the secret",
    TOGETHER,
  ],
  "ssh to a server": [
    "ssh needs a key, and none was given",
    NO_SERVER,
    NO_SERVER,
    "a credential for https was given for ssh",
    "",
    TOGETHER,
  ],
};

const pairs = Object.keys(TRANSPORTS).flatMap((transport) =>
  Object.keys(CREDENTIALS).map((credential) => [transport, credential] as [TransportName, CredentialName]),
);

function cell(operation: Operation, transport: TransportName, credential: CredentialName): Command {
  const asked = {
    operation,
    repository: transport === "file" ? { ...repository, name: "/mirrors/app.git" } : repository,
    transport: TRANSPORTS[transport],
    credential: CREDENTIALS[credential],
  };
  return gitCommand(programs, asked as unknown as Asked);
}

describe("a command that reaches another repository", () => {
  const objects = { GIT_OBJECT_DIRECTORY: "/q", GIT_ALTERNATE_OBJECT_DIRECTORIES: '"/srv/app.git/objects"' };
  const fetch = { kind: "fetch", wants: [ID], objects, silentSeconds: 30 } as const;

  it.each(pairs)("over %s with the credential %s is these bytes, or refused by name", (transport, credential) => {
    const refused = REFUSED[transport][Object.keys(CREDENTIALS).indexOf(credential)]!;
    const listRefs = { kind: "ls-remote", silentSeconds: 30 } as const;
    if (refused !== "") {
      expect(() => cell(fetch, transport, credential)).toThrow(`git fetch: ${refused}.`);
      expect(() => cell(listRefs, transport, credential)).toThrow(`git ls-remote: ${refused}.`);
      return;
    }
    const { args, url, env } = CELLS[`${transport}, ${credential}`]!;
    expect(cell(fetch, transport, credential)).toStrictEqual({
      args: [
        ...args,
        ...["-c", "core.alternateRefsCommand=true", "-c", "core.fsync=all", "-c", "fetch.unpackLimit=1"],
        ...["fetch", "--progress", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"],
        ...["--no-recurse-submodules", "--stdin", "--", url],
      ],
      env: { ...env, ...objects },
      input: `${ID}\n`,
    });
    expect(cell(listRefs, transport, credential)).toStrictEqual({ args: [...args, "ls-remote", "--", url], env });
  });

  it("covers each pair exactly once", () => {
    const cells = pairs.filter(
      ([transport, credential]) => REFUSED[transport][Object.keys(CREDENTIALS).indexOf(credential)] === "",
    );
    expect(cells.map((pair) => pair.join(", ")).sort()).toEqual(Object.keys(CELLS).sort());
  });

  it.each<[string, object, object, string]>([
    [
      "a user in an address",
      { ...TRANSPORTS["https to a device"], address: "ada:secret@h:1" },
      {},
      "no part of an address",
    ],
    ["a path in an address", { ...TRANSPORTS["https to a device"], address: "h:1/x" }, {}, "must be HOST or HOST:PORT"],
    [
      "a query in an address",
      { ...TRANSPORTS["https to a device"], address: "h:1?x" },
      {},
      "must be HOST or HOST:PORT",
    ],
    [
      "an option in an address",
      { ...TRANSPORTS["https to a device"], address: "-oProxyCommand=x" },
      {},
      "must be HOST",
    ],
    ["a name that climbs", TRANSPORTS["https to a device"], { name: "a/../../b" }, "is not plain"],
    ["a name with a line feed", TRANSPORTS["https to a device"], { name: "a\nb" }, "is not plain"],
    ["a name like an option", TRANSPORTS["https to a device"], { name: "--upload-pack=x" }, "is not plain"],
  ])("is refused with %s", (_, transport, other, why) => {
    const asked = {
      operation: fetch,
      repository: { ...repository, ...other },
      transport,
      credential: CREDENTIALS["as-device over https"],
    };
    expect(() => gitCommand(programs, asked as unknown as Asked)).toThrow(why);
  });

  it.each<[string, Record<string, string>]>([
    ["another variable than one of Lockstep", { GIT_SSH: "/bin/evil" }],
    ["a value that is no file", { LOCKSTEP_SSH_KEY: "-----BEGIN" }],
  ])("is refused over ssh with %s among the settings", (_, files) => {
    const asked = {
      operation: fetch,
      repository,
      transport: TRANSPORTS["ssh to a device"],
      credential: { ...CREDENTIALS["as-device over ssh"], files },
    };
    expect(() => gitCommand(programs, asked as Asked)).toThrow("must be a setting of Lockstep that names a file");
  });

  it.each<[string, string, string]>([
    ["a name and a port", "repo002:7421", "https://repo002:7421/team/app.git"],
    ["an IPv6 address", "[fd00::2]:7421", "https://[fd00::2]:7421/team/app.git"],
  ])("names %s behind --, as the last argument", (_, address, url) => {
    const transport = { ...TRANSPORTS["https to a device"], address };
    const credential = CREDENTIALS["as-device over https"];
    expect(gitCommand(programs, { operation: fetch, repository, transport, credential }).args.slice(-2)).toEqual([
      "--",
      url,
    ]);
  });
});

describe("a command on a directory of this machine", () => {
  it.each(pairs)("over %s with the credential %s is these bytes, or refused by name", (transport, credential) => {
    const { transport: by } = TRANSPORTS[transport];
    const { credential: given } = CREDENTIALS[credential];
    for (const name of LOCAL) {
      const asked = () => cell({ kind: "local", args: [name, "--quiet"] }, transport, credential);
      if (by !== "file")
        expect(asked).toThrow(`git ${name}: it works on a directory of this machine, and not over ${by}.`);
      else if (given !== "none")
        expect(asked).toThrow(
          `git ${name}: it works on a directory of this machine and shows no credential (${given}).`,
        );
      else expect(asked()).toStrictEqual({ args: [name, "--quiet"], env: LOCAL_ENV });
    }
  });

  it("has the settings, the objects, the author, the hooks and the format of refs that it is given", () => {
    const objects = { GIT_OBJECT_DIRECTORY: "/q" };
    const author = { GIT_COMMITTER_NAME: "ada", GL_ID: "key-1", LD_PRELOAD: "/x", GIT_SSH_COMMAND: "x", PATH: "/x" };
    const operation = {
      kind: "local",
      args: ["update-ref", "--stdin"],
      settings: { "core.fsync": "none" },
      objects,
      author,
      hooks: { folder: "/srv/app.git/hooks" },
      refFormat: "reftable",
    } as const;
    expect(here(programs, operation, "/srv/app.git")).toStrictEqual({
      args: ["-c", "core.fsync=none", "update-ref", "--stdin"],
      env: {
        ...LOCAL_ENV,
        ...numbered([...SETTINGS.slice(0, -1), ["core.hooksPath", "/srv/app.git/hooks"]]),
        GIT_COMMITTER_NAME: "ada",
        GL_ID: "key-1",
        GIT_DEFAULT_REF_FORMAT: "reftable",
        ...objects,
      },
    });
    const configured = here(programs, { ...operation, hooks: "configured" }, "/srv/app.git");
    expect(configured.env).toMatchObject(numbered(SETTINGS.slice(0, -1)));
    expect(configured.env).not.toHaveProperty(`GIT_CONFIG_KEY_${SETTINGS.length - 1}`);
  });

  it.each<[string, readonly string[], string]>([
    ["a command that is not in the table", ["gc"], "this command is not in the table of operations"],
    ["a path before --", ["verify-pack", "/srv/p.idx"], "a path must stand behind --"],
  ])("is refused for %s", (_, args, why) => {
    const operation = { kind: "local", args: args as unknown as LocalArguments } as const;
    expect(() => here(programs, operation, "/srv/app.git")).toThrow(`git ${args[0]}: ${why}.`);
  });
});

describe("a command that serves", () => {
  const client = {
    kind: "client",
    address: "192.0.2.7",
    user: "ada",
    protocol: "version=2",
    requestId: "r-1",
    socketDir: "/run/lockstep",
    pushRefs: 50_000,
  } as const;
  const CLIENT_ENV = {
    PATH: "/usr/bin",
    HOME: "/root",
    LC_ALL: "C",
    GIT_COMMITTER_NAME: "ada",
    GIT_COMMITTER_EMAIL: "ada@http.192.0.2.7",
    REMOTE_ADDR: "192.0.2.7",
    REMOTE_USER: "ada",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_GRAFT_FILE: "",
    GIT_SHALLOW_FILE: "",
    GIT_NO_LAZY_FETCH: "1",
    ...numbered([
      ["core.useReplaceRefs", "false"],
      ["core.alternateRefsCommand", "true"],
    ]),
    LOCKSTEP_SOCKET_DIR: "/run/lockstep",
    LOCKSTEP_REQUEST_ID: "r-1",
    GIT_PROTOCOL: "version=2",
  };
  const SAFE = ["-c", "safe.directory=/srv/app.git"];

  it("a client of the gate whose pack may be shared is these bytes", () => {
    const packsHook = "/srv/it's here/lockstep-pack-objects";
    const serve = { kind: "serve", service: "upload-pack", advertisement: false } as const;
    expect(here(programs, { ...serve, client: { ...client, packsHook } }, "/srv/app.git").args).toEqual([
      ...SAFE,
      "-c",
      "uploadpack.packObjectsHook='/srv/it'\\''s here/lockstep-pack-objects'",
      ...["upload-pack", "--stateless-rpc", "--", "/srv/app.git"],
    ]);
  });

  it.each([
    ["upload-pack", false, "--stateless-rpc", {}],
    ["upload-pack", true, "--http-backend-info-refs", {}],
    ["receive-pack", false, "--stateless-rpc", { GIT_ALLOC_LIMIT: "1g", LOCKSTEP_PUSH_REFS: "50000" }],
    ["receive-pack", true, "--http-backend-info-refs", { GIT_ALLOC_LIMIT: "1g", LOCKSTEP_PUSH_REFS: "50000" }],
  ] as const)(
    "a client of the gate with %s (advertisement: %s) is these bytes",
    (service, advertisement, mode, more) => {
      const serve = { kind: "serve", service, advertisement, client } as const;
      expect(here(programs, serve, "/srv/app.git")).toStrictEqual({
        args: [...SAFE, service, mode, "--", "/srv/app.git"],
        env: { ...CLIENT_ENV, ...more },
      });
      const stranger = { ...serve, client: { ...client, user: undefined, protocol: undefined } };
      const { GIT_PROTOCOL: _, REMOTE_USER: __, ...anonymous } = CLIENT_ENV;
      expect(here(programs, stranger, "/srv/app.git").env).toStrictEqual({
        ...anonymous,
        GIT_COMMITTER_NAME: "anonymous",
        GIT_COMMITTER_EMAIL: "anonymous@http.192.0.2.7",
        ...more,
      });
    },
  );

  it("a device is these bytes", () => {
    const device = { kind: "device", protocol: "version=2" } as const;
    const serve = { kind: "serve", service: "upload-pack", advertisement: false, client: device } as const;
    expect(here(programs, serve, "/srv/app.git")).toStrictEqual({
      args: [
        ...[...SAFE, "-c", "uploadpack.allowAnySHA1InWant=true", "-c", "transfer.hideRefs=refs/lockstep"],
        ...["-c", "uploadpack.keepAlive=0", "upload-pack", "--stateless-rpc", "--", "/srv/app.git"],
      ],
      env: { ...LOCAL_ENV, GIT_PROTOCOL: "version=2" },
    });
    const push = { ...serve, service: "receive-pack" } as const;
    expect(() => here(programs, push, "/srv/app.git")).toThrow("git receive-pack: a device never pushes.");
  });

  it("a client of the shim is these bytes", () => {
    const variables = {
      PATH: "/bin",
      HOME: "/home/git",
      GIT_PROTOCOL: "version=2",
      LOCKSTEP_REQUEST_ID: "r-1",
      USER: "git",
      SSH_CONNECTION: "192.0.2.7 1 192.0.2.1 22",
      GIT_SSH_COMMAND: "evil",
      LD_PRELOAD: "/evil.so",
    };
    const serve = {
      kind: "serve",
      service: "receive-pack",
      advertisement: false,
      client: { kind: "shell", variables, pushRefs: "50" },
    } as const;
    const env = {
      PATH: "/bin",
      HOME: "/home/git",
      GIT_PROTOCOL: "version=2",
      LOCKSTEP_REQUEST_ID: "r-1",
      LOCKSTEP_PUSHER: "git",
      GIT_NO_LAZY_FETCH: "1",
    };
    expect(here(programs, serve, "/srv/app.git")).toStrictEqual({
      args: ["receive-pack", "--", "/srv/app.git"],
      env: { ...env, GIT_ALLOC_LIMIT: "1g", LOCKSTEP_PUSH_REFS: "50" },
    });
    expect(here(programs, { ...serve, service: "upload-pack" }, "/srv/app.git")).toStrictEqual({
      args: ["upload-pack", "--", "/srv/app.git"],
      env,
    });
  });

  it.each(pairs.filter(([transport, credential]) => transport !== "file" || credential !== "none"))(
    "over %s with the credential %s is refused",
    (transport, credential) => {
      for (const service of ["upload-pack", "receive-pack"] as const)
        expect(() => cell({ kind: "serve", service, advertisement: false, client }, transport, credential)).toThrow(
          `git ${service}: it works on a directory of this machine`,
        );
    },
  );
});

describe("a command with the configuration of a person", () => {
  it.each(pairs)("over %s with the credential %s is these bytes, or refused by name", (transport, credential) => {
    const variables = {
      GIT_CONFIG_GLOBAL: "/home/ada/.gitconfig",
      GIT_AUTHOR_NAME: "Ada",
      GIT_SSH: "evil",
      EDITOR: "x",
    };
    for (const name of USERS) {
      const asked = () => cell({ kind: "user", args: [name, "--quiet"], variables }, transport, credential);
      if (transport === "file" && credential === "none")
        expect(asked()).toStrictEqual({
          args: [name, "--quiet"],
          env: {
            PATH: "/usr/bin",
            HOME: "/root",
            GIT_TERMINAL_PROMPT: "0",
            GIT_CONFIG_GLOBAL: "/home/ada/.gitconfig",
            GIT_AUTHOR_NAME: "Ada",
          },
        });
      else expect(asked).toThrow(`git ${name}: it works on a directory of this machine`);
    }
  });
});

describe("no command", () => {
  const SECRET = /password|secret|token|BEGIN|Bearer|Basic/i;

  it("has a secret in its arguments or its environment: the credentials have only the names of files", () => {
    const commands = pairs.flatMap(([transport, credential]) => {
      try {
        return [cell({ kind: "fetch", wants: [ID], silentSeconds: 30 }, transport, credential)];
      } catch {
        return [];
      }
    });
    expect(commands).toHaveLength(Object.keys(CELLS).length);
    for (const { args, env } of commands) {
      expect(args.filter((each) => SECRET.test(each))).toEqual([]);
      expect(Object.entries(env).filter(([name, value]) => SECRET.test(name) || SECRET.test(value))).toEqual([]);
    }
  });
});
