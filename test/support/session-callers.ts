// Two devices, and the callers whose sessions must stay apart.
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll } from "vitest";
import { type CredentialPair, issue } from "../../src/ca/authority.ts";
import { Client } from "../../src/client/client.ts";
import type { BeginWriteResponse__Output as Begun } from "../../src/generated/lockstep/v1/BeginWriteResponse.ts";
import { type Cluster, startCluster } from "./cluster.ts";
import { type Device, PATIENCE } from "./cluster-device.ts";
import { type Pusher, pusher } from "./pusher.ts";

export type Caller = "web" | "wiki" | "ops" | "socket";

// `startClusterWithCallers` sets these before the first test of its file.
export let cluster: Cluster;
export let one: Device;
export let two: Device;
export let ada: Pusher;
export let callers: Record<Caller, Client>;
/** The same certificate as web's, to another device. */
export let webAtTwo: Client;

export interface Pems extends CredentialPair {
  readonly ca: string;
}

export async function issued(role: "frontend" | "operator", name: string): Promise<Pems> {
  const { ca } = cluster.demo.line;
  const keyPem = await readFile(ca.replace(/\.pem$/, ".key"), "utf8");
  const authority = { certificatePem: await readFile(ca, "utf8"), keyPem };
  return { ...(await issue(authority, { role, name, hosts: [], days: 1 })), ca: authority.certificatePem };
}

export function clientOf({ certificatePem: cert, keyPem: key, ca }: Pems, device: Device): Client {
  const { trust_domain: trustDomain } = cluster.demo.line;
  return new Client({ address: device.demo.grpc, ca, cert, key, trustDomain, device: device.name });
}

/** A repository with one commit on main. */
export async function withMain(): Promise<{ repository: string; first: string }> {
  const repository = await cluster.createRepository();
  const first = await ada.commit();
  await ada.land(one.url(repository), `${first}:refs/heads/main`);
  return { repository, first };
}

/** Begins a session and makes a branch in its scratch repository, or on the live files. */
export async function changed(caller: Caller, repository: string, commit: string, live = false): Promise<Begun> {
  const begun = await callers[caller].call("BeginWrite", { repository, live }, PATIENCE);
  await cluster.git.git([`--git-dir=${begun.path}`, "update-ref", "refs/heads/made", commit]);
  return begun;
}

export const renew = (client: Client, repository: string, token: string) =>
  client.call("RenewWrite", { repository, token }, PATIENCE);
export const bump = (client: Client, repository: string, token: string) =>
  client.call("BumpVersion", { repository, token }, PATIENCE);
export const abort = (client: Client, repository: string, named: { token?: string; writeId?: string }, reason = "") =>
  client.call("AbortWrite", { repository, reason, ...named }, PATIENCE);

export const DENIED = { code: "PERMISSION_DENIED" };

/** Starts the cluster and opens its callers before the tests of the calling file, and ends them afterwards. */
export function startClusterWithCallers(): void {
  beforeAll(async () => {
    cluster = await startCluster();
    [one, two] = cluster.devices as [Device, Device];
    ada = await pusher(cluster.git, "ada");
    const web = await issued("frontend", "web");
    callers = {
      web: clientOf(web, one),
      wiki: clientOf(await issued("frontend", "wiki"), one),
      // As the front end is called: names count together with their role.
      ops: clientOf(await issued("operator", "web"), one),
      socket: new Client({ socket: one.demo.socket }),
    };
    webAtTwo = clientOf(web, two);
  });
  afterAll(async () => {
    for (const client of [...Object.values(callers ?? {}), webAtTwo]) client?.[Symbol.dispose]();
    await cluster?.[Symbol.asyncDispose]();
  });
}
