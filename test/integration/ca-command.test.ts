// `lockstep ca`: the files that it makes, and what other programs say of them.
import { execFileSync } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EXIT, expectSentence, runHere } from "../support/command-line.ts";

let dir: string;
let ca: string;
let out: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "ca-command-"));
  [ca, out] = [join(dir, "ca"), join(dir, "certs")];
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

async function lockstep(...args: string[]) {
  const ended = await runHere([...args, "--json"]);
  expect(ended).toMatchObject({ code: EXIT.OK, stderr: "" });
  return JSON.parse(ended.stdout);
}

const init = async (...more: string[]) =>
  await lockstep("ca", "init", ca, "--trust-domain", "cluster.example", ...more);
const issue = async (role: string, name: string, ...more: string[]) =>
  await lockstep("ca", "issue", ca, "--role", role, "--name", name, "--out", out, ...more);
const certificate = (name: string) => new X509Certificate(readFileSync(join(out, `${name}.pem`)));
const mode = (path: string) => statSync(path).mode & 0o777;
const openssl = (...args: string[]) =>
  execFileSync("openssl", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

describe("lockstep ca init", () => {
  it("makes ca.pem and a ca.key that only its owner reads", async () => {
    expect(await init()).toMatchObject({
      ca: join(ca, "ca.pem"),
      key: join(ca, "ca.key"),
      trust_domain: "cluster.example",
    });
    expect(readdirSync(ca).sort()).toEqual(["ca.key", "ca.pem"]);
    expect([mode(ca), mode(join(ca, "ca.key")), mode(join(ca, "ca.pem"))]).toEqual([0o700, 0o600, 0o644]);
  });

  it("leaves an authority that is there as it is", async () => {
    await init();
    const before = readFileSync(join(ca, "ca.key"), "utf8");
    const again = await runHere(["ca", "init", ca]);
    expect(again.code).toBe(EXIT.USAGE);
    expectSentence(again, /ca\.key exists already/);
    expect(readFileSync(join(ca, "ca.key"), "utf8")).toBe(before);
    expect(readdirSync(ca).sort()).toEqual(["ca.key", "ca.pem"]);
  });
});

describe("lockstep ca issue", () => {
  it.each(["p256", "ed25519"])(
    "makes certificates with %s keys that openssl takes for their purposes",
    async (type) => {
      await init("--key-type", type);
      const made = await issue(
        "device",
        "repo001",
        "--host",
        "repo001.internal",
        "--host",
        "127.0.0.1",
        "--key-type",
        type,
      );
      expect(made).toMatchObject({
        cert: join(out, "repo001.pem"),
        key: join(out, "repo001.key"),
        role: "device",
        name: "repo001",
        trust_domain: "cluster.example",
        hosts: ["repo001.internal", "127.0.0.1", "repo001"],
      });
      await issue("operator", "alice", "--key-type", type);
      expect(mode(join(out, "repo001.key"))).toBe(0o600);
      expect(certificate("repo001").subjectAltName).toBe(
        "URI:spiffe://cluster.example/device/repo001, DNS:repo001.internal, IP Address:127.0.0.1, DNS:repo001",
      );
      const key = createPrivateKey(readFileSync(join(out, "repo001.key")));
      expect(key.asymmetricKeyType).toBe(type === "p256" ? "ec" : "ed25519");
      const verify = ["verify", "-x509_strict", "-CAfile", join(ca, "ca.pem"), "-purpose"];
      const file = (name: string) => join(out, `${name}.pem`);
      for (const name of ["repo001.internal", "repo001"])
        expect(openssl(...verify, "sslserver", "-verify_hostname", name, file("repo001"))).toContain(": OK");
      expect(openssl(...verify, "sslserver", "-verify_ip", "127.0.0.1", file("repo001"))).toContain(": OK");
      expect(openssl(...verify, "sslclient", file("repo001"), file("alice"))).toMatch(/OK\n.*OK/);
    },
  );

  it("ends a certificate after the seconds or the days that were said, and with the authority at the latest", async () => {
    await init("--days", "1");
    const inSeconds = (name: string) => (Date.parse(certificate(name).validTo) - Date.now()) / 1000;
    await issue("device", "repo001", "--seconds", "20");
    expect(inSeconds("repo001")).toBeGreaterThan(10);
    expect(inSeconds("repo001")).toBeLessThanOrEqual(21);
    await issue("device", "repo002", "--days", "30");
    expect(inSeconds("repo002")).toBeLessThanOrEqual(86_401);
  });

  it("refuses what it cannot mean, with a sentence, and writes nothing", async () => {
    await init();
    const common = ["--out", out];
    for (const [args, said] of [
      [["--name", "a", ...common], /--role must be/],
      [["--role", "admin", "--name", "a", ...common], /--role must be/],
      [["--role", "device", ...common], /--name is missing/],
      [["--role", "device", "--name", "a"], /--out is missing/],
      [["--role", "device", "--name", "A/..", ...common], /not a DNS label/],
      [["--role", "device", "--name", "a", "--host", "a:1", ...common], /neither a DNS name/],
      [["--role", "operator", "--name", "a", "--host", "b", ...common], /Only a device/],
      [["--role", "device", "--name", "a", "--seconds", "0", ...common], /--seconds must be/],
      [["--role", "device", "--name", "a", "--seconds", "5", "--days", "5", ...common], /exclude each other/],
      [["--role", "device", "--name", "a", "--key-type", "rsa", ...common], /--key-type must be/],
    ] as [string[], RegExp][]) {
      const ended = await runHere(["ca", "issue", ca, ...args]);
      expect(ended.code).toBe(EXIT.USAGE);
      expectSentence(ended, said);
    }
    const none = await runHere(["ca", "issue", join(dir, "none"), "--role", "device", "--name", "a", ...common]);
    expectSentence(none, /has no ca\.(pem|key) that can be read/);
    expect(readdirSync(dir)).toEqual(["ca"]);
  });

  it("replaces no file: neither a certificate nor a key", async () => {
    await init();
    await issue("device", "repo001");
    const before = readFileSync(join(out, "repo001.key"), "utf8");
    for (const missing of [undefined, "repo001.pem"]) {
      if (missing) rmSync(join(out, missing));
      const again = await runHere(["ca", "issue", ca, "--role", "device", "--name", "repo001", "--out", out]);
      expect(again.code).toBe(EXIT.USAGE);
      expectSentence(again, /exists already/);
    }
    expect(readdirSync(out)).toEqual(["repo001.key"]);
    expect(readFileSync(join(out, "repo001.key"), "utf8")).toBe(before);
  });
});

describe("lockstep ca show", () => {
  it("lists what this authority has issued into its folder, and nothing else", async () => {
    await init();
    out = join(ca, "issued");
    await issue("device", "repo001", "--seconds", "3600");
    writeFileSync(join(ca, "note.pem"), "no certificate");
    const shown = await lockstep("ca", "show", ca);
    expect(shown).toMatchObject({
      trust_domain: "cluster.example",
      certificates: [{ role: "device", name: "repo001" }],
    });
    const { stdout } = await runHere(["ca", "show", ca]);
    expect(stdout).toMatch(/^The authority of cluster\.example, until \S+: .*\ndevice|role/);
  });
});

describe("lockstep ca renew", () => {
  it("issues anew what ends soon, with the same names and the same key", async () => {
    await init();
    const old = await issue("device", "repo001", "--host", "10.0.0.1", "--days", "10");
    await issue("device", "repo002", "--days", "90");
    const { renewed } = await lockstep("ca", "renew", ca, "--out", out, "--days", "60");
    expect(renewed).toHaveLength(1);
    expect(renewed[0]).toMatchObject({ name: "repo001", hosts: old.hosts, key_fingerprint: old.key_fingerprint });
    expect(renewed[0].serial).not.toBe(old.serial);
    expect(Date.parse(renewed[0].not_after) - Date.now()).toBeGreaterThan(59 * 86_400_000);
    expect(certificate("repo001").checkPrivateKey(createPrivateKey(readFileSync(join(out, "repo001.key"))))).toBe(true);
  });

  it("makes a new key where it was asked to", async () => {
    await init();
    const old = await issue("device", "repo001", "--days", "10");
    const { renewed } = await lockstep("ca", "renew", ca, "--out", out, "--new-key", "--key-type", "ed25519");
    expect(renewed[0].key_fingerprint).not.toBe(old.key_fingerprint);
    expect(certificate("repo001").checkPrivateKey(createPrivateKey(readFileSync(join(out, "repo001.key"))))).toBe(true);
    expect(mode(join(out, "repo001.key"))).toBe(0o600);
  });

  it("renews the authority with its key, so that what it has issued stays valid", async () => {
    await init("--days", "2");
    await issue("device", "repo001");
    const before = readFileSync(join(ca, "ca.pem"), "utf8");
    const renewed = await lockstep("ca", "renew", ca, "--authority", "--days", "400");
    expect(readFileSync(join(ca, "ca.pem"), "utf8")).not.toBe(before);
    expect(Date.parse(renewed.not_after) - Date.now()).toBeGreaterThan(399 * 86_400_000);
    expect(openssl("verify", "-x509_strict", "-CAfile", join(ca, "ca.pem"), join(out, "repo001.pem"))).toContain(
      ": OK",
    );
  });
});
