// A device that serves its objects over https and ssh, and the ways in which another device asks it for an id.
import { once } from "node:events";
import { request } from "node:https";
import { connect } from "node:net";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, vi } from "vitest";
import { encodeFrames, readFrames } from "../../src/framing/frames.ts";
import { packet } from "../../src/framing/pkt-line.ts";
import { portOf } from "../../src/git-port/route.ts";
import { serveSsh } from "../../src/git-port/ssh-server.ts";
import { authorityIn, contentsOf, credentialsOf, openGitPort } from "./git-port.ts";
import { LIMITS } from "./limits.ts";
import { TestCluster } from "./sync-cluster.ts";
import { change, type TestDevice } from "./sync-device.ts";

export const APP = "team/app";

// `startFetchableSite` sets these before the first test of its file.
export let cluster: TestCluster;
export let a: TestDevice;
export let ask: (path: string, headers: Record<string, string>, body: string) => Promise<Answer>;
export let tls: Awaited<ReturnType<typeof contentsOf>>;
export let address: string;
export let sshPath: string;
export let parts: AsyncDisposable[];
export const onRefused = vi.fn();
/** Ids by what they are. */
export const ids: Record<string, string> = {};

export interface Answer {
  readonly status: number;
  readonly body: string;
}

export const V0 = (id: string) => `${packet(`want ${id} ofs-delta\n`)}0000${packet("done\n")}`;
export const V2 = (id: string) => `${packet("command=fetch")}0001${packet(`want ${id}\n`)}${packet("done\n")}0000`;

/** Runs git-upload-pack of the ssh door, says `words`, and returns what came back. */
export async function overSsh(words: string, protocol?: string, name = `${APP}.git`): Promise<string> {
  const socket = connect(sshPath);
  const values = {
    version: "1",
    op: "device",
    device: "repo002",
    key: `SHA256:${"k".repeat(43)}`,
    request: `git-upload-pack '${name}'`,
    ...(protocol && { "env.GIT_PROTOCOL": protocol }),
  };
  const hello = Object.entries(values).map(([key, value]) => `${key}=${value}`);
  socket.write(encodeFrames("H", hello.join("\0")));
  const frames = readFrames(socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>);
  const { value: go } = await frames.next();
  await frames.return(undefined);
  if (go?.type !== "X") return String(go?.payload);
  socket.write(words);
  const said: Buffer[] = [];
  for await (const piece of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    said.push(piece);
    // git's own end of version 2 is that of the client.
    if (protocol !== undefined && piece.subarray(-4).toString() === "0000" && said.length > 1) socket.end();
  }
  return Buffer.concat(said).toString("latin1");
}

export const ROUTES: Readonly<Record<string, (id: string) => Promise<{ refusal?: string }>>> = {
  "the pack stream": async (id) => {
    const body = { repositoryId: a.replica(APP).id, version: "1", visit: "last", wants: [ids.tip, id], haves: [] };
    const { status, body: said } = await ask("/v1/pack", {}, JSON.stringify(body));
    return status === 403 ? { refusal: said } : { ...(!said.startsWith("PACK") && { refusal: `${status} ${said}` }) };
  },
  "stock git over https, version 2": (id) => overHttps(V2(id), { "git-protocol": "version=2" }),
  "stock git over https, version 0": (id) => overHttps(V0(id), {}),
  "git over ssh, version 2": async (id) => refusalIn(await overSsh(V2(id), "version=2")),
  "git over ssh, version 0": async (id) => refusalIn(await overSsh(V0(id))),
};

export async function overHttps(body: string, headers: Record<string, string>): Promise<{ refusal?: string }> {
  const type = { "content-type": "application/x-git-upload-pack-request" };
  const { status, body: said } = await ask(`/${APP}.git/git-upload-pack`, { ...type, ...headers }, body);
  return status === 403 ? { refusal: said } : refusalIn(said);
}

export function refusalIn(said: string): { refusal?: string } {
  return said.includes("PACK") ? {} : { refusal: said };
}

/** Starts the site before the tests of the calling file, and ends it afterwards. */
export function startFetchableSite(): void {
  beforeAll(async () => {
    cluster = await TestCluster.make();
    const authority = await authorityIn(credentialsOf(cluster));
    const [first, b] = await cluster.pair(APP);
    a = first;
    const [one, two, three] = await a.history(APP);
    const old = await a.commit(APP, "old");
    await a.push(APP, [change("main", null, old)]);
    await a.push(APP, [change("main", old, two)]);
    await a.push(APP, [change("main", two, three), change("side", null, one)]);
    await a.push(APP, [change("side", one, null)]);
    await b.read(APP);
    const middle = await a.commit(APP, "middle", { parents: [three] });
    const tip = await a.commit(APP, "tip", { parents: [middle] });
    await a.push(APP, [change("main", three, tip)]);
    const keep = async (ref: string) => {
      const id = await a.commit(APP, ref, { parents: [one] });
      await a.git(APP, ["update-ref", ref, id]);
      return id;
    };
    Object.assign(ids, {
      tip,
      old,
      gone: one,
      middle,
      blob: await a.git(APP, ["rev-parse", `${tip}:file`]),
      dropped: await keep("refs/lockstep/dropped/1/heads/main"),
      lost: await keep("refs/lockstep/lost/1/heads/main"),
      copy: await keep("refs/lockstep/staged/1-1/0"),
      loose: await a.commit(APP, "loose"),
      absent: "12".repeat(20),
    });
    const port = await openGitPort(a, await authority.issue("device", "repo001"));
    tls = await contentsOf(await authority.issue("device", "repo002"));
    address = port.address;
    ask = async (path, headers, body) => {
      const asking = request(`https://${port.address}${path}`, { ...tls, agent: false, method: "POST", headers });
      asking.end(body);
      const [response] = await once(asking, "response");
      return { status: response.statusCode, body: (await buffer(response)).toString("latin1") };
    };
    sshPath = join(cluster.dir, "peer.sock");
    const trust = {
      check: async () => undefined,
      revokedError: () => undefined,
      onChange: () => ({ [Symbol.dispose]() {} }),
    };
    const { context } = a;
    const options = {
      path: sshPath,
      port: portOf(context, LIMITS.portLimits),
      trust,
      log: context.log,
      onRefused,
      maxAgeMs: 600_000,
    };
    parts = [port, await serveSsh(context, options)];
  });
  afterAll(async () => {
    for (const part of parts ?? []) await part[Symbol.asyncDispose]();
    await cluster?.[Symbol.asyncDispose]();
  });
}
