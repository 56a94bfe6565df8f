import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { access, chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import {
  Agent,
  type ClientRequest,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LockstepError } from "../../src/errors.ts";
import { type Gate, type GateOptions, startGate } from "../../src/gate/gate.ts";
import { type GitSandbox, gitSandbox, processesAt } from "../support/git.ts";

const MIB = 1024 * 1024;
const PUSH_TYPE = { "Content-Type": "application/x-git-receive-pack-request" };
const FETCH_TYPE = { "Content-Type": "application/x-git-upload-pack-request" };

let sandbox: GitSandbox;
let gate: Gate;
let bare: string;
let work: string;
let realGit: string;
let beforeRead: GateOptions["beforeRead"];

/** A gate on `root` below the sandbox, whose git notes every start in the file `starts`. */
async function openGate(options: Partial<GateOptions> = {}): Promise<Gate> {
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  return startGate({
    host: "127.0.0.1",
    port: 0,
    root: join(sandbox.dir, "root"),
    socketDir: "/nowhere/lockstep",
    beforeRead: (name, given) => beforeRead(name, given),
    log,
    env: { PATH: `${sandbox.dir}/bin:${sandbox.env.PATH}`, HOME: sandbox.dir },
    ...options,
  });
}

async function script(path: string, body: string): Promise<void> {
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
}

const hook = (name: string, body: string) => script(join(bare, "hooks", name), body);
const refs = () => sandbox.git(["for-each-ref"], { cwd: bare });
const starts = async () => (await readFile(join(sandbox.dir, "starts"), "utf8")).split("\n").length - 1;
const untilNoGitRuns = (dir = bare) =>
  vi.waitFor(async () => expect(await processesAt(dir)).toEqual([]), { timeout: 5_000 });
const untilGitRuns = () => vi.waitFor(async () => expect(await processesAt(bare)).not.toEqual([]), { timeout: 5_000 });
const untilExists = (path: string) => vi.waitFor(() => access(path), { timeout: 5_000 });

function open(path: string, options: RequestOptions = {}): ClientRequest {
  const { hostname, port } = new URL(gate.url);
  // `path` as it is: a URL object would resolve the dots that some tests are about.
  return httpRequest({ hostname, port, path, ...options });
}

async function fetchRaw(path: string, options: RequestOptions = {}, body: string | Buffer = "") {
  const request = open(path, options);
  request.end(body);
  const [response] = (await once(request, "response")) as [IncomingMessage];
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

/** The body of a push that creates `ref` at the commit `id` of the work tree. */
async function pushBody(ref: string, id: string): Promise<Buffer> {
  const { bytes } = await sandbox.run(["pack-objects", "--revs", "--stdout", "-q"], { cwd: work, input: `${id}\n` });
  const command = `${"0".repeat(40)} ${id} ${ref}\0 report-status side-band-64k`;
  return Buffer.concat([Buffer.from(`${(command.length + 4).toString(16).padStart(4, "0")}${command}0000`), bytes]);
}

beforeEach(async () => {
  sandbox = await gitSandbox();
  beforeRead = async () => {};
  bare = await sandbox.bare("root/team/app.git");
  await mkdir(join(sandbox.dir, "bin"));
  await writeFile(join(sandbox.dir, "starts"), "");
  realGit = `${await sandbox.git(["--exec-path"])}/git`;
  await script(join(sandbox.dir, "bin/git"), `echo "$*" >> '${sandbox.dir}/starts'\nexec '${realGit}' "$@"`);
  work = await sandbox.workTree("work");
  gate = await openGate();
  await sandbox.git(["remote", "add", "origin", `${gate.url}/team/app.git`], { cwd: work });
});

afterEach(async () => {
  await gate[Symbol.asyncDispose]();
  const left = await processesAt(bare);
  await sandbox[Symbol.asyncDispose]();
  expect(left).toEqual([]);
});

describe("stock git", () => {
  it.each(["0", "1", "2"])("clones, fetches and pushes with protocol version %s", async (version) => {
    const git = (args: string[], cwd = work) => sandbox.git(["-c", `protocol.version=${version}`, ...args], { cwd });
    const first = await sandbox.commit(work, "first", { "a.txt": "a" });
    await git(["push", "--quiet", "origin", "main"]);
    expect(await refs()).toBe(`${first} commit\trefs/heads/main`);

    await git(["clone", "--quiet", `${gate.url}/team/app`, "clone"], sandbox.dir);
    const second = await sandbox.commit(work, "second", { "b.txt": "b" });
    await git(["push", "--quiet", "origin", "main", "main:topic"]);
    const clone = join(sandbox.dir, "clone");
    await git(["fetch", "--quiet"], clone);
    expect(await sandbox.git(["rev-parse", "origin/main", "origin/topic"], { cwd: clone })).toBe(
      `${second}\n${second}`,
    );

    await git(["push", "--quiet", "origin", ":topic"]);
    expect(await refs()).toBe(`${second} commit\trefs/heads/main`);
  });

  it("pushes a pack in chunks when it is larger than the client's buffer", async () => {
    const id = await sandbox.commit(work, "large", { blob: randomBytes(2 * MIB) });
    const args = ["-c", "http.postBuffer=65536", "push", "origin", "main"];
    const { code, stderr } = await sandbox.run(args, { cwd: work, env: { GIT_CURL_VERBOSE: "1" } });
    expect(code).toBe(0);
    expect(stderr).toMatch(/Transfer-Encoding: chunked/i);
    expect(await refs()).toContain(id);
  });

  it("fetches with a request that is compressed", async () => {
    const numbers = Array.from({ length: 40 }, (_, number) => number);
    const commits = numbers.map(
      (n) => `commit refs/heads/b${n}\ncommitter Ada <ada@example.com> ${n} +0000\ndata 1\nx\n`,
    );
    await sandbox.git(["fast-import", "--quiet"], { cwd: bare, input: commits.join("") });
    const { code, stderr } = await sandbox.run(["fetch", "origin"], { cwd: work, env: { GIT_CURL_VERBOSE: "1" } });
    expect(code).toBe(0);
    expect(stderr).toMatch(/Content-Encoding: gzip/i);
    expect((await sandbox.git(["branch", "--remotes"], { cwd: work })).split("\n")).toHaveLength(40);
  });

  it("is told that a repository is not found", async () => {
    const { code, stderr } = await sandbox.run(["clone", `${gate.url}/team/other.git`]);
    expect(code).toBe(128);
    expect(stderr).toMatch(/remote: The repository team\/other is not on this server/);
    expect(stderr).toMatch(/repository '.*team\/other.git\/' not found/);
  });

  it("is told why upload-pack ended", async () => {
    const { code, stderr } = await sandbox.run(["fetch", "origin", "1".repeat(40)], { cwd: work });
    expect(code).toBe(128);
    expect(stderr).toMatch(/remote error: upload-pack: not our ref 1{40}/);
    expect(stderr).not.toMatch(/RPC failed/);
  });
});

describe("the sidecar's word", () => {
  const down = () =>
    Promise.reject(new LockstepError("DATABASE_UNAVAILABLE", "The database does not answer; try again."));

  it("reaches the terminal of a refused client, and nothing changes", async () => {
    await sandbox.commit(work, "first");
    beforeRead = down;
    const { code, stderr } = await sandbox.run(["push", "origin", "main"], { cwd: work });
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/^remote: The database does not answer; try again\.\nremote: Request [\w-]{36}$/m);
    expect(stderr).toMatch(/503/);
    expect(await refs()).toBe("");
    expect(await starts()).toBe(0);
  });

  it("is asked for every request, so that the second one of a push can still be refused", async () => {
    await sandbox.commit(work, "first");
    const asked: string[] = [];
    beforeRead = async (name) => {
      asked.push(name);
      if (asked.length === 2) await down();
    };
    const { code, stderr } = await sandbox.run(["push", "origin", "main"], { cwd: work });
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/HTTP 503/);
    expect(asked).toEqual(["team/app", "team/app"]);
    expect(await refs()).toBe("");
  });

  it.each([
    ["INVALID_NAME", 400, undefined],
    ["PERMISSION_DENIED", 403, undefined],
    ["REPOSITORY_NOT_FOUND", 404, undefined],
    ["REPLICA_IN_DOUBT", 503, undefined],
    ["NO_SOURCE", 503, "2"],
    ["QUEUE_FULL", 503, "1"],
    ["INTERNAL", 500, undefined],
  ] as const)("turns %s into %i", async (code, status, retryAfter) => {
    beforeRead = () => Promise.reject(new LockstepError(code, "The reason."));
    const answer = await fetchRaw("/team/app.git/info/refs?service=git-upload-pack", {
      headers: { "X-Request-Id": "abc-1" },
    });
    expect(answer).toMatchObject({ status, body: "The reason.\nRequest abc-1\n" });
    expect(answer.headers["retry-after"]).toBe(retryAfter);
    expect(answer.headers["x-request-id"]).toBe("abc-1");
  });

  it("stays in the log when it is not meant for people", async () => {
    beforeRead = () => Promise.reject(new Error("password=secret"));
    const answer = await fetchRaw("/team/app.git/info/refs?service=git-upload-pack");
    expect(answer.status).toBe(500);
    expect(answer.body).not.toContain("secret");
  });

  it("is no longer waited for when the client has left", async () => {
    const left = new Promise<void>((resolve) => {
      beforeRead = async (_, { signal }) => {
        client.destroy();
        await once(signal, "abort");
        resolve();
        signal.throwIfAborted();
      };
    });
    const client = open("/team/app.git/info/refs?service=git-upload-pack").on("error", () => {});
    client.end();
    await left;
    expect(await starts()).toBe(0);
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
    "team//app",
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
      const { status } = await fetchRaw(`/${name}.git/${end}`, { method, headers });
      expect(status).toBe(400);
    }
    expect(await starts()).toBe(0);
  });

  it.each([
    ["GET", "/team/app.git/info/refs", {}, 403],
    ["GET", "/team/app.git/info/refs?service=git-upload-archive", {}, 403],
    ["HEAD", "/team/app.git/info/refs?service=git-upload-pack", {}, 405],
    ["POST", "/team/app.git/info/refs?service=git-upload-pack", FETCH_TYPE, 405],
    ["GET", "/team/app.git/git-upload-pack", {}, 405],
    ["POST", "/team/app.git/git-upload-pack", {}, 415],
    ["POST", "/team/app.git/git-receive-pack", FETCH_TYPE, 415],
    ["POST", "/team/app.git/git-upload-pack", { ...FETCH_TYPE, "Content-Encoding": "br" }, 415],
    ["GET", "/team/app.git/HEAD", {}, 404],
    ["GET", "/", {}, 404],
  ] as const)("answers %s %s %o with %i", async (method, path, headers, status) => {
    const answer = await fetchRaw(path, { method, headers });
    expect(answer.status).toBe(status);
    expect(answer.headers["content-type"]).toBe("text/plain; charset=utf-8");
    expect(await starts()).toBe(0);
  });

  it.each([
    ["git-upload-pack", undefined, /^001e# service=git-upload-pack\n0000/],
    ["git-upload-pack", "version=1", /^001e# service=git-upload-pack\n0000000eversion 1\n/],
    ["git-upload-pack", "version=2", /^000eversion 2\n/],
    ["git-upload-pack", `version=2:${"x".repeat(300)}`, /^001e# service=git-upload-pack\n0000/],
    ["git-receive-pack", "version=2", /^001f# service=git-receive-pack\n0000/],
  ])("advertises %s to a client that asks for %s", async (service, protocol, start) => {
    const headers = protocol === undefined ? {} : { "Git-Protocol": protocol };
    const answer = await fetchRaw(`/team/app.git/info/refs?service=${service}`, { headers });
    expect(answer.status).toBe(200);
    expect(answer.headers["content-type"]).toBe(`application/x-${service}-advertisement`);
    expect(answer.headers["cache-control"]).toContain("no-cache");
    expect(answer.body).toMatch(start);
  });

  it.each(["git-upload-pack", "git-receive-pack"])("answers the probe of %s with nothing", async (service) => {
    const headers = { "Content-Type": `application/x-${service}-request` };
    const answer = await fetchRaw(`/team/app.git/${service}`, { method: "POST", headers }, "0000");
    expect(answer).toMatchObject({ status: 200, body: "" });
    expect(answer.headers["content-type"]).toBe(`application/x-${service}-result`);
  });

  it("answers 500 when git fails before it says anything", async () => {
    await mkdir(join(sandbox.dir, "root/hollow.git"));
    const answer = await fetchRaw("/hollow.git/info/refs?service=git-upload-pack");
    expect(answer.status).toBe(500);
    expect(answer.body).toMatch(/^git upload-pack failed on this server/);
  });

  it("answers 503 when git cannot be started", async () => {
    await using blind = await openGate({ env: { PATH: "/nowhere", HOME: sandbox.dir } });
    const answer = await fetch(`${blind.url}/team/app.git/info/refs?service=git-upload-pack`);
    expect(answer.status).toBe(503);
    expect(answer.headers.get("retry-after")).toBe("1");
  });

  it("serves a client that waits for 100 Continue, and the next request on the same connection", async () => {
    using agent = Object.assign(new Agent({ keepAlive: true, maxSockets: 1 }), {
      [Symbol.dispose]: () => agent.destroy(),
    });
    const id = await sandbox.commit(work, "first");
    const body = await pushBody("refs/heads/main", id);
    const headers = { ...PUSH_TYPE, Expect: "100-continue" };
    const request = open("/team/app.git/git-receive-pack", { method: "POST", headers, agent });
    request.flushHeaders();
    await once(request, "continue");
    request.end(body);
    const [response] = (await once(request, "response")) as [IncomingMessage];
    expect(await text(response)).toContain("ok refs/heads/main");
    const next = open("/team/app.git/info/refs?service=git-upload-pack", { agent });
    const [advertised] = (await once(next.end(), "response")) as [IncomingMessage];
    expect(await text(advertised)).toContain(id);
    expect(next.reusedSocket).toBe(true);
  });

  it("gives hooks a clean environment", async () => {
    await hook("pre-receive", `env > '${sandbox.dir}/env'`);
    const id = await sandbox.commit(work, "first");
    const headers = { ...PUSH_TYPE, "X-Request-Id": "abc-2" };
    await fetchRaw(
      "/team/app.git/git-receive-pack",
      { method: "POST", headers },
      await pushBody("refs/heads/main", id),
    );
    const lines = (await readFile(join(sandbox.dir, "env"), "utf8")).split("\n");
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

describe("a push that breaks off", () => {
  const push = (headers: Record<string, string> = {}) =>
    open("/team/app.git/git-receive-pack", { method: "POST", headers: { ...PUSH_TYPE, ...headers } }).on(
      "error",
      () => {},
    );

  it("leaves no git process, no quarantine and no ref", async () => {
    const id = await sandbox.commit(work, "large", { blob: randomBytes(MIB) });
    const client = push();
    client.write((await pushBody("refs/heads/main", id)).subarray(0, MIB / 2));
    await untilGitRuns();
    client.destroy();
    await untilNoGitRuns();
    expect(await refs()).toBe("");
    expect(await sandbox.git(["count-objects", "-v"], { cwd: bare })).toMatch(/^count: 0\n[\s\S]*garbage: 0\n/);
  });

  it("does not happen when only the end of the request is missing", async () => {
    const id = await sandbox.commit(work, "first");
    const client = push();
    client.write(await pushBody("refs/heads/main", id));
    await untilGitRuns();
    client.destroy();
    await untilNoGitRuns();
    expect(await refs()).toBe("");
  });

  it.each([
    ["a wrong checksum", (zipped: Buffer) => zipped.fill(0, zipped.length - 8)],
    ["a missing end", (zipped: Buffer) => zipped.subarray(0, -9)],
    ["no gzip at all", () => Buffer.from("0000")],
  ])("does not happen when its compressed body has %s", async (_, damage) => {
    const id = await sandbox.commit(work, "first", { blob: randomBytes(MIB) });
    const body = damage(gzipSync(await pushBody("refs/heads/main", id)));
    const headers = { ...PUSH_TYPE, "Content-Encoding": "gzip" };
    const answer = await fetchRaw("/team/app.git/git-receive-pack", { method: "POST", headers }, body);
    expect(answer.status).toBe(400);
    await untilNoGitRuns();
    expect(await refs()).toBe("");
  });

  it("lands when its compressed body is whole", async () => {
    const id = await sandbox.commit(work, "first");
    const body = gzipSync(await pushBody("refs/heads/main", id));
    const headers = { ...PUSH_TYPE, "Content-Encoding": "x-gzip" };
    const answer = await fetchRaw("/team/app.git/git-receive-pack", { method: "POST", headers }, body);
    expect(answer.body).toContain("ok refs/heads/main");
  });

  it("goes on to its post-receive hook when the client leaves after sending everything", async () => {
    const [waiting, go, done] = ["waiting", "go", "done"].map((name) => join(sandbox.dir, name)) as [
      string,
      string,
      string,
    ];
    await hook("pre-receive", `touch '${waiting}'; while [ ! -e '${go}' ]; do sleep 0.05; done`);
    await hook("post-receive", `echo a word to the one who left; touch '${done}'`);
    const id = await sandbox.commit(work, "first");
    const left = new Promise((resolve) => {
      beforeRead = async (_, { signal }) => signal.addEventListener("abort", resolve);
    });
    const client = push();
    client.end(await pushBody("refs/heads/main", id));
    await untilExists(waiting);
    client.destroy();
    await left;
    await writeFile(go, "");
    await untilExists(done);
    expect(await refs()).toContain(id);
    await untilNoGitRuns();
  });

  it("is an error to the client when receive-pack is killed, and is not sent twice", async () => {
    await hook("pre-receive", `echo once >> '${sandbox.dir}/runs'; kill -9 $PPID`);
    await sandbox.commit(work, "first");
    const { code, stderr } = await sandbox.run(["push", "origin", "main"], { cwd: work });
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/hung up unexpectedly|unexpected disconnect/);
    expect(stderr).not.toMatch(/->/);
    expect(await readFile(join(sandbox.dir, "runs"), "utf8")).toBe("once\n");
    expect(await refs()).toBe("");
  });

  it("ends in a hang-up, also after output, when receive-pack is killed", async () => {
    await hook("pre-receive", "echo a word to the client >&2; sleep 0.2; kill -9 $PPID");
    const id = await sandbox.commit(work, "first");
    const client = push().end(await pushBody("refs/heads/main", id));
    const [response] = (await once(client, "response")) as [IncomingMessage];
    await expect(text(response)).rejects.toThrow("aborted");
  });
});

describe("a clone", () => {
  async function clone(): Promise<[ClientRequest, IncomingMessage]> {
    const want = `0032want ${await sandbox.git(["rev-parse", "main"], { cwd: work })}\n00000009done\n`;
    const client = open("/team/app.git/git-upload-pack", { method: "POST", headers: FETCH_TYPE });
    client.on("error", () => {}).end(want);
    return [client, ...((await once(client, "response")) as [IncomingMessage])];
  }

  it("that the client leaves takes upload-pack with it", async () => {
    await sandbox.commit(work, "first");
    await sandbox.git(["push", "--quiet", "origin", "main"], { cwd: work });
    await script(join(sandbox.dir, "pack-slowly"), "exec sleep 60");
    await sandbox.git(["config", "--global", "uploadpack.packObjectsHook", join(sandbox.dir, "pack-slowly")]);
    const [client] = await clone();
    await untilGitRuns();
    client.destroy();
    await untilNoGitRuns();
  });

  it("and a push of 300 MiB fit in little memory, however slow the other side", { timeout: 60_000 }, async () => {
    // Made by another process: this one's memory is what is measured.
    await promisify(execFile)("sh", ["-c", "head -c 300M /dev/urandom | split -b 10M"], { cwd: work });
    // Nothing that costs git time: no compression, no search for deltas.
    await sandbox.git(["config", "--global", "core.compression", "0"]);
    await sandbox.git(["config", "--global", "core.bigFileThreshold", "1m"]);
    await sandbox.git(["config", "--global", "receive.unpackLimit", "1"]);
    await sandbox.commit(work, "300 MiB");
    const before = process.memoryUsage().rss;
    let peak = before;
    const watch = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().rss);
    }, 20);

    await script(join(sandbox.dir, "bin/git"), `sleep 1; exec '${realGit}' "$@"`);
    await sandbox.git(["push", "--quiet", "origin", "main"], { cwd: work });
    const [, response] = await clone();
    await sleep(1_000);
    let bytes = 0;
    for await (const chunk of response) bytes += (chunk as Buffer).length;
    clearInterval(watch);
    expect(bytes).toBeGreaterThan(300 * MIB);
    expect((peak - before) / MIB).toBeLessThan(150);
  });
});

describe("disposing of the gate", () => {
  it("lets a running push finish", async () => {
    const [waiting, go] = [join(sandbox.dir, "waiting"), join(sandbox.dir, "go")];
    await hook("pre-receive", `touch '${waiting}'; while [ ! -e '${go}' ]; do sleep 0.05; done`);
    const id = await sandbox.commit(work, "first");
    const push = sandbox.run(["push", "origin", "main"], { cwd: work });
    await untilExists(waiting);
    const disposed = gate[Symbol.asyncDispose]();
    await expect(fetch(gate.url)).rejects.toThrow();
    await writeFile(go, "");
    expect((await push).code).toBe(0);
    await disposed;
    expect(await refs()).toContain(id);
  });

  it("ends what does not finish in time, be it deaf to SIGTERM", async () => {
    await script(join(sandbox.dir, "bin/git"), "trap '' TERM; while :; do sleep 0.1; done");
    await using hasty = await openGate({ graceMs: 50 });
    const headers = PUSH_TYPE;
    const answer = fetch(`${hasty.url}/team/app.git/git-receive-pack`, { method: "POST", headers, body: "0000" });
    await untilGitRuns();
    await hasty[Symbol.asyncDispose]();
    expect(await processesAt(bare)).toEqual([]);
    await expect(answer.then((response) => response.text())).rejects.toThrow();
  });
});
