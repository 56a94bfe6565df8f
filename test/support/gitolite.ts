// Starts a real gitolite behind a real sshd on one device, configured as docs/integration.md says.
import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Device } from "./cluster-device.ts";
import { documented } from "./documented.ts";
import { listen, makeKey } from "./sshd.ts";

export interface Gitolite extends AsyncDisposable {
  /** The documented commands that an operator runs on each device after a change, with this user's gitolite. */
  readonly commands: string;
  /** Returns the URL of a repository for stock git. */
  url(repository: string): string;
  /** Returns the environment in which stock git connects as `user`. */
  as(user: string): Record<string, string>;
  /** Writes gitolite.conf, with the documented rules for these repositories and `more`, and runs the commands. */
  configure(repositories: readonly string[], more?: string): Promise<Ran>;
  /** Runs only the commands. */
  apply(): Promise<Ran>;
}

export interface Ran {
  readonly code: number;
  readonly stderr: string;
}

export interface GitoliteOptions {
  /** The path of the program. */
  readonly sshd: string;
  /** The users who have a key. */
  readonly users: readonly string[];
}

/** Starts gitolite before `device`, without rules. Resolves when sshd answers. */
export async function startGitolite(device: Device, { sshd, users }: GitoliteOptions): Promise<Gitolite> {
  const dir = await mkdtemp(join(tmpdir(), "ls-gitolite-"));
  const home = join(dir, "home");
  const key = (user: string) => join(dir, user);
  const write = async (path: string, text: string, mode = 0o600) => {
    await mkdir(dirname(join(home, path)), { recursive: true });
    await writeFile(join(home, path), text, { mode });
  };
  await mkdir(join(home, ".gitolite", "logs"), { recursive: true });
  await mkdir(join(home, ".gitolite", "keydir"));
  for (const user of users) {
    await makeKey(key(user));
    await copyFile(`${key(user)}.pub`, join(home, ".gitolite", "keydir", `${user}.pub`));
  }
  await write(".gitolite.rc", await documented("perl", { "/srv/git": device.demo.root }));
  const trigger = await documented("sh", { "http://127.0.0.1:7422": device.demo.http });
  await write("local/triggers/lockstep", trigger, 0o700);
  const settings = `AuthorizedKeysFile ${join(home, ".ssh", "authorized_keys")}\nSetEnv HOME=${home}`;
  const daemon = await listen(sshd, dir, settings);
  const commands = `export HOME=${home}; ${await documented("bash", {})}`;
  const apply = () => runShell(commands);
  return {
    commands,
    url: (repository) => `${daemon.host}:${repository}`,
    as: (user) => daemon.env(key(user)),
    async configure(repositories, more = "") {
      const rules = await documented("gitolite", { "team/app": repositories.join(" ") });
      await write(".gitolite/conf/gitolite.conf", rules + more);
      return await apply();
    },
    apply,
    [Symbol.asyncDispose]: daemon.stop,
  };
}

function runShell(script: string): Promise<Ran> {
  const env = { PATH: process.env.PATH ?? "/usr/bin:/bin" };
  return new Promise((done) => {
    execFile("sh", ["-c", script], { env }, (error, _, stderr) =>
      done({ code: error === null ? 0 : Number(error.code), stderr }),
    );
  });
}
