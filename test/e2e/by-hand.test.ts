// The section "By hand" of README.md: its blocks, word for word, in one folder. The environment names a server of
// PostgreSQL and free ports, in place of the defaults.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, it } from "vitest";
import { freePorts } from "../../src/demo/ports.ts";
import { PROGRAM } from "../support/cluster-device.ts";
import { untilListening } from "../support/ports.ts";
import { PostgresServers, replicationMissing, soon, sql } from "../support/postgres-servers.ts";
import { findProgram } from "../support/programs.ts";

/** The blocks of the section, in their order. */
async function blocksOfThePage(): Promise<string[]> {
  const page = await readFile(new URL("../../README.md", import.meta.url), "utf8");
  const section = /^### By hand\n(.*?)^### /ms.exec(page)?.[1] ?? "";
  return [...section.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block]) => block!);
}

const psql = findProgram("psql", "postgresql");
const missing = replicationMissing() ?? ("missing" in psql ? psql.missing : undefined);

it.skipIf(missing)("a database, certificates and a sidecar, as the page has them, take a push", async () => {
  const [database, certificates, serve, ...rest] = await blocksOfThePage();
  expect(rest).toEqual([]);
  const folder = await mkdtemp(join(tmpdir(), "ls-"));
  await using servers = await PostgresServers.create();
  const server = await servers.make("server", []);
  // A server of PostgreSQL has no role of our name at first.
  await sql(server, "create role postgres superuser login");
  const owner = { ...server, url: server.url.replace("lockstep@", "postgres@") };
  await sql(owner, "alter role lockstep rename to first_user");

  const [listen, gitListen, httpListen, gateListen] = await freePorts(4);
  await mkdir(join(folder, "bin"));
  await writeFile(join(folder, "bin", "lockstep"), `#!/bin/sh\nexec '${process.execPath}' '${PROGRAM}' "$@"\n`);
  await chmod(join(folder, "bin", "lockstep"), 0o755);
  const env = {
    PATH: `${join(folder, "bin")}:${process.env.PATH}`,
    HOME: folder,
    PGHOST: "127.0.0.1",
    PGPORT: String(server.port),
    PGUSER: "postgres",
    LOCKSTEP_LISTEN: `127.0.0.1:${listen}`,
    LOCKSTEP_GIT_LISTEN: `127.0.0.1:${gitListen}`,
    LOCKSTEP_HTTP_LISTEN: `127.0.0.1:${httpListen}`,
    LOCKSTEP_GATE_LISTEN: `127.0.0.1:${gateListen}`,
  };
  const shell = (script: string): ChildProcess => spawn("sh", ["-ec", script], { cwd: folder, env, detached: true });
  const done = async (script: string): Promise<string> => {
    const child = shell(script);
    const [out, err, [code]] = await Promise.all([text(child.stdout!), text(child.stderr!), once(child, "close")]);
    expect({ script, code, err: code === 0 ? "" : err }).toEqual({ script, code: 0, err: "" });
    return out;
  };
  const running: { child: ChildProcess; log: Promise<string> }[] = [];
  const start = (script: string) => {
    const child = shell(script);
    running.push({ child, log: text(child.stderr!) });
  };
  try {
    await done(database!);
    await done(certificates!);
    start(serve!);
    await soon(async () => expect((await fetch(`http://127.0.0.1:${httpListen}/readyz`)).status).toBe(200));
    const here = "export LOCKSTEP_SOCKET_DIR=$PWD/sockets; ";
    await done(`${here}lockstep repo create team/app`);
    start(`${here}exec lockstep gate --root repositories`);
    await untilListening({ host: "127.0.0.1", port: gateListen! });
    const url = `http://127.0.0.1:${gateListen}/team/app.git`;
    const made =
      "git init -q tree; cd tree; git -c user.name=x -c user.email=x@example.org commit -q --allow-empty -m x";
    await done(`${made}; git push -q ${url} HEAD:refs/heads/main`);
    const commit = await done("git -C tree rev-parse HEAD");
    expect(await done(`git ls-remote ${url} refs/heads/main`)).toContain(commit.trim());
  } finally {
    for (const { child, log } of running.reverse()) {
      if (child.exitCode === null) process.kill(-child.pid!, "SIGTERM");
      // Its standard error ends when the last process of the block has ended, not only the shell.
      await log;
    }
    await rm(folder, { recursive: true, force: true });
  }
  for (const { log } of running) expect(await log).not.toContain('"level":"error"');
});
