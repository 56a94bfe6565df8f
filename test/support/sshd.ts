// Starts a real sshd on loopback for this user. Its one key may run only the command that docs/integration.md names.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Device } from "./cluster-device.ts";
import { documented } from "./documented.ts";
import { freePort, untilListening } from "./ports.ts";

const run = promisify(execFile);

export interface Sshd extends AsyncDisposable {
  /** As clients write it before the path. */
  readonly host: string;
  /** The environment in which stock git connects to the sshd. */
  readonly env: Readonly<Record<string, string>>;
}

/** Starts the sshd at `program` before `device`. Resolves when it answers. */
export async function startSshd(program: string, device: Device): Promise<Sshd> {
  const dir = await mkdtemp(join(tmpdir(), "ls-sshd-"));
  const path = (name: string) => join(dir, name);
  const secret = await makeKey(path("key"));
  await symlink(join(device.demo.root, ".lockstep", "bin", "lockstep-git"), path("lockstep-shell"));
  const line = await documented("authorized_keys", {
    "/usr/local/bin/lockstep-shell": path("lockstep-shell"),
    "AAAA…": secret,
  });
  await writeFile(path("authorized_keys"), line);
  const daemon = await listen(program, dir, `AcceptEnv GIT_PROTOCOL\nAuthorizedKeysFile ${path("authorized_keys")}`);
  return {
    host: daemon.host,
    env: daemon.env(path("key")),
    [Symbol.asyncDispose]: daemon.stop,
  };
}

/** Makes a pair of keys, the public one at `path`.pub. Returns the public key without its type and comment. */
export async function makeKey(path: string): Promise<string> {
  await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", path]);
  return (await readFile(`${path}.pub`, "utf8")).split(" ")[1] ?? "";
}

export interface Daemon {
  /** As clients write it before the path. */
  readonly host: string;
  /** host:port. */
  readonly address: string;
  /** The file of its public host key. */
  readonly hostKey: string;
  /** Returns the environment in which stock git connects with the private key at `key`. */
  env(key: string): Record<string, string>;
  /** Ends the sshd and removes its directory. */
  stop(): Promise<void>;
}

/** Runs the sshd at `program` in `dir` with `settings` in its configuration. Resolves when it answers. */
export async function listen(program: string, dir: string, settings: string): Promise<Daemon> {
  const path = (name: string) => join(dir, name);
  const port = await freePort();
  await makeKey(path("host-key"));
  await writeFile(path("sshd_config"), configuration(path, port, settings));
  // As root, sshd refuses to start without this directory.
  if (process.getuid?.() === 0) await mkdir("/run/sshd", { recursive: true });
  const child = spawn(program, ["-D", "-f", path("sshd_config"), "-E", path("log")], { stdio: "ignore" });
  const stop = async () => {
    await end(child);
    await rm(dir, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    await untilListening({ host: "127.0.0.1", port });
  } catch (cause) {
    const log = await readFile(path("log"), "utf8").catch(() => "it has no log");
    await stop();
    throw new Error(`sshd did not start: ${log}`, { cause });
  }
  const options = ["BatchMode=yes", "IdentitiesOnly=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null"];
  const ssh = (key: string) =>
    ["ssh", "-F", "none", "-i", key, "-p", port, "-q", ...options.map((each) => `-o${each}`)].join(" ");
  return {
    host: `${userInfo().username}@127.0.0.1`,
    address: `127.0.0.1:${port}`,
    hostKey: path("host-key.pub"),
    env: (key) => ({ GIT_SSH_COMMAND: ssh(key) }),
    stop,
  };
}

function configuration(path: (name: string) => string, port: number, settings: string): string {
  return `ListenAddress 127.0.0.1:${port}
HostKey ${path("host-key")}
PidFile ${path("pid")}
PermitRootLogin forced-commands-only
PasswordAuthentication no
StrictModes no
UsePAM no
${settings}
`;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  await exited;
}
