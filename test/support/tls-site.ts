// A cluster, its authority, and another one that calls itself the same (../e2e/tls*.test.ts).
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll } from "vitest";
import { type CredentialPair, createAuthority, issue } from "../../src/ca/authority.ts";
import { writeCredentials } from "../../src/ca/credentials.ts";
import { type Cluster, startCluster } from "./cluster.ts";
import type { Device } from "./cluster-device.ts";
import { type Pusher, pusher } from "./pusher.ts";

const run = promisify(execFile);
export interface Files {
  readonly cert: string;
  readonly key: string;
}

export let cluster: Cluster;
export let one: Device;
export let three: Device;
export let ada: Pusher;
/** The authority of the cluster, which leaves its key to the demo's owner, and one that calls itself the same. */
export let authority: CredentialPair;
export let foreign: CredentialPair;
/** Issues a certificate. */
export async function issued(
  by: CredentialPair,
  role: "device" | "frontend" | "operator",
  name: string,
  days = 1,
): Promise<Files> {
  const hosts = role === "device" ? ["localhost", "127.0.0.1"] : [];
  const directory = join(cluster.dir, "credentials", by === authority ? "more" : "foreign");
  const pair = await issue(by, { role, name, hosts, days });
  const { certificate, key } = await writeCredentials(directory, `${role}-${name}-${days}`, pair);
  return { cert: certificate, key };
}

/** Issues a certificate of the cluster's authority with the names given, which src/ca would not make. */
export async function odd(name: string, subjectAltName: string): Promise<Files> {
  const path = (end: string) => join(cluster.dir, "credentials", `odd-${name}.${end}`);
  const { ca } = cluster.demo.line;
  const asking = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", `/CN=${name}`];
  await run("openssl", ["req", "-new", ...asking, "-keyout", path("key"), "-out", path("csr")]);
  const usage = "extendedKeyUsage=clientAuth,serverAuth";
  await writeFile(path("ext"), `${subjectAltName === "" ? "" : `subjectAltName=${subjectAltName}\n`}${usage}\n`);
  const signing = ["-CA", ca, "-CAkey", ca.replace(/\.pem$/, ".key"), "-days", "1", "-extfile", path("ext")];
  await run("openssl", ["x509", "-req", "-in", path("csr"), ...signing, "-out", path("pem")]);
  return { cert: path("pem"), key: path("key") };
}

export const spiffe = (path: string, domain = "demo.lockstep.internal") => `URI:spiffe://${domain}/${path}`;

/** Starts the cluster before the tests of the calling file, and stops it afterwards. */
export function startTlsSite(): void {
  beforeAll(async () => {
    cluster = await startCluster();
    one = cluster.devices[0]!;
    three = cluster.devices[2]!;
    ada = await pusher(cluster.git, "ada");
    const { ca, trust_domain: trustDomain } = cluster.demo.line;
    const keyFile = ca.replace(/\.pem$/, ".key");
    authority = { certificatePem: await readFile(ca, "utf8"), keyPem: await readFile(keyFile, "utf8") };
    foreign = await createAuthority({ trustDomain, days: 1 });
  });
  afterAll(async () => await cluster?.[Symbol.asyncDispose]());
}
