// The TLS files of a gate change while it runs.
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:tls";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { type CredentialPair, createAuthority, issue } from "../../src/ca/authority.ts";
import { certify, shown as pemOf, SERVER, type Wanted } from "../support/certificate-maker.ts";
import { SOON } from "../support/gate-site.ts";
import { TlsGate, type TlsGateFile } from "../support/tls-gate.ts";

let gate: TlsGate;
let users: CredentialPair;
let server: CredentialPair;
const forServer = (by: CredentialPair, days = 1) =>
  issue(by, { role: "device", name: "gate", hosts: ["127.0.0.1"], days });
const forUser = async (by: CredentialPair) => {
  const { certificatePem: cert, keyPem: key } = await issue(by, { role: "frontend", name: "ada", hosts: [], days: 1 });
  return { cert, key };
};

beforeEach(async () => {
  users = await createAuthority({ trustDomain: "users.example", days: 1 });
  server = await forServer(users);
  const own = { "gate.pem": server.certificatePem, "gate.key": server.keyPem };
  gate = await TlsGate.make({ ...own, "users.pem": users.certificatePem });
});
afterEach(async () => void (await gate?.[Symbol.asyncDispose]()));

/** The certificate that the gate shows to a new connection. */
async function shown(): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port: gate.port, rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const { raw } = socket.getPeerCertificate();
  socket.destroy();
  return new X509Certificate(raw).fingerprint256;
}
const printOf = ({ certificatePem }: CredentialPair) => new X509Certificate(certificatePem).fingerprint256;

describe("new files of a gate", () => {
  it("are used for new connections without a restart, and old connections end", async () => {
    using ada = gate.user(await forUser(users));
    expect(await ada.ask()).toMatchObject({ status: 200 });
    const next = await forServer(users);
    await gate.put("gate.key", next.keyPem);
    await gate.put("gate.pem", next.certificatePem);
    await vi.waitFor(async () => expect(await shown()).toBe(printOf(next)), SOON);
    const [old] = ada.sockets;
    await vi.waitFor(() => expect(old?.destroyed).toBe(true), SOON);
    expect(await ada.ask()).toMatchObject({ status: 200 });
    expect(ada.sockets.size).toBe(2);
  });

  it.each<[string, (other: CredentialPair) => Promise<Partial<Record<TlsGateFile, string>>>]>([
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
  ])("new files with %s are refused with a sentence, and the old ones stay", async (_, bad) => {
    using ada = gate.user(await forUser(users));
    for (const [name, content] of Object.entries(await bad(users))) await gate.put(name as TlsGateFile, content);
    await vi.waitFor(() => {
      const [warned] = gate.logged.filter(({ msg }) => msg === "the new certificate files are not used");
      expect(warned?.err).toMatch(
        /^The files of --gate-tls-cert.* do not fit .*; give the right ones\. Until then the old files are used\.$/,
      );
    }, SOON);
    expect(await shown()).toBe(printOf(server));
    expect(await ada.ask()).toMatchObject({ status: 200 });
    const next = await forServer(users);
    await gate.put("gate.key", next.keyPem);
    await gate.put("gate.pem", next.certificatePem);
    await gate.put("users.pem", users.certificatePem);
    await vi.waitFor(async () => expect(await shown()).toBe(printOf(next)), SOON);
  });

  it("without an authority let its users in no more, and cut their connections", async () => {
    using ada = gate.user(await forUser(users));
    expect(await ada.ask()).toMatchObject({ status: 200 });
    const others = await createAuthority({ trustDomain: "others.example", days: 1 });
    await gate.put("users.pem", others.certificatePem);
    using grace = gate.user(await forUser(others));
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
  await gate.put("gate.key", key);
  await gate.put("gate.pem", cert);
}

/** What the log said of certificates that end, with its level. */
const endings = () =>
  gate.logged
    .filter(({ msg }) => /^a certificate (ends soon|has ended)$/.test(String(msg)))
    .map(({ level, err }) => [level, err]);
const untilUsed = (count: number) =>
  vi.waitFor(
    () =>
      expect(gate.logged.filter(({ msg }) => msg === "uses new certificate files").length).toBeGreaterThanOrEqual(
        count,
      ),
    SOON,
  );

describe("the certificate of a gate that ends soon", () => {
  it("is told at 30, 7 and 1 days, once each, and a new one ends the warnings", async () => {
    for (const [days, left] of [
      [26.5, "26 days"],
      [6.5, "6 days"],
      [0.5, "11 hours"],
    ] as const) {
      gate.logged.length = 0;
      await putEnding(days);
      const sentence = new RegExp(
        `^The certificate of the gate ends at \\S+Z, in ${left}; put a new one in the place of --gate-tls-cert`,
      );
      await vi.waitFor(() => expect(endings()).toEqual([[40, expect.stringMatching(sentence)]]), SOON);
    }
    gate.logged.length = 0;
    await putEnding(60);
    await untilUsed(1);
    // Another look after the new files are in use.
    await putEnding(61);
    await untilUsed(2);
    expect(endings()).toEqual([]);
  });

  it("is an error in the log when it has ended, and so is the end of an authority of users", async () => {
    const ending = await certify({ cn: "users", ca: true, begins: -90 * DAY, ends: DAY });
    await gate.put("users.pem", pemOf(ending).cert);
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
