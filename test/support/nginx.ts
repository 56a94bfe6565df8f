// Starts a real nginx with fcgiwrap and git http-backend before one device, configured as docs/integration.md says.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Device } from "./cluster-device.ts";
import { documented } from "./documented.ts";
import { freePort, untilListening } from "./ports.ts";

export interface Nginx extends AsyncDisposable {
  /** Returns the URL of a repository for stock git, with the name of `user` in it if given. */
  url(repository: string, user?: string): string;
}

export interface NginxOptions {
  readonly nginx: string;
  readonly fcgiwrap: string;
  /** The output of `git --exec-path`. */
  readonly execPath: string;
  /** The user who may push, with the password `secret`. */
  readonly user: string;
}

/** Starts nginx before git http-backend and `device`, as this user. Resolves when both answer. */
export async function startNginx(device: Device, options: NginxOptions): Promise<Nginx> {
  const { port, ...server } = await runNginx(options, async (place) => {
    await writeFile(join(place.dir, "htpasswd"), `${options.user}:{PLAIN}secret\n`);
    return await documented("nginx", {
      "/etc/nginx/git.htpasswd": join(place.dir, "htpasswd"),
      "/usr/lib/git-core/git-http-backend": join(options.execPath, "git-http-backend"),
      "/srv/git": device.demo.root,
      ...placesOf(place, device),
    });
  });
  return {
    url: (repository, user) => `http://${user ? `${user}:secret@` : ""}127.0.0.1:${port}/${repository}.git`,
    ...server,
  };
}

/** Where an nginx of a test listens and has its files. */
export interface NginxPlace {
  readonly dir: string;
  readonly port: number;
  /** The socket of its fcgiwrap. */
  readonly socket: string;
}

/** The places that each documented configuration has. */
export function placesOf({ port, socket }: NginxPlace, device: Device): Record<string, string> {
  return {
    "listen 80;": `listen 127.0.0.1:${port};`,
    "/run/fcgiwrap.socket": socket,
    "http://127.0.0.1:7422": device.demo.http,
  };
}

/** Starts nginx with these servers, and fcgiwrap, as this user. Resolves when both answer. */
export async function runNginx(
  programs: { readonly nginx: string; readonly fcgiwrap: string },
  serversAt: (place: NginxPlace) => Promise<string>,
): Promise<NginxPlace & AsyncDisposable> {
  const dir = await mkdtemp(join(tmpdir(), "ls-nginx-"));
  const socket = join(dir, "fcgiwrap.socket");
  const port = await freePort();
  await mkdir(join(dir, "tmp"));
  await writeFile(join(dir, "nginx.conf"), configuration(dir, await serversAt({ dir, port, socket })));
  const children = [
    // Each gets its own process group, because fcgiwrap signals its whole group when it ends.
    run(programs.fcgiwrap, ["-f", "-c", "4", "-s", `unix:${socket}`]),
    run(programs.nginx, ["-p", dir, "-e", join(dir, "error.log"), "-c", join(dir, "nginx.conf")]),
  ];
  const stop = async () => {
    await Promise.all(children.map(end));
    await rm(dir, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    await Promise.all([untilListening({ path: socket }), untilListening({ host: "127.0.0.1", port })]);
  } catch (cause) {
    const log = await readFile(join(dir, "error.log"), "utf8").catch(() => "it has no log");
    await stop();
    throw new Error(`nginx or fcgiwrap did not start: ${log}`, { cause });
  }
  return { dir, port, socket, [Symbol.asyncDispose]: stop };
}

function configuration(dir: string, servers: string): string {
  const kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  return `daemon off;
pid ${dir}/nginx.pid;
error_log ${dir}/error.log;
${process.getuid?.() === 0 ? "user root;" : ""}
events {}
http {
access_log off;
${kinds.map((kind) => `${kind}_temp_path ${dir}/tmp/${kind};`).join("\n")}
${servers}
}
`;
}

function run(program: string, args: readonly string[]): ChildProcess {
  const env = { PATH: process.env.PATH ?? "/usr/bin:/bin" };
  return spawn(program, args, { env, stdio: "ignore", detached: true });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  process.kill(-child.pid, "SIGTERM");
  await exited;
}
