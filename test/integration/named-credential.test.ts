import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { gitCommand } from "../../src/git/command/build.ts";
import type { NamedHttps } from "../../src/git/command/credentials.ts";
import { type NamedFile, namedKey, readNamed } from "../../src/git/named-credential.ts";
import { finished, runCommand } from "../../src/git/process.ts";
import { authorityIn } from "../support/git-port.ts";

const ID = "12".repeat(20);
const line = (text: string) => `${(text.length + 4).toString(16).padStart(4, "0")}${text}`;
const REFS = `${line("# service=git-upload-pack\n")}0000${line(`${ID} refs/heads/main\0\n`)}0000`;

let dir: string;
let server: Server;
let address: string;
let seen: (string | undefined)[];
let answer: { status: number; headers?: Record<string, string> };

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "lockstep-named-"));
  const authority = await authorityIn(dir);
  const files = await authority.issue("device", "repo001");
  server = createServer({ cert: await readFile(files.cert), key: await readFile(files.key) }, (request, response) => {
    seen.push(request.headers.authorization);
    const headers = { "Content-Type": "application/x-git-upload-pack-advertisement", ...answer.headers };
    response.writeHead(answer.status, headers).end(REFS);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  seen = [];
  answer = { status: 200 };
  await writeFile(join(dir, "ca-of-server"), await readFile(files.ca));
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(dir, { recursive: true });
});

async function secret(text: string): Promise<string> {
  await writeFile(join(dir, "secret"), text, { mode: 0o600 });
  return join(dir, "secret");
}

async function listRefs(credential: NamedHttps) {
  const programs = { path: process.env.PATH ?? "", home: dir, lockFd: null };
  const command = gitCommand(programs, {
    operation: { kind: "ls-remote", silentSeconds: 30 },
    repository: { gitDir: dir, name: "team/app.git" },
    transport: { transport: "https", to: "server", address, ca: join(dir, "ca-of-server") },
    credential,
  });
  const child = runCommand(programs, dir, command, {});
  let stdout = "";
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stdin.end();
  return { command, ...(await finished(child)), stdout };
}

describe("a named credential", () => {
  it.each<[NamedFile["kind"], string, string]>([
    ["basic", 'ada:it\'s a "secret"\n', `Basic ${Buffer.from('ada:it\'s a "secret"').toString("base64")}`],
    ["bearer", "abc.def-ghi\n", "Bearer abc.def-ghi"],
  ])(
    "a named credential of the kind %s reaches the server, and no argument, variable or message",
    async (kind, text, header) => {
      await using credential = await readNamed({ kind, file: await secret(text) }, address, dir);
      expect((await stat(credential.include)).mode & 0o777).toBe(0o600);
      const { command, exitCode, stdout, stderr } = await listRefs(credential);
      expect({ exitCode, stdout, stderr }).toMatchObject({ exitCode: 0, stdout: `${ID}\trefs/heads/main\n` });
      expect(seen).toEqual([header]);
      const shown = JSON.stringify(command) + stderr;
      for (const each of [text.trim(), header.split(" ")[1]!]) expect(shown).not.toContain(each);
    },
  );

  it("is read again at each use, and its file for git goes with it", async () => {
    const file = await secret("one");
    for (const token of ["one", "two"]) {
      await secret(token);
      await using credential = await readNamed({ kind: "bearer", file }, address, dir);
      await listRefs(credential);
    }
    expect(seen).toEqual(["Bearer one", "Bearer two"]);
    expect((await readdir(dir)).filter((name) => name.startsWith("credential-"))).toEqual([]);
  });

  it("a named credential that the server refuses asks nobody, and is not in the message", async () => {
    answer = { status: 401, headers: { "WWW-Authenticate": "Basic" } };
    await using credential = await readNamed({ kind: "bearer", file: await secret("abcdef") }, address, dir);
    const { exitCode, stderr } = await listRefs(credential);
    expect(exitCode).toBe(128);
    expect(stderr).toMatch(/terminal prompts disabled/);
    expect(stderr).not.toContain("abcdef");
  });

  it("follows no redirect, and no other server gets it", async () => {
    answer = { status: 302, headers: { Location: `https://localhost:${address.split(":")[1]}/other` } };
    await using credential = await readNamed({ kind: "bearer", file: await secret("abcdef") }, address, dir);
    expect(await listRefs(credential)).toMatchObject({ exitCode: 128 });
    expect(seen).toHaveLength(1);
  });

  it.each<[string, NamedFile["kind"], string, number, string]>([
    ["that others may read", "bearer", "abc", 0o644, "may be read by other users"],
    ["with a line feed in it", "bearer", "abc\nX-Evil: 1", 0o600, "is not one line"],
    ["without a user", "basic", "abc", 0o600, "is not one line user:password"],
    ["that is empty", "bearer", "", 0o600, "is not one line"],
  ])(
    "a named credential in a file %s is refused with its name, and nothing of its content",
    async (_, kind, text, mode, why) => {
      const file = await secret(text);
      await chmod(file, mode);
      const refused = expect(readNamed({ kind, file }, address, dir)).rejects;
      await refused.toMatchObject({ code: "PREREQUISITE_MISSING", message: expect.stringContaining(`${file} ${why}`) });
      if (text !== "") await refused.toMatchObject({ message: expect.not.stringContaining("abc") });
    },
  );

  it("a named credential for ssh is a file that nobody else may read", async () => {
    const identity = await secret("key");
    expect(await namedKey(identity)).toEqual({ credential: "named", identity });
    await chmod(identity, 0o640);
    await expect(namedKey(identity)).rejects.toMatchObject({ code: "PREREQUISITE_MISSING" });
    await expect(namedKey(join(dir, "none"))).rejects.toThrow("cannot be read (ENOENT)");
  });
});
