// What a device may fetch by its id: over the pack stream, with stock git over https, and with git over ssh.
import { once } from "node:events";
import { request } from "node:https";
import { connect } from "node:net";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { encodeFrames, readFrames } from "../../src/framing/frames.ts";
import { packet } from "../../src/framing/pkt-line.ts";
import { CopyNotWanted } from "../../src/git/peers/pack-requests.ts";
import { PackClient } from "../../src/git/peers/pack-stream.ts";
import { TlsLine } from "../../src/git/peers/peer-lines.ts";
import { portOf } from "../../src/git-port/route.ts";
import { serveSsh } from "../../src/git-port/ssh-server.ts";
import { processesAt } from "../support/git.ts";
import { authorityIn, contentsOf, credentialsOf, openGitPort, TRUST_DOMAIN } from "../support/git-port.ts";
import { LIMITS } from "../support/limits.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

const APP = "team/app";
const REFUSED = "so device repo002 may not fetch it by its id";

let cluster: TestCluster;
let a: TestDevice;
let ask: (path: string, headers: Record<string, string>, body: string) => Promise<Answer>;
let tls: Awaited<ReturnType<typeof contentsOf>>;
let address: string;
let sshPath: string;
let parts: AsyncDisposable[];
const onRefused = vi.fn();
/** Ids by what they are. */
const ids: Record<string, string> = {};

interface Answer {
  readonly status: number;
  readonly body: string;
}

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

const V0 = (id: string) => `${packet(`want ${id} ofs-delta\n`)}0000${packet("done\n")}`;
const V2 = (id: string) => `${packet("command=fetch")}0001${packet(`want ${id}\n`)}${packet("done\n")}0000`;

/** Runs git-upload-pack of the ssh door, says `words`, and returns what came back. */
async function overSsh(words: string, protocol?: string, name = `${APP}.git`): Promise<string> {
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

const ROUTES: Readonly<Record<string, (id: string) => Promise<{ refusal?: string }>>> = {
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

async function overHttps(body: string, headers: Record<string, string>): Promise<{ refusal?: string }> {
  const type = { "content-type": "application/x-git-upload-pack-request" };
  const { status, body: said } = await ask(`/${APP}.git/git-upload-pack`, { ...type, ...headers }, body);
  return status === 403 ? { refusal: said } : refusalIn(said);
}

function refusalIn(said: string): { refusal?: string } {
  return said.includes("PACK") ? {} : { refusal: said };
}

describe.each(Object.keys(ROUTES))("a device that asks for an id over %s", (route) => {
  const fetch = ROUTES[route]!;

  it.each(["tip", "old", "gone"])("gets what a ref has or had: %s", async (which) => {
    expect(await fetch(ids[which]!)).toEqual({});
  });

  it.each(["dropped", "lost", "copy", "loose", "blob", "middle", "absent"])(
    "gets nothing that no ref ever had: %s",
    async (which) => {
      const { refusal } = await fetch(ids[which]!);
      expect(refusal).toContain(`No ref has the object ${ids[which]}`);
      expect(refusal).toContain(REFUSED);
    },
  );
});

describe("git over ssh", () => {
  it("has the exact name of the repository, behind a slash, or the whole path", async () => {
    for (const name of [APP, `/${APP}.git`, a.gitDir(APP)])
      expect(refusalIn(await overSsh(V0(ids.tip!), undefined, name))).toEqual({});
    for (const name of [
      `//${APP}.git`,
      "team//app.git",
      `${APP}.git/`,
      `${APP}.git.git`,
      `${a.context.root}//${APP}.git`,
    ])
      expect(await overSsh(V0(ids.tip!), undefined, name), name).toMatch(
        /^lockstep: The repository name ".*" has a part/,
      );
  });
});

describe("what a device may fetch by its id", () => {
  it("is asked of the database once, and not for what this device has read from the log", async () => {
    const statements: string[] = [];
    a.onStatement = async (text, run) => {
      if (/repository_ref f|ref_log_update u/.test(text)) statements.push(text);
      return await run();
    };
    const { id } = a.replica(APP);
    const { fetchable } = a.context;
    const next = await a.commit(APP, "next", { parents: [ids.tip!] });
    await a.push(APP, [change("main", ids.tip!, next)]);
    statements.length = 0;
    await fetchable.check("repo002", id, [next]);
    await fetchable.check("repo003", id, [next]);
    expect(statements).toHaveLength(1);
    const b = cluster.devices.get("repo002")!;
    await b.read(APP);
    b.onStatement = () => Promise.reject(new Error("it asked"));
    await b.context.fetchable.check("repo001", id, [next]);
    await expect(b.context.fetchable.check("repo001", id, [ids.loose!])).rejects.toThrow("it asked");
    b.onStatement = a.onStatement = (_, run) => run();
  });

  it("may be found out after git has made the whole pack: nothing of it is lost", async () => {
    const { id } = a.replica(APP);
    const next = await a.commit(APP, "slow", { parents: [ids.tip!] });
    const { "refs/heads/main": main } = await a.refs(APP);
    await a.push(APP, [change("main", main!, next)]);
    const packing = async () => (await processesAt(a.gitDir(APP))).filter((each) => each.includes("pack-objects"));
    await a.gitCommands();
    a.onStatement = async (text, run) => {
      if (!text.includes("ref_log_update u")) return await run();
      await vi.waitFor(async () => expect((await a.gitCommands()).join()).toContain("pack-objects"), SOON);
      await vi.waitFor(async () => expect(await packing()).toEqual([]), SOON);
      return await run();
    };
    const body = { repositoryId: id, version: "9", visit: "last", wants: [next], haves: [ids.tip] };
    const { status, body: pack } = await ask("/v1/pack", {}, JSON.stringify(body));
    a.onStatement = (_, run) => run();
    expect(status).toBe(200);
    expect(pack).toMatch(/^PACK/);
  });

  it("includes what it is asked to copy, while it is asked, and for nobody else", async () => {
    const { fetchable } = a.context;
    const { id } = a.replica(APP);
    const check = async (device: string) => await fetchable.check(device, id, [ids.loose!]);
    const offer = fetchable.offer(id, "repo002", [ids.loose!]);
    {
      using _ = fetchable.offer(id, "repo002", [ids.loose!]);
      await check("repo002");
    }
    await check("repo002");
    await expect(check("repo003")).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
    offer[Symbol.dispose]();
    await expect(check("repo002")).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
  });

  it("is, for a copy, what this device asks to have copied, and nothing that is in the log", async () => {
    const { id } = a.replica(APP);
    const { fetchable } = a.context;
    const copyOf = async (wants: string[]) => {
      const body = { repositoryId: id, version: "0", visit: "last", wants, haves: [], copy: true };
      return await ask("/v1/pack", {}, JSON.stringify(body));
    };
    const said = "Device repo001 does not ask for copies of these objects now.\n";
    expect(await copyOf([ids.tip!])).toEqual({ status: 409, body: said });
    const body = { repositoryId: id, version: "0", visit: "last", wants: [ids.tip!], haves: [], copy: true } as const;
    using line = new TlsLine(tls, TRUST_DOMAIN);
    const asked = new PackClient(line).open("repo001", address, body, AbortSignal.timeout(SOON.timeout), () => {});
    await expect(asked).rejects.toBeInstanceOf(CopyNotWanted);
    using _ = fetchable.offer(id, "repo002", [ids.tip!, ids.loose!]);
    expect((await copyOf([ids.tip!, ids.loose!])).body).toMatch(/^PACK/);
    expect((await copyOf([ids.tip!, ids.old!])).status).toBe(409);
    const other = fetchable.offer(id, "repo003", [ids.old!]);
    expect((await copyOf([ids.old!])).status).toBe(409);
    other[Symbol.dispose]();
  });

  it("is told to the audit when it is refused", () => {
    expect(onRefused).toHaveBeenCalledWith(
      expect.objectContaining({
        who: "device repo002",
        code: "PERMISSION_DENIED",
        why: expect.stringContaining(REFUSED),
      }),
    );
  });
});
