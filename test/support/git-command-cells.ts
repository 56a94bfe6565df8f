// The table of git commands: for each transport and credential the arguments and the environment, or the refusal.
import type { Asked } from "../../src/git/command/asked.ts";
import { gitCommand } from "../../src/git/command/build.ts";
import type { Command } from "../../src/git/command/command.ts";
import type { Operation } from "../../src/git/command/operations.ts";

export const ID = "12".repeat(20);

export const programs = { path: "/usr/bin", home: "/root" };

export const repository = { gitDir: "/srv/app.git", name: "team/app" };

export const TRANSPORTS = {
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

export const CREDENTIALS = {
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

export const SETTINGS = [
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

export function numbered(settings: readonly (readonly [string, string])[]): Record<string, string> {
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
  GIT_DIR: ".",
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

export const LOCAL_ENV = {
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
export const CELLS: Partial<
  Record<`${TransportName}, ${CredentialName}`, { args: string[]; url: string; env: object }>
> = {
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
export const REFUSED: Record<TransportName, [string, string, string, string, string, string]> = {
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

export const pairs = Object.keys(TRANSPORTS).flatMap((transport) =>
  Object.keys(CREDENTIALS).map((credential) => [transport, credential] as [TransportName, CredentialName]),
);

export function cell(operation: Operation, transport: TransportName, credential: CredentialName): Command {
  const asked = {
    operation,
    repository: transport === "file" ? { ...repository, name: "/mirrors/app.git" } : repository,
    transport: TRANSPORTS[transport],
    credential: CREDENTIALS[credential],
  };
  return gitCommand(programs, asked as unknown as Asked);
}
