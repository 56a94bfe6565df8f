// Whom a device, and a client, take for the device that they want to ask.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { Client } from "../../src/client/client.ts";
import { administer } from "../support/administer.ts";
import { PATIENCE } from "../support/cluster-device.ts";
import {
  ada,
  cluster,
  type Files,
  foreign,
  issued,
  odd,
  one,
  spiffe,
  startTlsSite,
  three,
} from "../support/tls-site.ts";

startTlsSite();

describe("a peer", () => {
  /** Stands where device one should be, and counts who asks it for packs. */
  async function impostor({ cert, key }: Files) {
    const [certificate, privateKey, ca] = await Promise.all(
      [cert, key, cluster.demo.line.ca].map((file) => readFile(file)),
    );
    let asked = 0;
    const server = createServer({ cert: certificate, key: privateKey, ca, requestCert: true }, (_, response) => {
      asked += 1;
      response.writeHead(503).end("no pack here\n");
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = `localhost:${(server.address() as AddressInfo).port}`;
    const moveTo = (gitAddress: string) =>
      administer(cluster.databaseUrl, (client) =>
        client.query("update lockstep.device set git_address = $1 where name = 'repo001'", [gitAddress]),
      );
    await moveTo(address);
    return {
      asked: () => asked,
      async [Symbol.asyncDispose]() {
        await moveTo(one.demo.git.replace("https://", ""));
        server.closeAllConnections();
        await new Promise((done) => server.close(done));
      },
    };
  }

  it.each<[string, () => Promise<Files>, string, number]>([
    ["another device's", async () => cluster.devices[1]!.demo, "its certificate is not that of device repo001", 0],
    ["one of a foreign authority", () => issued(foreign, "device", "repo001"), "certificate", 0],
    [
      "one of another trust domain",
      () => odd("peer", spiffe("device/repo001", "other.internal")),
      "not that of device repo001",
      0,
    ],
    // The control: the impostor is asked when it has the right certificate.
    ["that device's own", async () => one.demo, "no pack here", 1],
  ])("with this certificate at a device's address: %s", async (certificate, choose, why, least) => {
    const only = `peer/${certificate.replaceAll(/\W+/g, "-")}`;
    await one.call("CreateRepository", { repository: only, devices: ["repo001", "repo003"] }, PATIENCE);
    const tip = await ada.commit();
    {
      await using fake = await impostor(await choose());
      await ada.land(one.url(only), `${tip}:refs/heads/main`);
      const refused = three.call("BeforeRead", { repository: only }, PATIENCE);
      await expect(refused).rejects.toMatchObject({ code: "NO_SOURCE", message: expect.stringContaining(why) });
      const advice = expect.stringContaining("; mend or start one of them and try again, `lockstep repo show peer/");
      await expect(refused).rejects.toMatchObject({ message: advice });
      if (least === 0) expect(fake.asked()).toBe(0);
      else expect(fake.asked()).toBeGreaterThanOrEqual(least);
    }
    // With the address put right it is read at once.
    await expect(three.lockstep("sync", only)).resolves.toMatchObject({ code: 0, document: { version: 1 } });
    expect(await cluster.git.git(["ls-remote", three.url(only), "refs/heads/main"])).toContain(tip);
  });

  it("is refused if its certificate names another device than the called one", async () => {
    const { ca, operator, trust_domain: trustDomain } = cluster.demo.line;
    const read = (file: string) => readFileSync(file, "utf8");
    const pem = { ca: read(ca), cert: read(operator.cert), key: read(operator.key), trustDomain };
    using right = new Client({ ...pem, address: one.demo.grpc, device: "repo001" });
    await expect(right.call("GetStatus", {}, PATIENCE)).resolves.toMatchObject({ devices: { length: 3 } });
    using wrong = new Client({ ...pem, address: one.demo.grpc, device: "repo002" });
    await expect(wrong.call("GetStatus", {}, PATIENCE)).rejects.toMatchObject({
      code: "SIDECAR_UNAVAILABLE",
      message: expect.stringContaining("not that of repo002"),
    });
  });
});
