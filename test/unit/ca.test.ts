import { execFileSync } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, createServer, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CredentialPair, createAuthority, issue } from "../../src/ca/authority.ts";
import { writeCredentials } from "../../src/ca/credentials.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const TLS_CLIENT = "1.3.6.1.5.5.7.3.2";
const TLS_SERVER = "1.3.6.1.5.5.7.3.1";
const hosts = ["localhost", "repo001.example", "127.0.0.1", "::1"];

let dir: string;
let authority: CredentialPair;
let device: CredentialPair;
let operator: CredentialPair;
let foreign: CredentialPair;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "lockstep-ca-"));
  authority = await createAuthority({ trustDomain: "cluster.example", days: 30 });
  device = await issue(authority, { role: "device", name: "repo001", hosts, days: 7 });
  operator = await issue(authority, { role: "operator", name: "alice", hosts: [], days: 7 });
  // The same names, signed with another key.
  foreign = await createAuthority({ trustDomain: "cluster.example", days: 30 });
}, 60_000);

afterAll(() => rmSync(dir, { recursive: true }));

/** Connects over mutual TLS where both trust `authority`, and returns the names that the server and the client saw. */
async function handshake(server: CredentialPair, client: CredentialPair): Promise<[string, string]> {
  const both = { ca: authority.certificatePem, minVersion: "TLSv1.3" } as const;
  const names = (socket: TLSSocket) => socket.getPeerX509Certificate()?.subjectAltName ?? "";
  const listener = createServer(
    { ...both, cert: server.certificatePem, key: server.keyPem, requestCert: true, rejectUnauthorized: true },
    (socket) => socket.end(names(socket)),
  );
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const socket = connect({
    ...both,
    cert: client.certificatePem,
    key: client.keyPem,
    host: "127.0.0.1",
    port: (listener.address() as AddressInfo).port,
  });
  try {
    await once(socket, "secureConnect");
    const seenByClient = names(socket);
    const seenByServer = await socket.setEncoding("utf8").reduce((text: string, part: string) => text + part, "");
    // In TLS 1.3 the client is done before the server judges its certificate; a refusal is a hang-up.
    if (seenByServer === "") throw new Error("the server hung up");
    return [seenByServer, seenByClient];
  } finally {
    socket.destroy();
    listener.close();
  }
}

describe("the authority", () => {
  it("signs certificates and nothing below them", () => {
    const certificate = new X509Certificate(authority.certificatePem);
    expect(certificate.ca).toBe(true);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.subjectAltName).toBe("URI:spiffe://cluster.example");
    expect(createPrivateKey(authority.keyPem).asymmetricKeyDetails).toEqual({ namedCurve: "prime256v1" });
  });

  it.each(["", "Cluster.Example", "a/b", "a b", "ä", "a".repeat(256)])(
    "refuses the trust domain %j",
    async (trustDomain) => {
      await expect(createAuthority({ trustDomain, days: 1 })).rejects.toMatchObject({ code: "USAGE" });
    },
  );

  it("takes the longest trust domain", async () => {
    const made = await createAuthority({ trustDomain: "a".repeat(255), days: 1 });
    const issued = await issue(made, { role: "device", name: "a".repeat(63), hosts, days: 1 });
    expect(new X509Certificate(issued.certificatePem).subjectAltName).toContain(
      `URI:spiffe://${"a".repeat(255)}/device/aaa`,
    );
  });
});

describe("a certificate", () => {
  it("names a device by URI and hosts, for server and client", () => {
    const certificate = new X509Certificate(device.certificatePem);
    expect(certificate.subjectAltName).toBe(
      "URI:spiffe://cluster.example/device/repo001, DNS:localhost, DNS:repo001.example, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1",
    );
    expect(certificate.keyUsage).toEqual([TLS_SERVER, TLS_CLIENT]);
    expect(certificate.ca).toBe(false);
    expect(certificate.checkIssued(new X509Certificate(authority.certificatePem))).toBe(true);
    expect(certificate.checkPrivateKey(createPrivateKey(device.keyPem))).toBe(true);
  });

  it.each(["frontend", "operator"] as const)("is for a client only when the role is %s", async (role) => {
    const { certificatePem } = await issue(authority, { role, name: "alice", hosts: [], days: 1 });
    const certificate = new X509Certificate(certificatePem);
    expect(certificate.subjectAltName).toBe(`URI:spiffe://cluster.example/${role}/alice`);
    expect(certificate.keyUsage).toEqual([TLS_CLIENT]);
  });

  it("is valid from five minutes ago, for the days asked for", () => {
    const certificate = new X509Certificate(device.certificatePem);
    const now = Date.now();
    const age = now - Date.parse(certificate.validFrom);
    expect(age).toBeGreaterThanOrEqual(5 * MINUTE_MS);
    expect(age).toBeLessThan(6 * MINUTE_MS);
    expect(Math.abs(Date.parse(certificate.validTo) - now - 7 * DAY_MS)).toBeLessThan(MINUTE_MS);
  });

  it("ends with its authority at the latest", async () => {
    const { certificatePem } = await issue(authority, { role: "operator", name: "alice", hosts: [], days: 365 });
    expect(new X509Certificate(certificatePem).validTo).toBe(new X509Certificate(authority.certificatePem).validTo);
  });

  it("has a random serial number", async () => {
    const again = await issue(authority, { role: "device", name: "repo001", hosts, days: 7 });
    const serials = [device, again].map((pair) => new X509Certificate(pair.certificatePem).serialNumber);
    expect(serials[0]).not.toBe(serials[1]);
    for (const serial of serials) expect(serial).toMatch(/^[0-9A-F]{24,40}$/);
  });

  it("is not made for a name that is not an identity", async () => {
    for (const name of ["", "Repo", "a/b", "../x", "a".repeat(64)]) {
      await expect(issue(authority, { role: "operator", name, hosts: [], days: 1 })).rejects.toMatchObject({
        code: "INVALID_NAME",
      });
    }
  });

  it("is not made for invalid host names, nor for a client with host names", async () => {
    for (const host of ["", "a b", "repo001:7420", "[::1]", "a..b", "fe80::1%eth0", "*", "x\0y"]) {
      await expect(issue(authority, { role: "device", name: "a", hosts: [host], days: 1 })).rejects.toMatchObject({
        code: "USAGE",
      });
    }
    await expect(issue(authority, { role: "operator", name: "a", hosts, days: 1 })).rejects.toMatchObject({
      code: "USAGE",
    });
  });

  it("is made neither with a device's certificate nor with a key that does not belong to the authority", async () => {
    const grant = { role: "operator", name: "mallory", hosts: [], days: 1 } as const;
    await expect(issue(device, grant)).rejects.toMatchObject({ code: "USAGE" });
    await expect(issue({ ...authority, keyPem: foreign.keyPem }, grant)).rejects.toMatchObject({ code: "USAGE" });
  });
});

describe("a TLS 1.3 handshake", () => {
  it("shows each side who the other is", async () => {
    const [seenByServer, seenByClient] = await handshake(device, operator);
    expect(seenByServer).toBe("URI:spiffe://cluster.example/operator/alice");
    expect(seenByClient).toContain("URI:spiffe://cluster.example/device/repo001,");
  });

  it("is refused to a client of a foreign authority", async () => {
    const stranger = await issue(foreign, { role: "operator", name: "alice", hosts: [], days: 1 });
    await expect(handshake(device, stranger)).rejects.toThrow("the server hung up");
  });

  it("is refused to a server of a foreign authority, and to one with a client's certificate", async () => {
    const stranger = await issue(foreign, { role: "device", name: "repo001", hosts, days: 1 });
    await expect(handshake(stranger, operator)).rejects.toThrow(/certificate/);
    await expect(handshake(operator, operator)).rejects.toThrow(/purpose/);
  });

  it("is refused under a host name that the device does not have", async () => {
    const elsewhere = await issue(authority, { role: "device", name: "repo001", hosts: ["repo001.example"], days: 1 });
    await expect(handshake(elsewhere, operator)).rejects.toMatchObject({ code: "ERR_TLS_CERT_ALTNAME_INVALID" });
  });
});

describe("openssl", () => {
  const version = (() => {
    try {
      return execFileSync("openssl", ["version"], { encoding: "utf8" });
    } catch {
      return undefined;
    }
  })();
  const run = (...args: string[]) =>
    execFileSync("openssl", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

  it.skipIf(version === undefined)(
    "verifies both kinds strictly, and refuses a certificate that another key signed (needs openssl)",
    async () => {
      const ca = (await writeCredentials(dir, "ca", authority)).certificate;
      const other = (await writeCredentials(dir, "other", foreign)).certificate;
      const repo001 = (await writeCredentials(dir, "repo001", device)).certificate;
      const alice = (await writeCredentials(dir, "alice", operator)).certificate;
      const verify = ["verify", "-x509_strict", "-CAfile"];
      expect(run(...verify, ca, "-purpose", "sslserver", "-verify_hostname", "repo001.example", repo001)).toContain(
        ": OK",
      );
      expect(run(...verify, ca, "-purpose", "sslclient", repo001, alice)).toMatch(/OK\n.*OK/);
      expect(() => run(...verify, ca, "-purpose", "sslserver", alice)).toThrow(/purpose/);
      expect(() => run(...verify, other, repo001)).toThrow(/verif/);
      expect(run("x509", "-in", ca, "-noout", "-text")).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
    },
  );
});

describe("writeCredentials", () => {
  it("writes a key that only its owner can read, also over a file that others could read", async () => {
    const paths = await writeCredentials(join(dir, "new", "folder"), "repo001", device);
    expect(paths).toEqual({
      certificate: join(dir, "new/folder/repo001.pem"),
      key: join(dir, "new/folder/repo001.key"),
    });
    expect(statSync(paths.key).mode & 0o777).toBe(0o600);
    chmodSync(paths.key, 0o644);
    await writeCredentials(join(dir, "new", "folder"), "repo001", operator);
    expect(statSync(paths.key).mode & 0o777).toBe(0o600);
    expect(readFileSync(paths.key, "utf8")).toBe(operator.keyPem);
    expect(readFileSync(paths.certificate, "utf8")).toBe(operator.certificatePem);
    expect(readdirSync(join(dir, "new", "folder")).sort()).toEqual(["repo001.key", "repo001.pem"]);
  });
});
