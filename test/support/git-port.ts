// Opens git ports of devices in the test's process, with certificates of a test authority and addresses in the
// database.
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createAuthority, issue } from "../../src/ca/authority.ts";
import { writeCredentials } from "../../src/ca/credentials.ts";
import { portOf } from "../../src/git-port/route.ts";
import { type PackListener, servePacks } from "../../src/git-port/server.ts";
import type { SyncContext } from "../../src/sync/device/context.ts";
import { Peers } from "../../src/tls/peers.ts";
import { LIMITS } from "./limits.ts";
import type { TestCluster } from "./sync-cluster.ts";
import type { TestDevice } from "./sync-device.ts";
import { trustAuthorities } from "./trust-authorities.ts";

export const TRUST_DOMAIN = "test.lockstep.internal";

export type Files = SyncContext["gitCredentials"];

export interface Authority {
  /** Issues a certificate and returns its files. The certificate of a device is for 127.0.0.1. */
  issue(role: "device" | "frontend" | "operator", name: string): Promise<Files>;
}

export async function authorityIn(directory: string): Promise<Authority> {
  await mkdir(directory, { recursive: true });
  const authority = await createAuthority({ trustDomain: TRUST_DOMAIN, days: 1 });
  const { certificate: ca } = await writeCredentials(directory, "ca", authority);
  return {
    async issue(role, name) {
      const hosts = role === "device" ? ["127.0.0.1"] : [];
      const pair = await issue(authority, { role, name, hosts, days: 1 });
      const { certificate, key } = await writeCredentials(directory, `${role}-${name}`, pair);
      return { cert: certificate, key, ca };
    },
  };
}

/** Reads the files into the options of a TLS server or client. */
export async function contentsOf({ cert, key, ca }: Files): Promise<{ cert: string; key: string; ca: string }> {
  const [certPem, keyPem, caPem] = await Promise.all([cert, key, ca].map((file) => readFile(file, "utf8")));
  return { cert: certPem as string, key: keyPem as string, ca: caPem as string };
}

/** Opens the git port of a device and writes its address into the database. */
export async function openGitPort(device: TestDevice, files: Files): Promise<PackListener & { address: string }> {
  const tls = await contentsOf(files);
  const listen = { host: "127.0.0.1", port: 0 };
  const peers = new Peers({ trustDomain: TRUST_DOMAIN, trust: trustAuthorities, log: device.context.log });
  const port = portOf(device.context, LIMITS.portLimits);
  const listener = await servePacks(device.context, { listen, tls, peers, port, handshakes: LIMITS.handshakes });
  const address = `127.0.0.1:${listener.port}`;
  await advertise(device.cluster, device.name, address);
  return { ...listener, address };
}

/** Writes `address` into the database as the git port of the device. */
export async function advertise(cluster: TestCluster, device: string, address: string): Promise<void> {
  await cluster.sql("update lockstep.device set git_address = $2 where name = $1", [device, address]);
}

/** Returns the folder of the credentials, which is removed with the cluster. */
export function credentialsOf(cluster: TestCluster): string {
  return join(cluster.dir, "credentials");
}
