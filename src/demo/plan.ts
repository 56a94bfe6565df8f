// Plans a cluster on one machine: its certificates, and the command line, environment and addresses of each process.
import { join } from "node:path";
import { createAuthority, issue } from "../ca/authority.ts";
import { writeCredentials } from "../ca/credentials.ts";
import type { Host } from "../host.ts";
import { PROGRAM_FILE } from "../installation.ts";
import { freePorts } from "./ports.ts";

export const TRUST_DOMAIN = "demo.lockstep.internal";
const DAYS = 100;

export interface Credentials {
  readonly cert: string;
  readonly key: string;
}

export interface PlanOptions {
  /** The folder of all files of the cluster. */
  readonly dir: string;
  readonly refFormat: string;
  readonly host: Host;
}

/**
 * Makes a certificate authority, and certificates for the operator, the front end and each device. Returns their files.
 */
export async function makeCredentials(dir: string, devices: number) {
  const authority = await createAuthority({ trustDomain: TRUST_DOMAIN, days: DAYS });
  const directory = join(dir, "credentials");
  const { certificate: ca } = await writeCredentials(directory, "ca", authority);
  const make = async (role: "device" | "frontend" | "operator", name: string): Promise<Credentials> => {
    const hosts = role === "device" ? ["localhost", "127.0.0.1"] : [];
    const { certificate, key } = await writeCredentials(
      directory,
      name,
      await issue(authority, { role, name, hosts, days: DAYS }),
    );
    return { cert: certificate, key };
  };
  const names = Array.from({ length: devices }, (_, index) => `repo${String(index + 1).padStart(3, "0")}`);
  const [operator, frontend, ...rest] = await Promise.all([
    make("operator", "operator"),
    make("frontend", "frontend"),
    ...names.map((name) => make("device", name)),
  ]);
  return { ca, operator, frontend, devices: names.map((name, index) => ({ name, ...(rest[index] as Credentials) })) };
}

/** Returns the plan of each device. The environment of its sidecar still lacks the URL of the database. */
export async function planDevices(
  { dir, host, refFormat }: PlanOptions,
  ca: Awaited<ReturnType<typeof makeCredentials>>,
) {
  const ports = await freePorts(ca.devices.length * 4);
  return ca.devices.map(({ name, cert, key }) => {
    const [grpc, git, http, gate] = ports.splice(0, 4) as [number, number, number, number];
    const home = join(dir, name);
    const root = join(home, "repositories");
    const socketDir = join(home, "run");
    const base = {
      PATH: host.env.PATH ?? "/usr/bin:/bin",
      HOME: home,
      LOCKSTEP_ROOT: root,
      LOCKSTEP_SOCKET_DIR: socketDir,
    };
    const endsWithDemo = {
      ...base,
      LOCKSTEP_EXIT_WITH_PID: String(host.pid),
      LOCKSTEP_LOG_LEVEL: host.env.LOCKSTEP_LOG_LEVEL ?? "info",
      // Tests shorten the waits of the whole cluster (waits.ts).
      ...(host.env.LOCKSTEP_WAITS_FACTOR && { LOCKSTEP_WAITS_FACTOR: host.env.LOCKSTEP_WAITS_FACTOR }),
    };
    return {
      name,
      argv: [host.execPath, PROGRAM_FILE, "serve"],
      env: {
        ...endsWithDemo,
        LOCKSTEP_DEVICE: name,
        LOCKSTEP_LISTEN: `127.0.0.1:${grpc}`,
        LOCKSTEP_GIT_LISTEN: `127.0.0.1:${git}`,
        LOCKSTEP_HTTP_LISTEN: `127.0.0.1:${http}`,
        LOCKSTEP_ADVERTISE: "localhost",
        LOCKSTEP_REF_FORMAT: refFormat,
        LOCKSTEP_TRUST_CA: "1",
        LOCKSTEP_TLS_CERT: cert,
        LOCKSTEP_TLS_KEY: key,
        LOCKSTEP_TLS_CA: ca.ca,
      } as Record<string, string>,
      gateArgv: [host.execPath, PROGRAM_FILE, "gate"],
      gateEnv: { ...endsWithDemo, LOCKSTEP_GATE_LISTEN: `127.0.0.1:${gate}` } as Record<string, string>,
      gateUrl: `http://127.0.0.1:${gate}`,
      root,
      grpc: `localhost:${grpc}`,
      git: `https://localhost:${git}`,
      http: `http://127.0.0.1:${http}`,
      socket: join(socketDir, "lockstep.sock"),
      cert,
      key,
    };
  });
}
