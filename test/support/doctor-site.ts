// A machine on which `lockstep doctor` finds all well, and what a test takes away from it.
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll } from "vitest";
import { type CredentialPair, createAuthority, issue } from "../../src/ca/authority.ts";
import { writeCredentials } from "../../src/ca/credentials.ts";
import { main } from "../../src/cli/program.ts";
import type { Finding } from "../../src/doctor/finding.ts";
import { createDatabase, migratedDatabase, type TestDatabase } from "./database.ts";
import { freePort } from "./ports.ts";
import { findProgram } from "./programs.ts";

export const TRUST_DOMAIN = "cluster.example";

/** The native program is not beside the sources: this check warns here. */
const NOT_BUILT = "shim";

export type Environment = Record<string, string>;

// `makeDoctorSite` sets these before the first test of its file.
export let dir: string;

export let database: TestDatabase;

export let empty: TestDatabase;

export let authority: CredentialPair;

export let stranger: Server;

/** All that `serve` needs. */
export let well: Environment;

/** Makes two databases, an authority and directories for the calling file. */
export function makeDoctorSite(): void {
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "ls-doctor-"));
    [database, empty] = await Promise.all([migratedDatabase(), createDatabase()]);
    authority = await createAuthority({ trustDomain: TRUST_DOMAIN, days: 400 });
    const { certificate: ca } = await writeCredentials(dir, "ca", authority);
    const [git, flock] = [findProgram("git", "git"), findProgram("flock", "util-linux")] as { path: string }[];
    for (const [name, programs] of [
      ["bin", [git, flock]],
      ["bin-without-flock", [git]],
    ] as const) {
      await mkdir(join(dir, name));
      for (const program of programs) await symlink(program!.path, join(dir, name, program!.path.split("/").at(-1)!));
    }
    for (const [name, said] of [
      ["git", "git version 2.30.2"],
      ["node", "v18.19.0"],
    ] as const) {
      await mkdir(join(dir, `old-${name}`));
      await writeFile(join(dir, `old-${name}`, name), `#!/bin/sh\necho ${said}\n`);
      await chmod(join(dir, `old-${name}`, name), 0o755);
    }
    await writeFile(join(dir, "file"), "");
    await mkdir(join(dir, "of-another", ".lockstep"), { recursive: true });
    await writeFile(join(dir, "of-another", ".lockstep", "root.json"), JSON.stringify({ device: "repo009" }));
    stranger = createServer().listen(0, "127.0.0.1");
    await once(stranger, "listening");
    const { cert, key } = await credentials("repo001", {});
    const ports = await Promise.all([freePort(), freePort(), freePort()]);
    well = {
      PATH: join(dir, "bin"),
      LOCKSTEP_DEVICE: "repo001",
      LOCKSTEP_ROOT: join(dir, "root"),
      LOCKSTEP_SOCKET_DIR: join(dir, "run"),
      LOCKSTEP_DATABASE_URL: database.url,
      LOCKSTEP_TLS_CERT: cert,
      LOCKSTEP_TLS_KEY: key,
      LOCKSTEP_TLS_CA: ca,
      LOCKSTEP_LISTEN: `127.0.0.1:${ports[0]}`,
      LOCKSTEP_GIT_LISTEN: `127.0.0.1:${ports[1]}`,
      LOCKSTEP_HTTP_LISTEN: `127.0.0.1:${ports[2]}`,
    };
  });
  afterAll(async () => {
    stranger?.close();
    await database?.[Symbol.asyncDispose]();
    await empty?.[Symbol.asyncDispose]();
    await rm(dir, { recursive: true, force: true });
  });
}

export async function credentials(
  name: string,
  { by = authority, days = 100 }: { by?: CredentialPair; days?: number },
) {
  const pair = await issue(by, { role: "device", name, hosts: ["localhost"], days });
  const { certificate, key } = await writeCredentials(dir, `${name}-${days}-${by === authority}`, pair);
  return { cert: certificate, key };
}

export async function doctor(env: Environment, execPath = process.execPath) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const stream = (to: PassThrough) => to as unknown as NodeJS.WriteStream;
  const code = await main({
    env,
    argv: ["doctor", "--json"],
    cwd: "/",
    pid: process.pid,
    execPath,
    isRoot: false,
    stdin: process.stdin,
    stdout: stream(stdout),
    stderr: stream(stderr),
    stop: AbortSignal.timeout(30_000),
    kill: () => {},
  });
  stdout.end();
  const { ok, checks } = JSON.parse(await text(stdout)) as { ok: boolean; checks: Finding[] };
  return { code, ok, checks: checks.filter(({ check, state }) => check !== NOT_BUILT || state === "missing") };
}
