// Certificates that are renewed, that do not fit and that end, while the sidecars run.
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdir, readFile, rename, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { type CredentialPair, createAuthority, issue } from "../../src/ca/authority.ts";
import { writeCredentials } from "../../src/ca/credentials.ts";
import {
  ada,
  authority,
  cluster,
  dir,
  hosts,
  logged,
  made,
  one,
  open,
  replace,
  SECOND,
  SOON,
  serialOf,
  shown,
  spreads,
  startClusterWithFiles,
  tips,
  two,
} from "../support/certificate-files.ts";
import { PATIENCE } from "../support/cluster-device.ts";
import { stranger, tlsCredentials } from "../support/stranger.ts";

startClusterWithFiles();

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
