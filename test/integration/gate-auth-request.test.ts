// The gate asks another server who a user is, and what that user may do.
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { AuthRequest } from "../../src/gate/users/auth-request.ts";
import { PUSH_TYPE } from "../support/gate-site.ts";
import { basic, lines, makeGateWithUsers, NOBODY, open, READERS, REFS, site } from "../support/gate-with-users.ts";
import { SOON } from "../support/soon.ts";

makeGateWithUsers();

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

  it("cannot name the repository, the request or a user to that server", async () => {
    answer = () => ({ status: 200 });
    await ask("/");
    const posing = [
      ...[
        "X_Lockstep_Repository",
        "X_Lockstep_Access",
        "X_Real_IP",
        "X_Original_URI",
        "Remote_User",
        "X_Forwarded_For",
      ],
      ...["X-Forwarded-Uri", "X-Forwarded-Method", "X-Forwarded-Host", "X-Lockstep-User", "X-Original-Host"],
    ];
    const headers = { ...Object.fromEntries(posing.map((name) => [name, "posing"])), "X-Other": "kept" };
    expect((await site.fetchRaw(`${REFS}upload-pack`, { headers })).status).toBe(200);
    expect(Object.entries(asked[0]!.headers).filter(([, value]) => value === "posing")).toEqual([]);
    expect(asked[0]!.headers).toMatchObject({ "x-other": "kept", "x-lockstep-repository": "team/app" });
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
    await vi.waitFor(() => expect(asked).toHaveLength(1), SOON);
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
