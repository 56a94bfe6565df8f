// The TLS files of a gate change while it runs.
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { rename, writeFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { connect, type TLSSocket } from "node:tls";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { type CredentialPair, createAuthority, issue } from "../../src/ca/authority.ts";
import { readGateUsers } from "../../src/cli/commands/gate-users.ts";
import type { Gate } from "../../src/gate/gate.ts";
import { certify, shown as pemOf, SERVER, type Wanted } from "../support/certificate-maker.ts";
import { GateSite, SOON } from "../support/gate-site.ts";

const REFS = "/team/app.git/info/refs?service=git-upload-pack";

let site: GateSite;
let gate: Gate;
let users: CredentialPair;
let server: CredentialPair;
const logged: Record<string, unknown>[] = [];
let stop = new AbortController();
const at = (name: string) => join(site.sandbox.dir, name);
/** As programs that renew certificates do: a whole file takes the place of the old one. */
async function put(name: string, content: string): Promise<void> {
  await writeFile(at(`${name}.new`), content);
  await rename(at(`${name}.new`), at(name));
}
const forServer = (by: CredentialPair, days = 1) =>
  issue(by, { role: "device", name: "gate", hosts: ["127.0.0.1"], days });
const forUser = async (by: CredentialPair) => {
  const { certificatePem: cert, keyPem: key } = await issue(by, { role: "frontend", name: "ada", hosts: [], days: 1 });
  return { cert, key };
};

beforeEach(async () => {
  stop = new AbortController();
  site = await GateSite.make();
  logged.length = 0;
  users = await createAuthority({ trustDomain: "users.example", days: 1 });
  server = await forServer(users);
  await put("gate.pem", server.certificatePem);
  await put("gate.key", server.keyPem);
  await put("users.pem", users.certificatePem);
  const log = pino({ level: "info" }, { write: (line: string) => void logged.push(JSON.parse(line)) });
  const config = {
    "gate-listen": "127.0.0.1:0",
    "gate-tls-cert": at("gate.pem"),
    "gate-tls-key": at("gate.key"),
    "gate-client-ca": at("users.pem"),
  };
  const read = await readGateUsers(config, log);
  gate = await site.openGate({ users: read.users, ...(read.tls && { tls: read.tls }), reloadMs: 500 });
  void read.tls?.keepLooking(stop.signal);
});
afterEach(async () => {
  stop.abort();
  await gate?.[Symbol.asyncDispose]();
  await site?.[Symbol.asyncDispose]();
});

const portOf = () => Number(new URL(gate.url).port);

/** The certificate that the gate shows to a new connection. */
async function shown(): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port: portOf(), rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const { raw } = socket.getPeerCertificate();
  socket.destroy();
  return new X509Certificate(raw).fingerprint256;
}
const printOf = ({ certificatePem }: CredentialPair) => new X509Certificate(certificatePem).fingerprint256;

/** A user with one kept connection. */
function user(tls: { cert: string; key: string }) {
  const agent = new Agent({ ...tls, rejectUnauthorized: false, keepAlive: true, maxSockets: 1, maxCachedSessions: 0 });
  const sockets = new Set<TLSSocket>();
  return {
    sockets,
    async ask(): Promise<{ status: number | undefined; said: string }> {
      const sent = request({ host: "127.0.0.1", port: portOf(), path: REFS, agent });
      sent.on("socket", (socket) => void sockets.add(socket as TLSSocket)).end();
      const [response] = await once(sent, "response");
      return { status: response.statusCode, said: await text(response) };
    },
    [Symbol.dispose]: () => agent.destroy(),
  };
}

describe("new files of a gate", () => {
  it("are used for new connections without a restart, and old connections end", async () => {
    using ada = user(await forUser(users));
    expect(await ada.ask()).toMatchObject({ status: 200 });
    const next = await forServer(users);
    await put("gate.key", next.keyPem);
    await put("gate.pem", next.certificatePem);
    await vi.waitFor(async () => expect(await shown()).toBe(printOf(next)), SOON);
    const [old] = ada.sockets;
    await vi.waitFor(() => expect(old?.destroyed).toBe(true), SOON);
    expect(await ada.ask()).toMatchObject({ status: 200 });
    expect(ada.sockets.size).toBe(2);
  });

  it.each<[string, (other: CredentialPair) => Promise<Record<string, string>>]>([
    ["the key of another certificate", async (other) => ({ "gate.key": (await forServer(other)).keyPem })],
    ["half a certificate", async () => ({ "gate.pem": server.certificatePem.slice(0, 300) })],
    ["no authority", async () => ({ "users.pem": "nothing" })],
    [
      "a certificate that ends before it begins",
      async () => {
        const { certificatePem, keyPem } = await forServer(users, -0.001);
        return { "gate.pem": certificatePem, "gate.key": keyPem };
      },
    ],
  ])("with %s are refused with a sentence, and the old ones stay", async (_, bad) => {
    using ada = user(await forUser(users));
    for (const [name, content] of Object.entries(await bad(users))) await put(name, content);
    await vi.waitFor(() => {
      const [warned] = logged.filter(({ msg }) => msg === "the new certificate files are not used");
      expect(warned?.err).toMatch(
        /^The files of --gate-tls-cert.* do not fit .*; give the right ones\. Until then the old files are used\.$/,
      );
    }, SOON);
    expect(await shown()).toBe(printOf(server));
    expect(await ada.ask()).toMatchObject({ status: 200 });
    const next = await forServer(users);
    await put("gate.key", next.keyPem);
    await put("gate.pem", next.certificatePem);
    await put("users.pem", users.certificatePem);
    await vi.waitFor(async () => expect(await shown()).toBe(printOf(next)), SOON);
  });

  it("without an authority let its users in no more, and cut their connections", async () => {
    using ada = user(await forUser(users));
    expect(await ada.ask()).toMatchObject({ status: 200 });
    const others = await createAuthority({ trustDomain: "others.example", days: 1 });
    await put("users.pem", others.certificatePem);
    using grace = user(await forUser(others));
    await vi.waitFor(async () => expect(await grace.ask()).toMatchObject({ status: 200 }), SOON);
    const [old] = ada.sockets;
    await vi.waitFor(() => expect(old?.destroyed).toBe(true), SOON);
    expect(await ada.ask()).toMatchObject({ status: 403, said: expect.stringContaining("does not accept it") });
  });
});

const DAY = 86_400_000;
/** Writes a certificate of the gate that ends in so many days, after a life of 90. */
async function putEnding(days: number, wanted: Wanted = {}): Promise<void> {
  const made = await certify({ cn: "gate", uses: SERVER, begins: (days - 90) * DAY, ends: days * DAY, ...wanted });
  const { cert, key } = pemOf(made);
  await put("gate.key", key);
  await put("gate.pem", cert);
}

/** What the log said of certificates that end, with its level. */
const endings = () =>
  logged
    .filter(({ msg }) => /^a certificate (ends soon|has ended)$/.test(String(msg)))
    .map(({ level, err }) => [level, err]);
const untilUsed = (count: number) =>
  vi.waitFor(
    () => expect(logged.filter(({ msg }) => msg === "uses new certificate files").length).toBeGreaterThanOrEqual(count),
    SOON,
  );

describe("the certificate of a gate that ends soon", () => {
  it("is told at 30, 7 and 1 days, once each, and a new one ends the warnings", async () => {
    for (const [days, left] of [
      [26.5, "26 days"],
      [6.5, "6 days"],
      [0.5, "11 hours"],
    ] as const) {
      logged.length = 0;
      await putEnding(days);
      const sentence = new RegExp(
        `^The certificate of the gate ends at \\S+Z, in ${left}; put a new one in the place of --gate-tls-cert`,
      );
      await vi.waitFor(() => expect(endings()).toEqual([[40, expect.stringMatching(sentence)]]), SOON);
    }
    logged.length = 0;
    await putEnding(60);
    await untilUsed(1);
    // Another look after the new files are in use.
    await putEnding(61);
    await untilUsed(2);
    expect(endings()).toEqual([]);
  });

  it("is an error in the log when it has ended, and so is the end of an authority of users", async () => {
    const ending = await certify({ cn: "users", ca: true, begins: -90 * DAY, ends: DAY });
    await put("users.pem", pemOf(ending).cert);
    await putEnding(1);
    await untilUsed(1);
    const realNow = Date.now;
    vi.spyOn(Date, "now").mockImplementation(() => realNow() + 2 * DAY);
    onTestFinished(() => void vi.restoreAllMocks());
    await vi.waitFor(() => {
      const told = endings();
      expect(told).toContainEqual([50, expect.stringMatching(/^The certificate of the gate ended at \S+Z; put a new/)]);
      expect(told).toContainEqual([
        50,
        expect.stringMatching(/^The authority CN=users of --gate-client-ca ended at \S+Z; renew it/),
      ]);
    }, SOON);
  });
});
