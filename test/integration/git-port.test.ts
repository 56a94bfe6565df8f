import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { describe, expect, it, vi } from "vitest";
import { processesAt } from "../support/git.ts";
import {
  type Authority,
  authorityIn,
  contentsOf,
  credentialsOf,
  type Files,
  openGitPort,
} from "../support/git-port.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

const APP = "team/app";
/** More than what fits between the two ends of a connection. */
const LARGE = 16_000_000;
const run = promisify(execFile);

interface Fixture extends AsyncDisposable {
  readonly cluster: TestCluster;
  readonly authority: Authority;
  readonly a: TestDevice;
  /** The certificate of another device. */
  readonly peer: Files;
  readonly address: string;
  /** On main, and a commit that main had before. */
  readonly one: string;
  readonly old: string;
  git(files: Files, ...args: string[]): Promise<{ stdout: string; stderr: string }>;
  ask(path: string, options?: object, body?: string | Buffer): Promise<IncomingMessage>;
}

async function fixture(bytes = 1_000): Promise<Fixture> {
  const cluster = await TestCluster.make();
  const authority = await authorityIn(credentialsOf(cluster));
  const a = await cluster.start("repo001");
  await cluster.create(APP, [a]);
  // A device that should hold the repository may fetch it, whether its sidecar runs or not.
  await cluster.sql("insert into lockstep.device (name) values ('repo002')");
  await cluster.sql(
    "insert into lockstep.replica (repository_id, device) select id, 'repo002' from lockstep.repository",
  );
  const [one, old] = [await a.commit(APP, "one", { content: randomBytes(bytes) }), await a.commit(APP, "old")];
  await a.push(APP, [change("main", null, old)]);
  await a.push(APP, [change("main", old, one)]);
  // What is in a pack is sent as it is.
  await a.git(APP, ["repack", "-adq"]);
  const port = await openGitPort(a, await authority.issue("device", "repo001"));
  const peer = await authority.issue("device", "repo002");
  const tls = await contentsOf(peer);
  return {
    cluster,
    authority,
    a,
    peer,
    address: port.address,
    one,
    old,
    async git({ cert, key, ca }, ...args) {
      const config = [`http.sslCert=${cert}`, `http.sslKey=${key}`, `http.sslCAInfo=${ca}`];
      const env = { PATH: process.env.PATH, HOME: cluster.dir, GIT_CONFIG_NOSYSTEM: "1", LC_ALL: "C" };
      return await run("git", [...config.flatMap((setting) => ["-c", setting]), ...args], { env, cwd: cluster.dir });
    },
    async ask(path, options = {}, body: string | Buffer = "") {
      const asking = request(`https://${port.address}${path}`, { ...tls, agent: false, ...options });
      asking.on("error", () => {});
      asking.end(body);
      return (await once(asking, "response"))[0] as IncomingMessage;
    },
    async [Symbol.asyncDispose]() {
      await port[Symbol.asyncDispose]();
      await cluster[Symbol.asyncDispose]();
    },
  };
}

const packet = (line: string) => `${(line.length + 4).toString(16).padStart(4, "0")}${line}`;
const FETCH = { method: "POST", headers: { "content-type": "application/x-git-upload-pack-request" } };
const V2 = { ...FETCH, headers: { ...FETCH.headers, "git-protocol": "version=2" } };

describe("stock git with the certificate of a device", () => {
  it.each(["0", "1", "2"])(
    "clones and fetches with protocol version %s, also an id that a ref had before",
    async (v) => {
      await using f = await fixture();
      const url = `https://${f.address}/${APP}.git`;
      const clone = join(f.cluster.dir, "clone.git");
      const version = ["-c", `protocol.version=${v}`];
      await f.git(f.peer, ...version, "clone", "--quiet", "--bare", url, clone);
      await f.git(f.peer, ...version, "-C", clone, "fetch", "--quiet", url, f.old);
      const { stdout } = await f.git(f.peer, "-C", clone, "log", "--format=%s", f.old);
      expect(stdout).toBe("old\n");
    },
  );

  it("is not told of the refs that are Lockstep's own, even where the repository's settings would show them", async () => {
    await using f = await fixture();
    await f.a.git(APP, ["config", "--file", `${f.a.gitDir(APP)}/config`, "transfer.hideRefs", "!refs/lockstep"]);
    const { stdout } = await f.git(f.peer, "ls-remote", `https://${f.address}/${APP}.git`);
    expect(stdout).toBe(`${f.one}\tHEAD\n${f.one}\trefs/heads/main\n`);
  });

  it("stock git with the certificate of a device cannot push", async () => {
    await using f = await fixture();
    const push = f.git(f.peer, "-C", f.a.gitDir(APP), "push", `https://${f.address}/${APP}.git`, "main:other");
    await expect(push).rejects.toMatchObject({ stderr: expect.stringContaining("This port is for reading") });
    const response = await f.ask(`/${APP}.git/git-receive-pack`, {
      method: "POST",
      headers: { "content-type": "application/x-git-receive-pack-request" },
    });
    expect(response.statusCode).toBe(403);
    expect(await f.a.refs(APP)).not.toHaveProperty("refs/heads/other");
  });

  it("may compress its request", async () => {
    await using f = await fixture();
    const asked = gzipSync(`${packet("command=ls-refs\n")}0001${packet("ref-prefix refs/heads/\n")}0000`);
    const headers = { ...V2.headers, "content-encoding": "gzip" };
    const response = await f.ask(`/${APP}.git/git-upload-pack`, { ...V2, headers }, asked);
    expect(await text(response)).toBe(`${packet(`${f.one} refs/heads/main\n`)}0000`);
  });

  it("cannot hide a long request by compressing it: 16 MiB are the limit, unpacked", async () => {
    await using f = await fixture();
    const headers = { ...FETCH.headers, "content-encoding": "gzip" };
    const ask = async (bytes: number) => {
      const zeros = gzipSync(Buffer.alloc(bytes, "0"));
      const response = await f.ask(`/${APP}.git/git-upload-pack`, { ...FETCH, headers }, zeros);
      return [response.statusCode, await text(response)];
    };
    // git itself reads a flush packet in the zeros.
    expect((await ask(16 << 20))[0]).not.toBe(400);
    await f.a.gitCommands();
    expect(await ask((16 << 20) + 1)).toEqual([400, expect.stringContaining("at most 16777216 bytes")]);
    expect((await f.a.gitCommands()).join()).not.toContain("upload-pack");
  });

  it("is told that a repository does not exist, or has no replica here", async () => {
    await using f = await fixture();
    const b = await f.cluster.start("repo002");
    await f.cluster.create("team/else", [b]);
    const names = [`/${APP}`, "team//app", `${APP}.git`, `${APP}/`, "team/none", "team/else", "../../etc", ".lockstep"];
    for (const name of names) {
      const response = await f.ask(`/${name}.git/info/refs?service=git-upload-pack`);
      expect(response.statusCode, name).toBeGreaterThanOrEqual(400);
      expect(await text(response), name).toMatch(/^[A-Z].*\.\n$/);
    }
  });
});

describe("a device that does not hold the repository", () => {
  it("gets no refs, no pack and no word about the directory; it may ask about a name that no repository has", async () => {
    await using f = await fixture();
    const stranger = await f.authority.issue("device", "repo009");
    const tls = await contentsOf(stranger);
    const url = `https://${f.address}/${APP}.git`;
    await expect(f.git(stranger, "ls-remote", url)).rejects.toMatchObject({ stderr: expect.stringContaining("403") });
    const [row] = await f.cluster.sql<{ id: string }>("select id from lockstep.repository");
    const pack = { repositoryId: row!.id, version: "1", wants: [f.one], haves: [], visit: "first" };
    const ask = async (path: string, body: object) => {
      const response = await f.ask(path, { ...tls, method: "POST" }, JSON.stringify(body));
      return [response.statusCode, await text(response)];
    };
    expect(await ask("/v1/pack", pack)).toEqual([403, expect.stringContaining("does not hold this repository")]);
    expect(await ask("/v1/directory", { repository: APP })).toEqual([403, expect.stringContaining("does not hold")]);
    expect((await ask("/v1/directory", { repository: "team/new" }))[0]).toBe(200);
    // The control: with a row it gets all of that.
    await f.cluster.sql("insert into lockstep.device (name) values ('repo009')");
    await f.cluster.sql(
      "insert into lockstep.replica (repository_id, device) select id, 'repo009' from lockstep.repository",
    );
    expect((await ask("/v1/pack", pack))[0]).toBe(200);
    expect((await ask("/v1/directory", { repository: APP }))[0]).toBe(200);
    await f.git(stranger, "ls-remote", url);
  });

  it("has nobody copy objects for it, nor does one that may not write or whose sidecar is away", async () => {
    await using f = await fixture();
    const tls = await contentsOf(f.peer);
    const [row] = await f.cluster.sql<{ id: string }>("select id from lockstep.repository");
    const hold = async (refs: string[] = []) => {
      const body = { repositoryId: row!.id, wants: [f.one], haves: [], refs };
      const response = await f.ask("/v1/hold", { ...tls, method: "POST" }, JSON.stringify(body));
      return [response.statusCode, await text(response)];
    };
    const set = (to: string) => f.cluster.sql(`update lockstep.device set ${to} where name = 'repo002'`);
    const refused = [403, expect.stringContaining("writes nothing to this repository")];
    expect(await hold()).toEqual(refused);
    await f.cluster.sql("update lockstep.replica set state = 'active' where device = 'repo002'");
    await set("expires_at = clock_timestamp() + interval '1 minute'");
    // It may, and then cannot be reached.
    expect((await hold())[0]).not.toBe(403);
    expect(await hold(["refs/lockstep/lost/1"])).toEqual([400, expect.stringContaining("wrong name of a ref")]);
    await set("writes = false");
    expect(await hold()).toEqual(refused);
    await set("writes = true, revoked_at = clock_timestamp()");
    expect(await hold()).toEqual(refused);
  });
});

describe("the git port", () => {
  it("serves devices only: other roles and clients without a certificate are refused", async () => {
    await using f = await fixture();
    const url = `https://${f.address}/${APP}.git`;
    for (const role of ["frontend", "operator"] as const) {
      const files = await f.authority.issue(role, "somebody");
      await expect(f.git(files, "ls-remote", url)).rejects.toMatchObject({ stderr: expect.stringContaining("403") });
    }
    const nobody = run("git", ["-c", `http.sslCAInfo=${f.peer.ca}`, "ls-remote", url], {
      env: { PATH: process.env.PATH, HOME: f.cluster.dir },
    });
    await expect(nobody).rejects.toMatchObject({ code: 128 });
  });

  it("ends its git when the client is gone", async () => {
    await using f = await fixture(LARGE);
    const response = await f.ask(`/${APP}.git/git-upload-pack`, V2, fetchOf(f.one));
    expect(response.statusCode).toBe(200);
    expect(await processesAt(f.a.gitDir(APP))).not.toEqual([]);
    response.destroy();
    await vi.waitFor(async () => expect(await processesAt(f.a.gitDir(APP))).toEqual([]), SOON);
  });

  it("sends eight packs at a time, for stock git and the pack stream together", async () => {
    await using f = await fixture(LARGE);
    const pack = JSON.stringify({
      repositoryId: f.a.replica(APP).id,
      version: "1",
      visit: "last",
      wants: [f.one],
      haves: [],
    });
    const byGit = () => f.ask(`/${APP}.git/git-upload-pack`, V2, fetchOf(f.one));
    const byStream = () => f.ask("/v1/pack", { method: "POST" }, pack);
    // Nobody reads them.
    const held: IncomingMessage[] = [];
    for (let count = 0; count < 4; count += 1) held.push(await byGit(), await byStream());
    expect(held.map(({ statusCode }) => statusCode)).toEqual(Array(8).fill(200));
    const [git, stream] = [await byGit(), await byStream()];
    expect(git.statusCode).toBe(503);
    expect(git.headers["retry-after"]).toBe("1");
    expect(await text(git)).toContain("sends 8 packs already");
    expect(stream.statusCode).toBe(503);
    expect(stream.headers["lockstep-ask"]).toBe("");
    // One of either kind makes room for one of the other.
    held[0]!.destroy();
    await vi.waitFor(async () => expect((await byStream()).statusCode).toBe(200), SOON);
    held[1]!.destroy();
    await vi.waitFor(async () => expect((await byGit()).statusCode).toBe(200), SOON);
    for (const response of held) response.destroy();
  });
});

/** A request of version 2 for a pack with everything below `id`. */
function fetchOf(id: string): string {
  return `${packet("command=fetch")}${packet("object-format=sha1")}0001${packet(`want ${id}\n`)}${packet("done\n")}0000`;
}
