// Certificates that are renewed, that do not fit and that end, while the sidecars run.
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdir, readFile, rename, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type CredentialPair, createAuthority, issue } from "../../src/ca/authority.ts";
import { writeCredentials } from "../../src/ca/credentials.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { type Device, PATIENCE } from "../support/cluster-device.ts";
import { type Pusher, pusher } from "../support/pusher.ts";
import { stranger, tlsCredentials } from "../support/stranger.ts";

const SECOND = 1 / 86_400;
const SOON = { timeout: 30_000, interval: 100 };
const hosts = ["localhost", "127.0.0.1"];

let cluster: Cluster;
let one: Device;
let two: Device;
let ada: Pusher;
let authority: CredentialPair;
/** The folder of the files of repo001. */
let dir: string;
beforeAll(async () => {
  cluster = await startCluster();
  [one, two] = cluster.devices as [Device, Device];
  ada = await pusher(cluster.git, "ada");
  const { ca_dir } = cluster.demo.line;
  const read = async (name: string) => await readFile(join(ca_dir, name), "utf8");
  authority = { certificatePem: await read("ca.pem"), keyPem: await read("ca.key") };
  dir = dirname(one.demo.cert);
  await one.kill();
  await one.start({ LOCKSTEP_TLS_RELOAD_SECONDS: "2" });
});
afterAll(async () => await cluster?.[Symbol.asyncDispose]());

/** A certificate for the key that the device has, or for a new one. */
async function made(days: number, name = "repo001", newKey = false): Promise<CredentialPair> {
  const keyPem = newKey ? undefined : await readFile(join(dir, `${name}.key`), "utf8");
  return await issue(authority, { role: "device", name, hosts, days, keyPem });
}
const serialOf = (pem: string) => new X509Certificate(pem).serialNumber;

/** Opens a connection to a port of a device, as its neighbour. The connection stays open. */
async function open(url: string): Promise<TLSSocket> {
  const [host, port] = url.replace("https://", "").split(":") as [string, string];
  const read = (file: string) => readFileSync(file);
  const pair = { ca: read(cluster.demo.line.ca), cert: read(two.demo.cert), key: read(two.demo.key) };
  const ALPNProtocols = url.startsWith("https") ? ["http/1.1"] : ["h2"];
  const socket = connect({ ...pair, host, port: Number(port), ALPNProtocols });
  socket.on("error", () => {});
  await once(socket, "secureConnect");
  return socket.resume();
}

/** The serial numbers that both ports of repo001 show on new connections. */
async function shown(): Promise<string[]> {
  const serials: string[] = [];
  for (const url of [one.demo.grpc, one.demo.git]) {
    const socket = await open(url);
    serials.push(socket.getPeerX509Certificate()?.serialNumber ?? "none");
    socket.destroy();
  }
  return serials;
}

async function logged(device: Device, text: string | RegExp): Promise<void> {
  const log = await readFile(device.logFile, "utf8");
  expect(log).toMatch(text);
}

const replace = async (path: string, text: string) => {
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
};

const tips = new Map<string, string>();

/** A push to repo002 and its read from repo001, which fetches it. */
async function spreads(repository: string): Promise<void> {
  const tip = await ada.commit(tips.get(repository));
  tips.set(repository, tip);
  await ada.land(two.url(repository), `${tip}:refs/heads/main`);
  await one.sync(repository);
  expect(await cluster.git.git(["ls-remote", one.url(repository), "refs/heads/main"])).toContain(tip);
}

describe("new certificate files", () => {
  it("are used for new connections without a restart, and old connections end", async () => {
    const repository = await cluster.createRepository();
    await spreads(repository);
    const kept = [await open(one.demo.grpc), await open(one.demo.git)];
    const ended = kept.map((socket) => once(socket, "close"));
    const pair = await made(50, "repo001", true);
    await writeCredentials(dir, "repo001", pair);
    const serial = serialOf(pair.certificatePem);
    await vi.waitFor(async () => expect(await shown()).toEqual([serial, serial]), SOON);
    await Promise.all(ended);
    await logged(one, /uses new certificate files/);
    await spreads(repository);
  });

  it("settle by themselves when the key comes long before the certificate, or after it", async () => {
    for (const first of ["key", "certificate"]) {
      const before = await shown();
      const pair = await made(51, "repo001", true);
      const steps = [() => replace(one.demo.key, pair.keyPem), () => replace(one.demo.cert, pair.certificatePem)];
      if (first === "certificate") steps.reverse();
      await steps[0]!();
      const warned = async () => {
        const { warnings } = await one.call("GetStatus", {}, PATIENCE);
        expect(warnings).toEqual([
          expect.stringMatching(/no private key for the certificate.*goes on with the old files/),
        ]);
      };
      await vi.waitFor(warned, SOON);
      expect(await shown()).toEqual(before);
      await steps[1]!();
      const serial = serialOf(pair.certificatePem);
      await vi.waitFor(async () => expect(await shown()).toEqual([serial, serial]), SOON);
      expect((await one.call("GetStatus", {}, PATIENCE)).warnings).toEqual([]);
    }
  });

  it.each<[string, () => Promise<CredentialPair>, RegExp]>([
    ["another device's", () => made(1, "repo002"), /is not that of device repo001/],
    [
      "half written",
      async () => {
        const pair = await made(1);
        return { ...pair, certificatePem: pair.certificatePem.slice(0, 300) };
      },
      /holds no certificate in PEM/,
    ],
    [
      "of a foreign authority",
      async () =>
        issue(await createAuthority({ trustDomain: "demo.lockstep.internal", days: 1 }), {
          role: "device",
          name: "repo001",
          hosts,
          days: 1,
        }),
      /No authority of --tls-ca has signed/,
    ],
    ["ended", () => made(-1 / 1440), /The certificate of device repo001 ended at/],
  ])("that do not fit are refused with a sentence, and the old ones stay: %s", async (_, make, why) => {
    const before = await shown();
    const good = {
      certificatePem: await readFile(one.demo.cert, "utf8"),
      keyPem: await readFile(one.demo.key, "utf8"),
    };
    await writeCredentials(dir, "repo001", await make());
    await vi.waitFor(async () => {
      const { warnings } = await one.call("GetStatus", {}, PATIENCE);
      expect(warnings).toEqual([expect.stringMatching(why)]);
    }, SOON);
    await logged(one, /the new certificate files are not used/);
    expect(await shown()).toEqual(before);
    expect(await one.isReady()).toBe(true);
    await writeCredentials(dir, "repo001", good);
    await vi.waitFor(async () => expect((await one.call("GetStatus", {}, PATIENCE)).warnings).toEqual([]), SOON);
  });

  it("are found behind the links that Kubernetes exchanges", async () => {
    const volume = join(cluster.dir, "volume");
    const put = async (name: string, pair: CredentialPair) => {
      await mkdir(join(volume, name), { recursive: true });
      await writeFile(join(volume, name, "tls.crt"), pair.certificatePem);
      await writeFile(join(volume, name, "tls.key"), pair.keyPem, { mode: 0o640 });
      await writeFile(join(volume, name, "ca.crt"), authority.certificatePem);
      await symlink(name, join(volume, "..data_tmp"));
      await rename(join(volume, "..data_tmp"), join(volume, "..data"));
    };
    await put("..1", await made(40));
    for (const file of ["tls.crt", "tls.key", "ca.crt"]) await symlink(join("..data", file), join(volume, file));
    const at = (file: string) => join(volume, file);
    await one.kill();
    await one.start({
      LOCKSTEP_TLS_CERT: at("tls.crt"),
      LOCKSTEP_TLS_KEY: at("tls.key"),
      LOCKSTEP_TLS_CA: at("ca.crt"),
    });
    const pair = await made(41);
    await put("..2", pair);
    const serial = serialOf(pair.certificatePem);
    await vi.waitFor(async () => expect(await shown()).toEqual([serial, serial]), SOON);
    await one.kill();
    await one.start({ LOCKSTEP_TLS_RELOAD_SECONDS: "2" });
  });
});

describe("a certificate that ends", () => {
  it("makes its device not ready; both sides say whose certificate ended, and a new one mends all", async () => {
    const repository = await cluster.createRepository();
    await spreads(repository);
    const soon = await made(8 * SECOND);
    await writeCredentials(dir, "repo001", soon);
    const serial = serialOf(soon.certificatePem);
    await vi.waitFor(async () => expect(await shown()).toEqual([serial, serial]), SOON);
    const endsAt = Date.parse(new X509Certificate(soon.certificatePem).validTo) / 1000;
    const metrics = await (await fetch(`${one.demo.http}/metrics`)).text();
    expect(metrics).toContain(`lockstep_certificate_expiry_timestamp_seconds{file="tls-cert"} ${endsAt}`);
    expect(metrics).toMatch(/lockstep_certificate_expiry_timestamp_seconds\{file="tls-ca"\} \d+/);
    await vi.waitFor(() => logged(one, /The certificate of device repo001 ends at \S+, in a minute/), SOON);

    await vi.waitFor(async () => expect(await one.isReady()).toBe(false), SOON);
    const ready = await fetch(`${one.demo.http}/readyz?verbose`);
    expect(ready.status).toBe(503);
    expect(await ready.text()).toMatch(/\[-\] certificate: The certificate of device repo001 ended at \S+Z; /);
    expect((await one.lockstep("status")).document.warnings).toEqual([expect.stringMatching(/ended at/)]);
    // Its peers refuse it as a client, and as a server.
    const tip = await ada.commit(tips.get(repository));
    await ada.land(two.url(repository), `${tip}:refs/heads/main`);
    await expect(one.sync(repository)).rejects.toMatchObject({
      message: expect.stringMatching(/the certificate of this device ended at \S+Z/),
    });
    await vi.waitFor(
      async () => await logged(two, /The certificate of device repo001 ended at \S+Z; issue a new one/),
      SOON,
    );
    using client = stranger(one.demo.grpc, tlsCredentials(cluster.demo.line.ca, cluster.demo.line.operator));
    expect((await client.refusal("GetStatus")).message).toMatch(/certificate has expired/);

    await writeCredentials(dir, "repo001", await made(60));
    await vi.waitFor(async () => expect(await one.isReady()).toBe(true), SOON);
    await vi.waitFor(async () => await one.sync(repository), SOON);
    expect((await one.call("GetStatus", {}, PATIENCE)).warnings).toEqual([]);
  });
});

describe("the authority", () => {
  it("is exchanged in steps without a pause: both, then the new one only, and then the old one is refused", async () => {
    const repository = await cluster.createRepository();
    const { line } = cluster.demo;
    const next = await createAuthority({ trustDomain: line.trust_domain, days: 90 });
    const old = authority;
    const bundle = async (text: string) => {
      await replace(line.ca, text);
      await spreads(repository);
    };
    const outdated = await open(one.demo.git);
    const ended = once(outdated, "close");
    await bundle(old.certificatePem + next.certificatePem);
    // The devices take their new certificates when they know both.
    const taken = async (device: Device, count: number) => {
      const log = await readFile(device.logFile, "utf8");
      expect(log.split("uses new certificate files").length - 1).toBeGreaterThanOrEqual(count);
    };
    await Promise.all(cluster.devices.map((device) => vi.waitFor(() => taken(device, 1), SOON)));
    authority = next;
    for (const { name } of cluster.devices) await writeCredentials(dir, name, await made(30.5, name));
    await vi.waitFor(async () => {
      const serials = await shown();
      expect(serials[0]).toBe(serialOf(await readFile(one.demo.cert, "utf8")));
      expect(new Set(serials).size).toBe(1);
    }, SOON);
    await Promise.all(cluster.devices.slice(1).map((device) => vi.waitFor(() => taken(device, 2), SOON)));
    await spreads(repository);
    await bundle(next.certificatePem);
    await ended;
    using outsider = stranger(one.demo.grpc, tlsCredentials(line.ca, line.operator));
    await vi.waitFor(async () => expect((await outsider.refusal("GetStatus")).code).toBe("UNAVAILABLE"), SOON);
    await vi.waitFor(async () => await logged(one, /a certificate that says operator operator was refused/), SOON);
    await spreads(repository);
  });
});
