// To requests that git does not like, the gate answers as git's own HTTP server does.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { line, makeGateWithCommit, RECEIVE, REFS, site, tip, UPLOAD, ZERO } from "../support/gate-requests.ts";
import { FETCH_TYPE, PUSH_TYPE } from "../support/gate-site.ts";
import { backend } from "../support/plain-git-server.ts";

makeGateWithCommit();
const NEVER = 4_102_444_800;
const V1 = { ...FETCH_TYPE, "Git-Protocol": "version=1" };
const V2 = { ...FETCH_TYPE, "Git-Protocol": "version=2" };
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
