// The command line of ssh to another device. It uses the key of this device and the host keys of the registry. It uses
// nothing of a user: no configuration, no agent, no known_hosts. It asks nobody on a terminal.

/** A device that is reached over ssh. */
export interface SshTarget {
  readonly device: string;
  readonly user: string;
  readonly host: string;
  readonly port: number;
  /** The file of this device's private key. */
  readonly keyFile: string;
  /** A known_hosts file that has the host keys of that device under its name. */
  readonly hostKeysFile: string;
  /** Those host keys, each a line of type and key. */
  readonly hostKeys: readonly string[];
}

const CONNECT_SECONDS = 10;
/** A connection without a sign of life for this long ends. */
const ALIVE_SECONDS = 15;
const ALIVE_TIMES = 3;

/** Returns the arguments of ssh up to the host. Pure. A path with a character that ssh expands is written plainly. */
function sshOptions({ device, user, port, keyFile, hostKeysFile }: Omit<SshTarget, "host" | "hostKeys">): string[] {
  const settings = {
    BatchMode: "yes",
    CheckHostIP: "no",
    ClearAllForwardings: "yes",
    ConnectTimeout: CONNECT_SECONDS,
    ControlMaster: "no",
    ControlPath: "none",
    EscapeChar: "none",
    ForwardAgent: "no",
    ForwardX11: "no",
    GlobalKnownHostsFile: "/dev/null",
    HostKeyAlias: device,
    IdentitiesOnly: "yes",
    IdentityAgent: "none",
    IdentityFile: quoted(keyFile),
    LogLevel: "ERROR",
    PermitLocalCommand: "no",
    PreferredAuthentications: "publickey",
    ProxyCommand: "none",
    RequestTTY: "no",
    ServerAliveCountMax: ALIVE_TIMES,
    ServerAliveInterval: ALIVE_SECONDS,
    StrictHostKeyChecking: "yes",
    Tunnel: "no",
    UpdateHostKeys: "no",
    UserKnownHostsFile: quoted(hostKeysFile),
    VerifyHostKeyDNS: "no",
  };
  const options = Object.entries(settings).map(([name, value]) => `-o${name}=${value}`);
  return ["-F", "none", "-T", ...options, "-p", String(port), "-l", user];
}

/** Returns the whole command line of ssh, without the program, for a command on the other side. */
export function sshArguments(target: Omit<SshTarget, "hostKeys">, command?: string): string[] {
  return [...sshOptions(target), "--", target.host, ...(command === undefined ? [] : [command])];
}

/** Quotes a path for a setting of ssh, which splits at spaces and expands what begins with %. */
function quoted(path: string): string {
  return `"${path.replaceAll("%", "%%").replaceAll('"', '\\"')}"`;
}

/** Splits USER@HOST:PORT. */
export function parseSshAddress(address: string): { user: string; host: string; port: number } {
  const [, user = "", host = "", port = ""] = /^([^@]*)@\[?([^\]]*?)\]?:(\d+)$/.exec(address) ?? [];
  return { user, host, port: Number(port) };
}
