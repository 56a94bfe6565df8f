import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, readFile } from "node:fs/promises";
import { Agent, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FETCH_TYPE, GateSite, MIB, PUSH_TYPE } from "../support/gate-site.ts";

let site: GateSite;

beforeEach(async () => {
  site = await GateSite.make();
});

afterEach(async () => await site[Symbol.asyncDispose]());

describe("stock git", () => {
  it.each(["0", "1", "2"])("clones, fetches and pushes with protocol version %s", async (version) => {
    const git = (args: string[], cwd = site.work) =>
      site.sandbox.git(["-c", `protocol.version=${version}`, ...args], { cwd });
    const first = await site.sandbox.commit(site.work, "first", { "a.txt": "a" });
    await git(["push", "--quiet", "origin", "main"]);
    expect(await site.refs()).toBe(`${first} commit\trefs/heads/main`);

    await git(["clone", "--quiet", `${site.gate.url}/team/app`, "clone"], site.sandbox.dir);
    const second = await site.sandbox.commit(site.work, "second", { "b.txt": "b" });
    await git(["push", "--quiet", "origin", "main", "main:topic"]);
    const clone = join(site.sandbox.dir, "clone");
    await git(["fetch", "--quiet"], clone);
    expect(await site.sandbox.git(["rev-parse", "origin/main", "origin/topic"], { cwd: clone })).toBe(
      `${second}\n${second}`,
    );

    await git(["push", "--quiet", "origin", ":topic"]);
    expect(await site.refs()).toBe(`${second} commit\trefs/heads/main`);
  });

  it("pushes a pack in chunks when it is larger than the client's buffer", async () => {
    const id = await site.sandbox.commit(site.work, "large", { blob: randomBytes(2 * MIB) });
    const args = ["-c", "http.postBuffer=65536", "push", "origin", "main"];
    const { code, stderr } = await site.sandbox.run(args, { cwd: site.work, env: { GIT_CURL_VERBOSE: "1" } });
    expect(code).toBe(0);
    expect(stderr).toMatch(/Transfer-Encoding: chunked/i);
    expect(await site.refs()).toContain(id);
  });

  it("fetches with a request that is compressed", async () => {
    const numbers = Array.from({ length: 40 }, (_, number) => number);
    const commits = numbers.map(
      (n) => `commit refs/heads/b${n}\ncommitter Ada <ada@example.com> ${n} +0000\ndata 1\nx\n`,
    );
    await site.sandbox.git(["fast-import", "--quiet"], { cwd: site.bare, input: commits.join("") });
    const { code, stderr } = await site.sandbox.run(["fetch", "origin"], {
      cwd: site.work,
      env: { GIT_CURL_VERBOSE: "1" },
    });
    expect(code).toBe(0);
    expect(stderr).toMatch(/Content-Encoding: gzip/i);
    expect((await site.sandbox.git(["branch", "--remotes"], { cwd: site.work })).split("\n")).toHaveLength(40);
  });

  it("is told that a repository is not found", async () => {
    const { code, stderr } = await site.sandbox.run(["clone", `${site.gate.url}/team/other.git`]);
    expect(code).toBe(128);
    expect(stderr).toMatch(/remote: The repository team\/other is not on this server/);
    expect(stderr).toMatch(/repository '.*team\/other.git\/' not found/);
  });

  it("is told why upload-pack ended", async () => {
    const { code, stderr } = await site.sandbox.run(["fetch", "origin", "1".repeat(40)], { cwd: site.work });
    expect(code).toBe(128);
    expect(stderr).toMatch(/remote error: upload-pack: not our ref 1{40}/);
    expect(stderr).not.toMatch(/RPC failed/);
  });
});

describe("HTTP", () => {
  const bad = [
    "..",
    "../team/app",
    "team/../team/app",
    "team/%2e%2e/app",
    "team%2Fapp",
    "team/app%00",
    "team/app%0a",
    "-team/app",
    "--upload-pack=x",
    "team/app.git/objects",
    ".git",
    "%",
    "%ff",
    "team\\app",
    "~root/app",
    "x".repeat(10_000),
  ];
  it.each(bad)("refuses the name %j without starting git", async (name) => {
    for (const [method, end, headers] of [
      ["GET", "info/refs?service=git-upload-pack", {}],
      ["POST", "git-receive-pack", PUSH_TYPE],
    ] as const) {
      const { status } = await site.fetchRaw(`/${name}.git/${end}`, { method, headers });
      expect(status).toBe(400);
    }
    expect(await site.starts()).toBe(0);
  });

  it.each([
    ["GET", "/team/app.git/info/refs", {}, 403],
    ["GET", "/team/app.git/info/refs?service=git-upload-archive", {}, 403],
    ["POST", "/team/app.git/info/refs?service=git-upload-pack", FETCH_TYPE, 405],
    ["GET", "/team/app.git/git-upload-pack", {}, 405],
    ["POST", "/team/app.git/git-upload-pack", {}, 415],
    ["POST", "/team/app.git/git-receive-pack", FETCH_TYPE, 415],
    ["POST", "/team/app.git/git-upload-pack", { ...FETCH_TYPE, "Content-Encoding": "br" }, 415],
    ["GET", "/team/app.git/HEAD", {}, 404],
    ["GET", "/", {}, 404],
  ] as const)("answers %s %s %o with %i", async (method, path, headers, status) => {
    const answer = await site.fetchRaw(path, { method, headers });
    expect(answer.status).toBe(status);
    expect(answer.headers["content-type"]).toBe("text/plain; charset=utf-8");
    expect(await site.starts()).toBe(0);
  });

  it.each([
    ["git-upload-pack", undefined, /^001e# service=git-upload-pack\n0000/],
    ["git-upload-pack", "version=1", /^001e# service=git-upload-pack\n0000000eversion 1\n/],
    ["git-upload-pack", "version=2", /^000eversion 2\n/],
    ["git-upload-pack", `version=2:${"x".repeat(300)}`, /^001e# service=git-upload-pack\n0000/],
    ["git-receive-pack", "version=2", /^001f# service=git-receive-pack\n0000/],
  ])("advertises %s to a client that asks for %s", async (service, protocol, start) => {
    const headers = protocol === undefined ? {} : { "Git-Protocol": protocol };
    const answer = await site.fetchRaw(`/team/app.git/info/refs?service=${service}`, { headers });
    expect(answer.status).toBe(200);
    expect(answer.headers["content-type"]).toBe(`application/x-${service}-advertisement`);
    expect(answer.headers["cache-control"]).toContain("no-cache");
    expect(answer.body).toMatch(start);
  });

  it.each(["git-upload-pack", "git-receive-pack"])("answers the probe of %s with nothing", async (service) => {
    const headers = { "Content-Type": `application/x-${service}-request` };
    const answer = await site.fetchRaw(`/team/app.git/${service}`, { method: "POST", headers }, "0000");
    expect(answer).toMatchObject({ status: 200, body: "" });
    expect(answer.headers["content-type"]).toBe(`application/x-${service}-result`);
  });

  it("answers 500 when git fails before it says anything", async () => {
    await mkdir(join(site.sandbox.dir, "root/hollow.git"));
    const answer = await site.fetchRaw("/hollow.git/info/refs?service=git-upload-pack");
    expect(answer.status).toBe(500);
    expect(answer.body).toMatch(/^git upload-pack failed on this server/);
  });

  it("answers 503 when git cannot be started", async () => {
    await using blind = await site.openGate({ env: { PATH: "/nowhere", HOME: site.sandbox.dir } });
    const answer = await fetch(`${blind.url}/team/app.git/info/refs?service=git-upload-pack`);
    expect(answer.status).toBe(503);
    expect(answer.headers.get("retry-after")).toBe("1");
  });

  it("serves a client that waits for 100 Continue, and the next request on the same connection", async () => {
    using agent = Object.assign(new Agent({ keepAlive: true, maxSockets: 1 }), {
      [Symbol.dispose]: () => agent.destroy(),
    });
    const id = await site.sandbox.commit(site.work, "first");
    const body = await site.pushBody("refs/heads/main", id);
    const headers = { ...PUSH_TYPE, Expect: "100-continue" };
    const request = site.open("/team/app.git/git-receive-pack", { method: "POST", headers, agent });
    request.flushHeaders();
    await once(request, "continue");
    request.end(body);
    const [response] = (await once(request, "response")) as [IncomingMessage];
    expect(await text(response)).toContain("ok refs/heads/main");
    const next = site.open("/team/app.git/info/refs?service=git-upload-pack", { agent });
    const [advertised] = (await once(next.end(), "response")) as [IncomingMessage];
    expect(await text(advertised)).toContain(id);
    expect(next.reusedSocket).toBe(true);
  });

  it("gives hooks a clean environment", async () => {
    await site.hook("pre-receive", `env > '${site.sandbox.dir}/env'`);
    const id = await site.sandbox.commit(site.work, "first");
    const headers = { ...PUSH_TYPE, "X-Request-Id": "abc-2" };
    await site.fetchRaw(
      "/team/app.git/git-receive-pack",
      { method: "POST", headers },
      await site.pushBody("refs/heads/main", id),
    );
    const lines = (await readFile(join(site.sandbox.dir, "env"), "utf8")).split("\n");
    expect(lines).toEqual(
      expect.arrayContaining([
        "LOCKSTEP_SOCKET_DIR=/nowhere/lockstep",
        "LOCKSTEP_REQUEST_ID=abc-2",
        "REMOTE_ADDR=127.0.0.1",
        "GIT_COMMITTER_EMAIL=anonymous@http.127.0.0.1",
        "LC_ALL=C",
      ]),
    );
    expect(lines.filter((line) => /^(VITEST|NODE|USER|GIT_AUTHOR)/.test(line))).toEqual([]);
  });
});
