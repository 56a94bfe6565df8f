// What a caller of `lockstep ssh-connect` may give it: git's own arguments, and no credential of a user.
import { LockstepError } from "../errors.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The variable with which a caller says that it acts as the device. */
const AS_DEVICE = "LOCKSTEP_AS_DEVICE";

/** Variables that bring a credential of a user, or a program that asks for one, and what each is. */
const OF_A_USER: Readonly<Record<string, string>> = {
  SSH_AUTH_SOCK: "the agent of a user",
  SSH_ASKPASS: "a program that asks a user for a password",
  GIT_ASKPASS: "a program that asks a user for a password",
  GIT_SSH: "another program for ssh",
};

/** Options of ssh that bring a credential, another configuration or another connection, and what each is. */
const NOT_OURS: Readonly<Record<string, string>> = {
  i: "a key",
  I: "a key on a card",
  F: "a configuration",
  S: "a connection that somebody else keeps",
  M: "a connection for others",
  J: "another host on the way",
  W: "a tunnel",
  w: "a tunnel",
  L: "a tunnel",
  R: "a tunnel",
  D: "a tunnel",
  A: "the agent of a user",
  K: "the tickets of a user",
  E: "another log",
  l: "another account",
};

export interface SshRequest {
  readonly host: string;
  readonly port: number | undefined;
  /** undefined: the address has no user. */
  readonly user: string | undefined;
  /** The value of GIT_PROTOCOL, if git wants it sent. */
  readonly protocol: string | undefined;
  readonly command: string | undefined;
  /** git only asks whether this is an ssh of OpenSSH (-G). */
  readonly onlyAsks: boolean;
}

/** Throws PERMISSION_DENIED unless the caller acts as the device, and has no credential of a user beside it. */
export function asDevice(env: Environment): void {
  if (env[AS_DEVICE] !== "1")
    throw new LockstepError(
      "PERMISSION_DENIED",
      `\`lockstep ssh-connect\` uses the key of this device only for who says so; set ${AS_DEVICE}=1, or use ssh with a key of your own.`,
    );
  // An empty value is how a caller takes a variable away.
  const [name, what] = Object.entries(OF_A_USER).find(([each]) => env[each]) ?? [];
  if (name !== undefined)
    throw new LockstepError(
      "PERMISSION_DENIED",
      `${name} names ${what}, and the device never uses its key beside a credential of a user; unset ${name}, or use ssh.`,
    );
}

/** Reads the arguments that git gives to ssh. Throws PERMISSION_DENIED for others, USAGE without a host. */
export function parseRequest(given: readonly string[], env: Environment): SshRequest {
  const left = [...given];
  let port: number | undefined;
  let protocol: string | undefined;
  let onlyAsks = false;
  for (; left[0]?.startsWith("-"); left.shift()) {
    const [option = ""] = left;
    if (option === "--") {
      left.shift();
      break;
    }
    const letter = option[1] ?? "";
    const value = () => option.slice(2) || (left.splice(1, 1)[0] ?? "");
    if (letter === "p") port = portOf(value());
    else if (letter === "o") protocol = settingOf(value(), env) ?? protocol;
    else if (option === "-G") onlyAsks = true;
    // The family of addresses, and what this command does anyway.
    else if (!/^-[46TxanqC]+$/.test(option)) throw foreignError(`-${letter}`, NOT_OURS[letter]);
  }
  const [address = "", ...words] = left;
  const at = address.lastIndexOf("@");
  const host = address.slice(at + 1);
  if (host === "")
    throw new LockstepError("USAGE", "No host was given; `lockstep ssh-connect --help` shows how it is called.");
  return {
    ...{ host, port, protocol, onlyAsks },
    user: at < 0 ? undefined : address.slice(0, at),
    command: words.length === 0 ? undefined : words.join(" "),
  };
}

function portOf(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port <= 65_535) return port;
  throw new LockstepError("USAGE", `${JSON.stringify(text.slice(0, 40))} is no port; give a number up to 65535.`);
}

function settingOf(setting: string, env: Environment): string | undefined {
  if (/^SendEnv[= ]\s*GIT_PROTOCOL$/i.test(setting)) return env.GIT_PROTOCOL;
  throw foreignError(`-o ${setting.slice(0, 60)}`, undefined);
}

function foreignError(option: string, what: string | undefined): LockstepError {
  const why = what === undefined ? "is not what git passes" : `names ${what}`;
  return new LockstepError(
    "PERMISSION_DENIED",
    `${option} ${why}, and \`lockstep ssh-connect\` uses only the key of this device and the address of the registry; leave it out.`,
  );
}
