// Errors in their place: what git's own HTTP server answers to odd requests, and where people read why they are refused.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LockstepError } from "../../src/errors.ts";
import { FETCH_TYPE, GateSite, GRANT, PUSH_TYPE } from "../support/gate-site.ts";
import { backend } from "../support/plain-git-server.ts";

let site: GateSite;
let tip: string;
beforeEach(async () => {
  site = await GateSite.make();
  tip = await site.sandbox.commit(site.work, "first", { file: "content" });
  await site.sandbox.git(["push", "--quiet", "origin", "main"], { cwd: site.work });
});
afterEach(async () => await site[Symbol.asyncDispose]());

const line = (text: string) => (text.length + 4).toString(16).padStart(4, "0") + text;
const NEVER = 4_102_444_800;
const ZERO = "0".repeat(40);
const V1 = { ...FETCH_TYPE, "Git-Protocol": "version=1" };
const V2 = { ...FETCH_TYPE, "Git-Protocol": "version=2" };
const UPLOAD = "/team/app.git/git-upload-pack";
const RECEIVE = "/team/app.git/git-receive-pack";
const REFS = "/team/app.git/info/refs";
const shallow = () => `${line(`want ${tip} deepen-since ofs-delta\n`)}${line(`deepen-since ${NEVER}\n`)}00000009done\n`;
const fetch2 = (...args: string[]) =>
  `${line("command=fetch\n")}0001${args.map((each) => line(`${each}\n`)).join("")}0000`;

/** The same repositories behind git http-backend. */
async function stock(): Promise<{ url: string } & AsyncDisposable> {
  const server = createServer((request, response) => backend(join(site.sandbox.dir, "root"), request, response));
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe("a request that git does not like", () => {
  it.each<[string, string, string, Record<string, string>, () => string]>([
    ["a shallow fetch of nothing, version 0", "POST", UPLOAD, FETCH_TYPE, shallow],
    ["a shallow fetch of nothing, version 1", "POST", UPLOAD, V1, shallow],
    [
      "a shallow fetch of nothing, version 2",
      "POST",
      UPLOAD,
      V2,
      () => fetch2(`want ${tip}`, `deepen-since ${NEVER}`, "done"),
    ],
    ["a command that is none", "POST", UPLOAD, V2, () => `${line("command=sing\n")}0000`],
    [
      "an object that is not there, version 0",
      "POST",
      UPLOAD,
      FETCH_TYPE,
      () => `${line(`want ${"1".repeat(40)}\n`)}00000009done\n`,
    ],
    ["an object that is not there, version 2", "POST", UPLOAD, V2, () => fetch2(`want ${"1".repeat(40)}`, "done")],
    ["an argument that is none", "POST", UPLOAD, V2, () => fetch2("sing")],
    [
      "a filter that is not allowed",
      "POST",
      UPLOAD,
      FETCH_TYPE,
      () => `${line(`want ${tip} filter\n`)}${line("filter sing\n")}00000009done\n`,
    ],
    ["no packets", "POST", UPLOAD, FETCH_TYPE, () => "zzzz"],
    ["no packets, version 2", "POST", UPLOAD, V2, () => "zzzz"],
    ["an end in the middle of a packet", "POST", UPLOAD, FETCH_TYPE, () => "0032want 1"],
    ["a push of no packets", "POST", RECEIVE, PUSH_TYPE, () => "zzzz"],
    [
      "a push that ends after its commands",
      "POST",
      RECEIVE,
      PUSH_TYPE,
      () => `${line(`${ZERO} ${tip} refs/heads/x\0report-status`)}`,
    ],
    [
      "a push of another object format",
      "POST",
      RECEIVE,
      PUSH_TYPE,
      () => `${line(`${ZERO} ${tip} refs/heads/x\0report-status object-format=sha256`)}0000`,
    ],
    ["a probe", "POST", UPLOAD, FETCH_TYPE, () => "0000"],
    ["HEAD", "HEAD", `${REFS}?service=git-upload-pack`, {}, () => ""],
    ["HEAD of a push", "HEAD", `${REFS}?service=git-receive-pack`, {}, () => ""],
    ["a wrong method", "POST", `${REFS}?service=git-upload-pack`, {}, () => ""],
    ["a wrong method for a service", "GET", UPLOAD, {}, () => ""],
    ["an unknown service", "GET", `${REFS}?service=git-sing`, {}, () => ""],
    ["a service without git-", "GET", `${REFS}?service=upload-pack`, {}, () => ""],
    ["a wrong type", "POST", UPLOAD, PUSH_TYPE, () => "0000"],
    ["no type", "POST", UPLOAD, {}, () => "0000"],
    [
      "a type with parameters",
      "POST",
      UPLOAD,
      { "Content-Type": `${FETCH_TYPE["Content-Type"]}; charset=utf-8` },
      () => "0000",
    ],
    ["a repository that is not there", "GET", "/team/none.git/info/refs?service=git-upload-pack", {}, () => ""],
    ["a fetch of a repository that is not there", "POST", "/team/none.git/git-upload-pack", FETCH_TYPE, () => "0000"],
    ["a push to a repository that is not there", "POST", "/team/none.git/git-receive-pack", PUSH_TYPE, () => "0000"],
  ])("is answered as git http-backend does: %s", async (_what, method, path, headers, body) => {
    await site.sandbox.git(["config", "http.receivepack", "true"], { cwd: site.bare });
    await using other = await stock();
    const ours = await ask(site.gate.url, method, path, headers, body());
    const theirs = await ask(other.url, method, path, headers, body());
    // Our sentences differ from git's, and where git says nothing readable of itself there is none.
    if (theirs.status >= 400) expect(ours.status).toBe(theirs.status);
    else expect(ours).toEqual(theirs);
  });

  it.each(["0", "1", "2"])("shows git's user the same as with git http-backend, version %s", async (version) => {
    await using other = await stock();
    const cloneFrom = async (url: string, into: string) => {
      const args = ["-c", `protocol.version=${version}`, "clone", "--bare", `--shallow-since=@${NEVER} +0000`];
      const { code, stderr } = await site.sandbox.run([...args, `${url}/team/app.git`, into]);
      return { code, stderr: stderr.replaceAll(into, "CLONE") };
    };
    const ours = await cloneFrom(site.gate.url, "one");
    expect(ours.code).toBe(128);
    expect(ours).toEqual(await cloneFrom(other.url, "two"));
  });
});

async function ask(url: string, method: string, path: string, headers: Record<string, string>, body: string) {
  const answer = await fetch(`${url}${path}`, { method, headers, ...(method === "POST" ? { body } : {}) });
  return { status: answer.status, type: answer.headers.get("content-type"), body: await answer.text() };
}

describe("an address", () => {
  it("the address of a repository may end with a slash", async () => {
    const url = `${site.gate.url}/team/app.git/`;
    expect(await site.sandbox.git(["ls-remote", url])).toContain(tip);
    await site.sandbox.git(["push", "--quiet", url, "main:topic"], { cwd: site.work });
    expect(await site.refs()).toContain("refs/heads/topic");
  });

  it.each(["//team/app.git", "/team//app.git", "///team/app.git", "/team/app.git//", "/team/app.git.git"])(
    "has the exact name of a repository: %s is refused",
    async (path) => {
      const { status, body } = await site.fetchRaw(`${path}/info/refs?service=git-upload-pack`);
      expect(status).toBe(400);
      expect(body).toMatch(/^The repository name ".+" has a part .+; use words like team\/app\.\n/);
      const pushed = await site.sandbox.run(["push", `${site.gate.url}${path}`, "main:topic"], { cwd: site.work });
      expect(pushed.code).not.toBe(0);
      expect(await site.refs()).not.toContain("refs/heads/topic");
    },
  );

  it("may name the host once more, as proxies do", async () => {
    const { status, body } = await site.fetchRaw(`http://elsewhere:1${REFS}?service=git-upload-pack`);
    expect(status).toBe(200);
    expect(body).toContain(tip);
  });

  it.each(["team/./app", "//..//team/app", "team%2F%2Fapp", "/team/app.git//objects"])(
    "is none with dots: %s",
    async (name) => {
      const { status } = await site.fetchRaw(`/${name}.git/info/refs?service=git-upload-pack`);
      expect(status).toBe(400);
    },
  );
});

describe("a refusal of the second request", () => {
  const SENTENCE = "The database does not answer; try again.";
  const refuse = (from: number) => {
    let asked = 0;
    site.beforeRead = async () => {
      asked += 1;
      if (asked >= from) throw new LockstepError("DATABASE_UNAVAILABLE", SENTENCE);
      return GRANT;
    };
  };

  it.each([
    ["a small push", []],
    ["a push in chunks, with a probe before it", ["-c", "http.postBuffer=1000"]],
    ["an atomic push", []],
  ])("a refusal of the second request of %s is told for each ref", async (what, settings) => {
    await site.sandbox.commit(site.work, "second", { large: Buffer.alloc(300_000, Math.random().toString()) });
    refuse(2);
    const args = [
      ...settings,
      "push",
      ...(what.includes("atomic") ? ["--atomic"] : []),
      "origin",
      "main",
      "main:other",
      ":gone",
    ];
    await site.sandbox.git(["update-ref", "refs/heads/gone", tip], { cwd: site.bare });
    const { code, stderr } = await site.sandbox.run(args, { cwd: site.work });
    expect(code).toBe(1);
    for (const ref of ["main -> main", "main -> other", "gone"])
      expect(stderr).toContain(` ! [remote rejected] ${ref} (${SENTENCE})`);
    expect(stderr).toMatch(/^remote: Request [\w-]{36}\s*$/m);
    expect(stderr).not.toMatch(/RPC failed|HTTP 503|Everything up-to-date/);
    expect(await site.refs()).toContain(`${tip} commit\trefs/heads/main`);
    await site.untilNoGitRuns();
  });

  it("leaves the connection fit for the next request", async () => {
    refuse(2);
    await site.sandbox.commit(site.work, "second");
    expect((await site.sandbox.run(["push", "origin", "main"], { cwd: site.work })).code).toBe(1);
    site.beforeRead = async () => GRANT;
    expect((await site.sandbox.run(["push", "origin", "main"], { cwd: site.work })).code).toBe(0);
  });

  it.each([
    [
      "with side-band-64k",
      " report-status side-band-64k",
      /^....<2>The database.*<1>[0-9a-f]{4}unpack refused\n[0-9a-f]{4}ng refs\/heads\/x The database.*0000$/s,
    ],
    ["with side-band", " report-status side-band", /^....<2>The database.*<1>[0-9a-f]{4}unpack refused\n/s],
    [
      "without side band",
      " report-status",
      /^0013unpack refused\n[0-9a-f]{4}ng refs\/heads\/x The database does not answer; try again\.\n0000$/,
    ],
    [
      "with report-status-v2",
      " report-status-v2 side-band-64k",
      /unpack refused\n[0-9a-f]{4}ng refs\/heads\/x The database/,
    ],
  ])("is a report %s", async (_what, capabilities, expected) => {
    refuse(1);
    const body = `${line(`${ZERO} ${tip} refs/heads/x\0${capabilities}`)}0000PACK`;
    for (const [encoded, headers] of [
      [body, PUSH_TYPE],
      [gzipSync(body), { ...PUSH_TYPE, "Content-Encoding": "gzip" }],
    ] as const) {
      const answer = await site.fetchRaw(RECEIVE, { method: "POST", headers }, encoded);
      expect(answer.status).toBe(200);
      expect(answer.headers["content-type"]).toBe("application/x-git-receive-pack-result");
      const shown = answer.body.replaceAll("\x01", "<1>").replaceAll("\x02", "<2>");
      expect(shown).toMatch(expected);
    }
  });

  it("a refusal of the second request of a push of 3,000 refs is told for each of them", async () => {
    refuse(2);
    const refspecs = Array.from({ length: 3_000 }, (_, n) => `main:refs/heads/topic/with-a-name-of-some-length/${n}`);
    const { code, stderr } = await site.sandbox.run(["push", "origin", ...refspecs], { cwd: site.work });
    expect(code).toBe(1);
    expect(stderr.match(/! \[remote rejected\]/g)).toHaveLength(3_000);
  });

  it.each([
    ["no report was asked for", () => `${line(`${ZERO} ${tip} refs/heads/x\0 side-band-64k`)}0000PACK`],
    ["the body is none of git's", () => "zzzz"],
    ["the body ends before the commands do", () => line(`${ZERO} ${tip} refs/heads/x\0 report-status`)],
  ])("is an HTTP status where %s", async (_what, body) => {
    refuse(1);
    const answer = await site.fetchRaw(RECEIVE, { method: "POST", headers: PUSH_TYPE }, body());
    expect(answer.status).toBe(503);
    expect(answer.headers["retry-after"]).toBe("1");
    expect(answer.body).toContain(SENTENCE);
  });

  it.each(["0", "1", "2"])(
    "a refusal of the second request of a fetch is told as git's own error, version %s",
    async (version) => {
      const second = await site.sandbox.commit(site.work, "second");
      await site.sandbox.git(["push", "--quiet", "origin", "main"], { cwd: site.work });
      await site.sandbox.git(["init", "--quiet", "--bare", "clone.git"]);
      refuse(2);
      const args = ["-c", `protocol.version=${version}`, "fetch", site.gate.url.concat("/team/app.git"), second];
      const { code, stderr } = await site.sandbox.run(args, { cwd: join(site.sandbox.dir, "clone.git") });
      expect(code).toBe(128);
      expect(stderr).toMatch(/^fatal: remote error: The database does not answer; try again\. \(request [\w-]{36}\)$/m);
      expect(stderr).not.toMatch(/RPC failed|HTTP 503/);
    },
  );
});
