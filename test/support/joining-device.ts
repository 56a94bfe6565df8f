// A device that is no part of the demo and joins its cluster.
import { type ChildProcess, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { issue } from "../../src/ca/authority.ts";
import { writeCredentials } from "../../src/ca/credentials.ts";
import { freePorts } from "../../src/demo/ports.ts";
import type { Cluster } from "./cluster.ts";
import { PROGRAM } from "./cluster-device.ts";

export interface Joining {
  readonly child: ChildProcess;
  /** The directory of its files. */
  readonly home: string;
  /** The address of its HTTP port. */
  readonly http: string;
}

/** Starts the sidecar of a device with a certificate of the demo's authority. */
export async function joinCluster(
  cluster: Cluster,
  name: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Joining> {
  const { line } = cluster.demo;
  const pair = {
    certificatePem: await readFile(join(line.ca_dir, "ca.pem"), "utf8"),
    keyPem: await readFile(join(line.ca_dir, "ca.key"), "utf8"),
  };
  const home = join(cluster.dir, name);
  const hosts = ["localhost", "127.0.0.1"];
  const made = await writeCredentials(home, name, await issue(pair, { role: "device", name, hosts, days: 1 }));
  const [grpc, git, http] = (await freePorts(3)) as [number, number, number];
  const child = spawn(process.execPath, [PROGRAM, "serve"], {
    env: {
      PATH: process.env.PATH ?? "",
      HOME: home,
      LOCKSTEP_DEVICE: name,
      LOCKSTEP_DATABASE_URL: line.database_url,
      LOCKSTEP_ROOT: join(home, "repositories"),
      LOCKSTEP_SOCKET_DIR: join(home, "run"),
      LOCKSTEP_LISTEN: `127.0.0.1:${grpc}`,
      LOCKSTEP_GIT_LISTEN: `127.0.0.1:${git}`,
      LOCKSTEP_HTTP_LISTEN: `127.0.0.1:${http}`,
      LOCKSTEP_ADVERTISE: "localhost",
      LOCKSTEP_TLS_CERT: made.certificate,
      LOCKSTEP_TLS_KEY: made.key,
      LOCKSTEP_TLS_CA: line.ca,
      ...env,
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  return { child, home, http: `http://127.0.0.1:${http}` };
}
