// Who may read and push through the gate: anonymous clients, users of a file, users whom another server knows.
import { createHash } from "node:crypto";
import { once } from "node:events";
import { rename, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { AuthRequest } from "../../src/gate/users/auth-request.ts";
import { Htpasswd, matches } from "../../src/gate/users/htpasswd.ts";
import type { UserRules } from "../../src/gate/users/users.ts";
import { FETCH_TYPE, GateSite, PUSH_TYPE } from "../support/gate-site.ts";

const NOBODY = { read: false, write: false };
const READERS = { read: true, write: false };
const sha = (password: string) => `{SHA}${createHash("sha1").update(password).digest("base64")}`;
const basic = (user: string, password: string) => ({
  Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`,
});
const REFS = "/team/app.git/info/refs?service=git-";

let site: GateSite;
let lines: { fields: Record<string, unknown>; message: string }[];
beforeEach(async () => {
  site = await GateSite.make();
  lines = [];
});
afterEach(async () => await site[Symbol.asyncDispose]());

/** Replaces the gate by one with these rules. */
async function open(users: UserRules): Promise<void> {
  await site.gate[Symbol.asyncDispose]();
  const note = (fields: Record<string, unknown>, message: string) => void lines.push({ fields, message });
  site.gate = await site.openGate({ users, log: { info: note, warn: note, error: note } });
}

async function withFile(content: string, anonymous = NOBODY): Promise<string> {
  const path = join(site.sandbox.dir, "users");
  await writeFile(path, content);
  await open({
    anonymous,
    sources: [await Htpasswd.read(path, { warn: (fields, message) => lines.push({ fields, message }) })],
  });
  return path;
}

const url = (user: string, password: string) => `${site.gate.url.replace("//", `//${user}:${password}@`)}/team/app.git`;

describe("users of a file", () => {
  it("push and clone with their password; the user's name is in the environment of hooks, in reflogs and in the log", async () => {
    await withFile(`# a comment\n\nada:${sha("secret")}\n`);
    await site.hook(
      "post-receive",
      `echo "$REMOTE_USER $GIT_COMMITTER_NAME $GIT_COMMITTER_EMAIL" > '${site.sandbox.dir}/who'`,
    );
    await site.sandbox.git(["config", "core.logAllRefUpdates", "always"], { cwd: site.bare });
    const id = await site.sandbox.commit(site.work, "first", { "a.txt": "a" });
    await site.sandbox.git(["push", "--quiet", url("ada", "secret"), "main"], { cwd: site.work });
    expect(await site.refs()).toContain(id);
    expect(await site.sandbox.git(["reflog", "show", "--format=%gn %ge", "main"], { cwd: site.bare })).toBe(
      "ada ada@http.127.0.0.1",
    );
    const clone = join(site.sandbox.dir, "clone");
    await site.sandbox.git(["clone", "--quiet", url("ada", "secret"), clone]);
    expect(lines.filter(({ fields }) => fields.user === "ada")).not.toEqual([]);
    expect(JSON.stringify(lines)).not.toContain("secret");
  });

  it.each<[string, Record<string, string>]>([
    ["no password", {}],
    ["a wrong password", basic("ada", "wrong")],
    ["an empty password", basic("ada", "")],
    ["an unknown name", basic("eve", "secret")],
    ["another scheme", { Authorization: "Bearer secret" }],
    ["what is no base64", { Authorization: "Basic !!!" }],
    ["no colon", { Authorization: `Basic ${Buffer.from("ada").toString("base64")}` }],
    ["an empty name", basic("", "secret")],
  ])("are asked for their password when the request has %s, and no git is started", async (_, headers) => {
    await withFile(`ada:${sha("secret")}\n`);
    for (const service of ["upload-pack", "receive-pack"]) {
      const answer = await site.fetchRaw(`${REFS}${service}`, { headers });
      expect(answer.status).toBe(401);
      expect(answer.headers["www-authenticate"]).toMatch(/^Basic realm=/);
      const type = service === "upload-pack" ? FETCH_TYPE : PUSH_TYPE;
      const post = { method: "POST", headers: { ...headers, ...type } };
      expect((await site.fetchRaw(`/team/app.git/git-${service}`, post, "0000")).status).toBe(401);
    }
    expect((await site.fetchRaw("/no/such.git/info/refs?service=git-upload-pack", { headers })).status).toBe(401);
    expect(await site.starts()).toBe(0);
  });

  it("push where everybody may read", async () => {
    await withFile(`ada:${sha("secret")}\n`, READERS);
    expect((await site.fetchRaw(`${REFS}upload-pack`)).status).toBe(200);
    expect((await site.fetchRaw(`${REFS}receive-pack`)).status).toBe(401);
    expect((await site.fetchRaw(`${REFS}receive-pack`, { headers: basic("ada", "secret") })).status).toBe(200);
    // A wrong password is no anonymous client.
    expect((await site.fetchRaw(`${REFS}upload-pack`, { headers: basic("ada", "wrong") })).status).toBe(401);
  });

  // `htpasswd -nbB` and `openssl passwd -apr1` made the first two.
  it.each([
    ["bcrypt", "$2y$05$UuWA5WVy6qiKZ2EiCE28ceD7btwYOZfYiOJ2HHGxcJdQ1mV5n5xtq"],
    ["MD5 of Apache", "$apr1$saltsalt$553eXAj/BD3irf9w9nutz/"],
    ["SHA-1", sha("pässword")],
  ])("may have a hash of %s", async (_, hash) => {
    expect(await matches(Buffer.from("pässword"), hash)).toBe(true);
    expect(await matches(Buffer.from("password"), hash)).toBe(false);
    await withFile(`ada:${hash}\n`);
    for (let time = 0; time < 2; time += 1)
      expect((await site.fetchRaw(`${REFS}upload-pack`, { headers: basic("ada", "pässword") })).status).toBe(200);
  });

  it("change with the file; a file with a wrong line is reported, and the old users stay", async () => {
    const path = await withFile(`ada:${sha("secret")}\n`);
    const status = async (user: string, password: string) =>
      (await site.fetchRaw(`${REFS}upload-pack`, { headers: basic(user, password) })).status;
    expect(await status("ada", "secret")).toBe(200);
    await writeFile(`${path}.new`, `ada:${sha("other")}\nbob:${sha("b")}\n`);
    await rename(`${path}.new`, path);
    expect([await status("ada", "secret"), await status("ada", "other"), await status("bob", "b")]).toEqual([
      401, 200, 200,
    ]);
    await writeFile(`${path}.new`, "ada:$6$salt$unknownkind\n");
    await rename(`${path}.new`, path);
    expect(await status("ada", "other")).toBe(200);
    expect(lines.find(({ message }) => message.includes("is not used"))?.fields.err).toMatch(/Line 1 .*htpasswd -B/);
  });

  it("a file of users that is missing or has another form keeps the gate from starting", async () => {
    const log = { warn: () => {} };
    await expect(Htpasswd.read("/nowhere/users", log)).rejects.toMatchObject({ code: "USAGE" });
    const path = join(site.sandbox.dir, "users");
    for (const line of ["ada", "ada:secret", ":x", "ada:$1$old$hash"]) {
      await writeFile(path, `${line}\n`);
      await expect(Htpasswd.read(path, log)).rejects.toMatchObject({
        code: "USAGE",
        message: expect.stringContaining("Line 1"),
      });
    }
  });
});

describe("users whom another server knows", () => {
  let server: Server;
  let asked: IncomingMessage[];
  let answer: (request: IncomingMessage) => { status: number; headers?: Record<string, string> } | undefined;
  beforeEach(async () => {
    asked = [];
    server = createServer((request, response) => {
      asked.push(request);
      const given = answer(request);
      if (given) response.writeHead(given.status, given.headers).end("a body");
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  });
  const at = (path: string) => `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
  const ask = async (path: string, anonymous = NOBODY) =>
    await open({ anonymous, sources: [new AuthRequest(at(path), anonymous)] });

  it("are asked about with the request's headers, for reading and pushing apart, before git is started", async () => {
    answer = () => ({ status: 200, headers: { "X-Auth-Request-User": "ada" } });
    await ask("/check/{repository}?{access}&{service}");
    const headers = { ...basic("x", "y"), Cookie: "session=1", "X-Forwarded-For": "192.0.2.7", "Remote-User": "root" };
    expect((await site.fetchRaw(`${REFS}upload-pack`, { headers })).status).toBe(200);
    const post = { method: "POST", headers: { ...headers, ...PUSH_TYPE } };
    await site.fetchRaw("/team/app.git/git-receive-pack", post, "0000");
    expect(asked.map(({ method, url }) => `${method} ${url}`)).toEqual([
      "GET /check/team/app?read&git-upload-pack",
      "GET /check/team/app?write&git-receive-pack",
    ]);
    expect(asked[1]!.headers).toMatchObject({
      authorization: basic("x", "y").Authorization,
      cookie: "session=1",
      "x-forwarded-for": "192.0.2.7, 127.0.0.1",
      "x-original-uri": "/team/app.git/git-receive-pack",
      "x-original-method": "POST",
      "x-lockstep-repository": "team/app",
      "x-lockstep-access": "write",
    });
    expect(asked[1]!.headers).not.toHaveProperty("remote-user");
    expect(asked[1]!.headers).not.toHaveProperty("content-type");
    expect(lines.map(({ fields }) => fields.user)).toEqual(["ada", "ada"]);
  });

  it("have the name of their password if the answer names nobody", async () => {
    answer = () => ({ status: 204 });
    await ask("/");
    await site.fetchRaw(`${REFS}upload-pack`, { headers: basic("bob", "b") });
    await site.fetchRaw(`${REFS}upload-pack`);
    expect(lines.map(({ fields }) => fields.user)).toEqual(["bob", "anonymous@127.0.0.1"]);
  });

  it.each<[number, Record<string, string>, number, RegExp]>([
    [401, {}, 401, /name and password/],
    [401, { "WWW-Authenticate": 'Bearer realm="x"' }, 401, /name and password/],
    [403, {}, 403, /You may not push to team\/app/],
    [404, {}, 404, /There is no repository team\/app, or/],
    [302, { Location: "/login" }, 503, /answered 302/],
    [500, {}, 503, /answered 500/],
  ])("are refused when the answer is %i", async (status, headers, expected, sentence) => {
    answer = () => ({ status, headers });
    await ask("/");
    const refused = await site.fetchRaw(`${REFS}receive-pack`);
    expect(refused.status).toBe(expected);
    expect(refused.body).toMatch(sentence);
    if (expected === 401) expect(refused.headers["www-authenticate"]).toMatch(/^(Basic|Bearer) realm/);
    expect(await site.starts()).toBe(0);
  });

  it("are refused while that server is away, and a client that leaves ends the question", async () => {
    answer = () => undefined;
    await ask("/");
    const request = site.open(`${REFS}upload-pack`);
    request.on("error", () => {});
    request.end();
    await vi.waitFor(() => expect(asked).toHaveLength(1));
    const ended = once(asked[0]!.socket, "close");
    request.destroy();
    await ended;
    await new Promise((done) => {
      server.close(done);
      server.closeAllConnections();
    });
    const refused = await site.fetchRaw(`${REFS}upload-pack`);
    expect(refused.status).toBe(503);
    expect(refused.body).toMatch(/cannot be reached; nothing was read or written, try again/);
    expect(await site.starts()).toBe(0);
    server.listen(0);
  });

  it("are not asked about for what everybody may do, unless they bring a name", async () => {
    answer = () => ({ status: 200 });
    await ask("/", READERS);
    expect((await site.fetchRaw(`${REFS}upload-pack`)).status).toBe(200);
    expect(asked).toEqual([]);
    await site.fetchRaw(`${REFS}upload-pack`, { headers: basic("bob", "b") });
    await site.fetchRaw(`${REFS}receive-pack`);
    expect(asked).toHaveLength(2);
  });

  it("a user of another server with control characters in the name is refused", async () => {
    answer = () => ({ status: 200, headers: { "Remote-User": Buffer.from("a\u0085b").toString("latin1") } });
    await ask("/");
    expect((await site.fetchRaw(`${REFS}upload-pack`)).status).toBe(403);
  });
});

describe("anonymous clients", () => {
  it.each<[keyof typeof READERS, string, string]>([
    ["read", "upload-pack", "receive-pack"],
    ["write", "receive-pack", "upload-pack"],
  ])("may only %s where only that is open", async (access, service, other) => {
    await open({ anonymous: { ...NOBODY, [access]: true }, sources: [] });
    expect((await site.fetchRaw(`${REFS}${service}`)).status).toBe(200);
    const refused = await site.fetchRaw(`${REFS}${other}`);
    expect(refused.status).toBe(403);
    expect(refused.body).toMatch(/nobody (read|push) without a name, and knows no names/);
  });

  it("are told in git's protocol why their push is refused", async () => {
    await open({ anonymous: READERS, sources: [] });
    await site.sandbox.commit(site.work, "first", { "a.txt": "a" });
    const { code, stderr } = await site.sandbox.run(["push", `${site.gate.url}/team/app.git`, "main"], {
      cwd: site.work,
    });
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/lets nobody push without a name/);
  });
});
