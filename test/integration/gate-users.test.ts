// Who may read and push through the gate: anonymous clients, users of a file, users whom another server knows.
import { createHash } from "node:crypto";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Htpasswd, matches } from "../../src/gate/users/htpasswd.ts";
import { FETCH_TYPE, PUSH_TYPE } from "../support/gate-site.ts";
import { basic, lines, makeGateWithUsers, NOBODY, open, READERS, REFS, site } from "../support/gate-with-users.ts";

makeGateWithUsers();

const sha = (password: string) => `{SHA}${createHash("sha1").update(password).digest("base64")}`;

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
