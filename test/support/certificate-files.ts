// A cluster whose certificate files are replaced while it runs.
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, expect } from "vitest";
import { type CredentialPair, issue } from "../../src/ca/authority.ts";
import { type Cluster, startCluster } from "./cluster.ts";
import type { Device } from "./cluster-device.ts";
import { type Pusher, pusher } from "./pusher.ts";
import { soon } from "./soon.ts";

export const SECOND = 1 / 86_400;
export const SOON = soon(100);
export const hosts = ["localhost", "127.0.0.1"];

// `startClusterWithFiles` sets these before the first test of its file.
export let cluster: Cluster;
export let one: Device;
export let two: Device;
export let ada: Pusher;
export let authority: CredentialPair;
/** The folder of the files of repo001. */
export let dir: string;

/** Lets further certificates come from this authority. */
export function useAuthority(next: CredentialPair): void {
  authority = next;
}

/** A certificate for the key that the device has, or for a new one. */
export async function made(days: number, name = "repo001", newKey = false): Promise<CredentialPair> {
  const keyPem = newKey ? undefined : await readFile(join(dir, `${name}.key`), "utf8");
  return await issue(authority, { role: "device", name, hosts, days, keyPem });
}
export const serialOf = (pem: string) => new X509Certificate(pem).serialNumber;

/** Opens a connection to a port of a device, as its neighbour. The connection stays open. */
export async function open(url: string): Promise<TLSSocket> {
  const [host, port] = url.replace("https://", "").split(":") as [string, string];
  const read = (file: string) => readFileSync(file);
  const pair = { ca: read(cluster.demo.line.ca), cert: read(two.demo.cert), key: read(two.demo.key) };
  const ALPNProtocols = url.startsWith("https") ? ["http/1.1"] : ["h2"];
  const socket = connect({ ...pair, host, port: Number(port), ALPNProtocols });
  socket.on("error", () => {});
  await once(socket, "secureConnect");
  return socket.resume();
}

/** The serial numbers that both ports of repo001 show on new connections. */
export async function shown(): Promise<string[]> {
  const serials: string[] = [];
  for (const url of [one.demo.grpc, one.demo.git]) {
    const socket = await open(url);
    serials.push(socket.getPeerX509Certificate()?.serialNumber ?? "none");
    socket.destroy();
  }
  return serials;
}

export async function logged(device: Device, text: string | RegExp): Promise<void> {
  const log = await readFile(device.logFile, "utf8");
  expect(log).toMatch(text);
}

export const replace = async (path: string, text: string) => {
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
};

export const tips = new Map<string, string>();

/** A push to repo002 and its read from repo001, which fetches it. */
export async function spreads(repository: string): Promise<void> {
  const tip = await ada.commit(tips.get(repository));
  tips.set(repository, tip);
  await ada.land(two.url(repository), `${tip}:refs/heads/main`);
  await one.sync(repository);
  expect(await cluster.git.git(["ls-remote", one.url(repository), "refs/heads/main"])).toContain(tip);
}

/** Starts the cluster before the tests of the calling file, and ends it afterwards. */
export function startClusterWithFiles(): void {
  beforeAll(async () => {
    cluster = await startCluster();
    [one, two] = cluster.devices as [Device, Device];
    ada = await pusher(cluster.git, "ada");
    const { ca_dir } = cluster.demo.line;
    const read = async (name: string) => await readFile(join(ca_dir, name), "utf8");
    authority = { certificatePem: await read("ca.pem"), keyPem: await read("ca.key") };
    dir = dirname(one.demo.cert);
    await one.kill();
    await one.start({ LOCKSTEP_TLS_RELOAD_SECONDS: "2" });
  });
  afterAll(async () => await cluster?.[Symbol.asyncDispose]());
}
