// What the gate tells of credentials that it refuses: who showed them, from where, and how. Never the password.
import { createHash } from "node:crypto";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { AuthRequest } from "../../src/gate/users/auth-request.ts";
import { Htpasswd } from "../../src/gate/users/htpasswd.ts";
import type { RefusedUser, UserSource } from "../../src/gate/users/users.ts";
import { readRanges } from "../../src/io/client-address.ts";
import { GateSite } from "../support/gate-site.ts";

const NOBODY = { read: false, write: false };
const READERS = { read: true, write: false };
const REFS = "/team/app.git/info/refs?service=git-";
const basic = (user: string, password: string) => ({
  Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`,
});

let site: GateSite;
let told: RefusedUser[];
beforeEach(async () => {
  site = await GateSite.make();
  told = [];
});
afterEach(async () => await site[Symbol.asyncDispose]());

async function open(source: UserSource, anonymous = NOBODY): Promise<void> {
  await site.gate[Symbol.asyncDispose]();
  const users = { anonymous, sources: [source] };
  const trustedProxies = readRanges("127.0.0.1");
  site.gate = await site.openGate({ users, trustedProxies, onRefused: (refused) => void told.push(refused) });
}

async function ask(service: string, headers: Record<string, string> = {}): Promise<number | undefined> {
  return (await site.fetchRaw(`${REFS}${service}`, { headers })).status;
}

async function withFile(anonymous = NOBODY): Promise<void> {
  const path = join(site.sandbox.dir, "users");
  await writeFile(path, `ada:{SHA}${createHash("sha1").update("right").digest("base64")}\n`);
  await open(await Htpasswd.read(path, { warn: () => {} }), anonymous);
}

it("a wrong password is told with its user and the address behind a trusted proxy; the password is not", async () => {
  await withFile();
  expect(await ask("upload-pack", { ...basic("ada", "s3cret"), "X-Forwarded-For": "192.0.2.7" })).toBe(401);
  expect(await ask("receive-pack", basic("eve", "s3cret"))).toBe(401);
  const why = "The name or the password is wrong.";
  expect(told).toEqual([
    { user: "ada", address: "192.0.2.7", way: "--htpasswd", forbidden: false, why },
    { user: "eve", address: "127.0.0.1", way: "--htpasswd", forbidden: false, why },
  ]);
  expect(JSON.stringify(told)).not.toContain("s3cret");
});

it("a token in the place of the name is not told", async () => {
  await withFile();
  for (const password of ["", "x-oauth-basic"])
    expect(await ask("upload-pack", basic("s3cret-token", password))).toBe(401);
  expect(told.map(({ user }) => user)).toEqual(["", ""]);
});

it("requests without credentials and those with right ones are not told", async () => {
  await withFile(READERS);
  expect([await ask("upload-pack"), await ask("receive-pack")]).toEqual([200, 401]);
  expect(await ask("receive-pack", basic("ada", "right"))).toBe(200);
  expect(told).toEqual([]);
});

it.each<[number, Record<string, string>, Pick<RefusedUser, "user" | "forbidden">[]]>([
  [401, {}, []],
  [403, {}, []],
  [401, basic("ada", "s3cret"), [{ user: "ada", forbidden: false }]],
  [403, basic("ada", "s3cret"), [{ user: "ada", forbidden: true }]],
  [401, { Authorization: "Bearer s3cret" }, [{ user: "", forbidden: false }]],
  [403, { Cookie: "session=s3cret" }, [{ user: "", forbidden: true }]],
  [404, basic("ada", "s3cret"), []],
  [500, basic("ada", "s3cret"), []],
])("another server's answer %i to %j tells %j", async (status, headers, expected) => {
  const server = createServer((_, response) => void response.writeHead(status).end()).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    await open(new AuthRequest(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, NOBODY));
    await ask("receive-pack", headers);
    expect(told).toMatchObject(expected);
    expect(told).toHaveLength(expected.length);
    expect(told.every(({ way }) => way === "--auth-request")).toBe(true);
    expect(JSON.stringify(told)).not.toContain("s3cret");
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
