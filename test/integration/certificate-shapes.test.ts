// Certificates of other makes: the files of cert-manager and of SPIFFE, made with openssl.
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { createServer, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectToPeer } from "../../src/tls/connect.ts";
import { type DeviceCredentials, faultOf, keyWarning, readTls } from "../../src/tls/device-files.ts";
import { MUTUAL_TLS } from "../../src/tls/mutual-tls.ts";
import { Peers } from "../../src/tls/peers.ts";
import { trustAuthorities } from "../support/trust-authorities.ts";

let dir: string;
const at = (name: string) => join(dir, name);
const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: dir, stdio: ["ignore", "pipe", "pipe"] });

/** Makes NAME.pem and NAME.key, signed by `by` or by itself. */
function certify(name: string, key: string[], extensions: string, by?: string, subject = `/CN=${name}`): void {
  openssl(...key, "-out", `${name}.key`);
  openssl("req", "-new", "-key", `${name}.key`, "-subj", subject, "-out", `${name}.csr`);
  writeFileSync(at(`${name}.ext`), extensions);
  const signing = by ? ["-CA", `${by}.pem`, "-CAkey", `${by}.key`, "-CAcreateserial"] : ["-signkey", `${name}.key`];
  openssl(
    "x509",
    "-req",
    "-in",
    `${name}.csr`,
    ...signing,
    "-days",
    "2",
    "-extfile",
    `${name}.ext`,
    "-out",
    `${name}.pem`,
  );
}

const RSA_PKCS1 = ["genrsa", "-traditional"];
const RSA_PKCS8 = ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
const EC_SEC1 = ["ecparam", "-name", "prime256v1", "-genkey"];
const EC_PKCS8 = ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"];
const ED25519 = ["genpkey", "-algorithm", "ED25519"];
const AUTHORITY =
  "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n";
const leaf = (names: string) =>
  `subjectAltName=${names}\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\n`;
const URI = "URI:spiffe://cluster.example/device/repo001";

/** Writes the three files as PEM blocks one after another, and reads them as `serve` does. */
async function read(cert: string[], key: string, ca: string[]): Promise<DeviceCredentials> {
  const joined = (names: string[]) => names.map((name) => readFileSync(at(`${name}.pem`), "utf8")).join("");
  writeFileSync(at("tls.crt"), joined(cert));
  writeFileSync(at("tls.key"), readFileSync(at(`${key}.key`)), { mode: 0o600 });
  writeFileSync(at("ca.crt"), joined(ca));
  return await readTls({ "tls-cert": at("tls.crt"), "tls-key": at("tls.key"), "tls-ca": at("ca.crt") }, "repo001");
}

/** Connects a device to itself over mutual TLS, and returns whom the server has admitted. */
async function met({ tls, trustDomain }: DeviceCredentials): Promise<string> {
  const log = { warn: () => {}, info: () => {} };
  using peers = new Peers({ trustDomain, trust: trustAuthorities, log });
  const server = createServer({ ...tls, ...MUTUAL_TLS }, (socket) => {
    if (peers.watch(socket)) void peers.admit(socket).then(({ role, name }) => socket.end(`${role} ${name}`));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  try {
    const peer = { host: "127.0.0.1", port, tls, device: "repo001", trustDomain, refuses: () => undefined };
    const socket = await new Promise<TLSSocket>((done, failed) =>
      connectToPeer(peer, (error, made) => (made ? done(made) : failed(error))),
    );
    return await text(socket);
  } finally {
    server.close();
  }
}

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "shapes-"));
  certify("root", RSA_PKCS8, AUTHORITY);
  certify("middle", EC_PKCS8, AUTHORITY, "root");
  certify("other", ED25519, AUTHORITY);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe("certificates of other makes", () => {
  it.each<[string, string[], string]>([
    ["an RSA key in PKCS #1", RSA_PKCS1, "PRIVATE KEY"],
    ["an RSA key in PKCS #8", RSA_PKCS8, "BEGIN PRIVATE KEY"],
    ["an EC key in SEC1, behind its parameters", EC_SEC1, "BEGIN EC PRIVATE KEY"],
    ["an EC key in PKCS #8", EC_PKCS8, "BEGIN PRIVATE KEY"],
    ["an Ed25519 key", ED25519, "BEGIN PRIVATE KEY"],
  ])("takes certificates of cert-manager: a chain with an intermediate, and %s", async (_, key, begins) => {
    certify("leaf", key, leaf(`${URI},DNS:repo001.internal`), "middle");
    expect(readFileSync(at("leaf.key"), "utf8")).toContain(begins);
    const credentials = await read(["leaf", "middle"], "leaf", ["root"]);
    expect(faultOf(credentials, Date.now())).toBeUndefined();
    expect(credentials.trustDomain).toBe("cluster.example");
    expect(await met(credentials)).toBe("device repo001");
  });

  it("takes certificates of SPIFFE: no subject, only the URI, and a bundle of several authorities in any order", async () => {
    certify("svid", EC_SEC1, leaf(`critical,${URI}`), "middle", "/");
    for (const bundle of [
      ["root", "other"],
      ["other", "root"],
    ]) {
      const credentials = await read(["svid", "middle"], "svid", bundle);
      expect(faultOf(credentials, Date.now())).toBeUndefined();
      expect(await met(credentials)).toBe("device repo001");
    }
  });

  it("are not taken without their intermediate certificate, with another authority, or with two URIs", async () => {
    certify("leaf", EC_SEC1, leaf(URI), "middle");
    const said = /^No authority of --tls-ca has signed the certificate/;
    expect(faultOf(await read(["leaf"], "leaf", ["root"]), Date.now())).toMatch(said);
    const foreign = await read(["leaf", "middle"], "leaf", ["other"]);
    expect(faultOf(foreign, Date.now())).toMatch(said);
    await expect(met(foreign)).rejects.toThrow(/certificate is refused/);
    certify("two", EC_SEC1, leaf(`${URI},URI:spiffe://cluster.example/operator/root`), "middle");
    await expect(read(["two", "middle"], "two", ["root"])).rejects.toMatchObject({ code: "USAGE" });
  });

  it("end with the first certificate of their chain", async () => {
    certify("leaf", EC_SEC1, leaf(URI), "middle");
    const credentials = await read(["leaf", "middle"], "leaf", ["root"]);
    expect(faultOf(credentials, credentials.endsAt + 1000)).toMatch(/^The certificate of device repo001 ended at /);
    expect(faultOf(credentials, credentials.beginsAt - 1000)).toMatch(/is valid from .*; set the clock/);
  });

  it("have a key that is private: others may not read it without a warning, and never write it", async () => {
    certify("leaf", EC_SEC1, leaf(URI), "middle");
    await read(["leaf", "middle"], "leaf", ["root"]);
    const config = { "tls-cert": at("tls.crt"), "tls-key": at("tls.key"), "tls-ca": at("ca.crt") };
    for (const mode of [0o600, 0o640]) {
      chmodSync(at("tls.key"), mode);
      expect(await keyWarning(config)).toBeUndefined();
    }
    chmodSync(at("tls.key"), 0o644);
    expect(await keyWarning(config)).toMatch(/^Every user of this machine may read the private key/);
    chmodSync(at("tls.key"), 0o646);
    await expect(readTls(config, "repo001")).rejects.toMatchObject({
      code: "USAGE",
      message: expect.stringMatching(/may write the private key/),
    });
    chmodSync(at("tls.key"), 0o600);
  });
});
