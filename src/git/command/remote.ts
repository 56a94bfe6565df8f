// The commands that reach another repository: one builder for each transport, which takes only the credentials that the
// transport can carry.
import type { NamedRepository, Way } from "./asked.ts";
import { asArguments, type Command, type Programs, type Settings } from "./command.ts";
import type { AsDeviceHttps, AsDeviceSsh, NamedHttps, NamedSsh, None } from "./credentials.ts";
import { objectsFrom, remoteEnvironment } from "./environment.ts";
import type { Fetch, ListRefs } from "./operations.ts";
import { shellQuoted } from "./quote.ts";
import type { HttpsToDevice, HttpsToServer, SshToDevice, SshToServer } from "./transports.ts";

/** What a way adds to the command: everything else is the same for all. */
interface Reached {
  readonly url: string;
  /** Settings that other users of the machine may see in the list of processes. */
  readonly shown?: Settings;
  readonly settings?: Settings;
  readonly env?: Readonly<Record<string, string>>;
}

/** Returns a command that reaches another repository. */
export function remoteCommand(
  programs: Programs,
  operation: Fetch | ListRefs,
  { gitDir, name }: NamedRepository,
  way: Way,
): Command {
  const { url, shown = {}, settings = {}, env = {} } = reach(name, way);
  const isHttp = way.transport.transport === "http" || way.transport.transport === "https";
  const base = remoteEnvironment(programs, way.transport.transport, settings);
  const patience: Settings = isHttp
    ? { "http.lowSpeedLimit": "1", "http.lowSpeedTime": String(operation.silentSeconds) }
    : {};
  if (operation.kind === "ls-remote")
    return { args: [...asArguments({ ...shown, ...patience }), "ls-remote", "--", url], env: { ...base, ...env } };
  const taking = {
    // Without this, git finds the replica through the alternate and lists all its refs: 1 s for 100,000.
    "core.alternateRefsCommand": "true",
    "core.fsync": "all",
    "fetch.unpackLimit": "1",
  };
  return {
    args: [...asArguments({ ...shown, ...patience, ...taking }), "fetch", ...FETCH_OPTIONS, "--stdin", "--", url],
    env: { ...base, ...env, ...objectsFrom(gitDir, operation.objects) },
    input: operation.wants.map((want) => `${want}\n`).join(""),
  };
}

const FETCH_OPTIONS = [
  "--progress",
  "--no-tags",
  "--no-write-fetch-head",
  "--no-auto-maintenance",
  "--no-recurse-submodules",
];

function reach(name: string, { transport, credential }: Way): Reached {
  switch (transport.transport) {
    case "file":
      return { url: name };
    case "http":
      return { url: `http://${transport.address}/${name}`, settings: NO_REDIRECTS };
    case "https":
      return transport.to === "device"
        ? httpsToDevice(name, transport, credential as AsDeviceHttps)
        : httpsToServer(name, transport, credential as None | NamedHttps);
    case "ssh":
      return transport.to === "device"
        ? sshToDevice(name, transport, credential as AsDeviceSsh)
        : sshToServer(name, transport, credential as NamedSsh);
  }
}

/** A redirect would send a credential to another server. */
const NO_REDIRECTS: Settings = { "http.followRedirects": "false" };

function httpsToDevice(name: string, transport: HttpsToDevice, { cert, key, ca }: AsDeviceHttps): Reached {
  return {
    url: `https://${transport.address}/${name}.git`,
    shown: {
      "http.sslCert": cert,
      "http.sslKey": key,
      "http.sslCAInfo": ca,
      "http.sslVersion": "tlsv1.3",
      "http.pinnedPubkey": `sha256//${transport.publicKey}`,
      ...NO_REDIRECTS,
    },
  };
}

function httpsToServer(name: string, transport: HttpsToServer, credential: None | NamedHttps): Reached {
  return {
    url: `https://${transport.address}/${name}`,
    settings: {
      ...NO_REDIRECTS,
      "http.sslVerify": "true",
      ...(transport.ca && { "http.sslCAInfo": transport.ca }),
      ...(transport.publicKey && { "http.pinnedPubkey": `sha256//${transport.publicKey}` }),
      // git reads the secret itself, each time that it starts.
      ...(credential.credential === "named" && { "include.path": credential.include }),
    },
  };
}

function sshToDevice(name: string, { address, user }: SshToDevice, { program, files }: AsDeviceSsh): Reached {
  return {
    url: `ssh://${user}@${address}/${name}.git`,
    env: {
      GIT_SSH_COMMAND: shellQuoted([...program, "ssh-connect"]),
      GIT_SSH_VARIANT: "ssh",
      LOCKSTEP_AS_DEVICE: "1",
      ...files,
    },
  };
}

function sshToServer(name: string, { address, user, knownHosts }: SshToServer, { identity }: NamedSsh): Reached {
  const options = [
    "IdentitiesOnly=yes",
    "IdentityAgent=none",
    "BatchMode=yes",
    "PreferredAuthentications=publickey",
    "StrictHostKeyChecking=yes",
    "UpdateHostKeys=no",
    `UserKnownHostsFile=${sshQuoted(knownHosts)}`,
    "GlobalKnownHostsFile=/dev/null",
    `IdentityFile=${sshQuoted(identity)}`,
  ];
  // No configuration of a user or of the machine.
  const ssh = ["ssh", "-F", "none", ...options.flatMap((option) => ["-o", option])];
  return {
    url: `ssh://${user}@${address}/${name}`,
    env: { GIT_SSH_COMMAND: shellQuoted(ssh), GIT_SSH_VARIANT: "ssh" },
  };
}

/** Quotes a path for ssh, which takes `%` for a pattern, and a space for the end of the name. */
function sshQuoted(path: string): string {
  return `"${path.replaceAll("%", "%%").replace(/["\\]/g, "\\$&")}"`;
}
