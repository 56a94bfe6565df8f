import { once } from "node:events";
import { readFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { request } from "node:https";
import { connect as connectPlain } from "node:net";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { connect, type SecureVersion } from "node:tls";
import { describe, expect, it } from "vitest";
import { administer } from "../support/administer.ts";
import type { Cluster } from "../support/cluster.ts";
import { type Stranger, stranger, tlsCredentials } from "../support/stranger.ts";
import {
  ada,
  authority,
  cluster,
  type Files,
  foreign,
  issued,
  odd,
  one,
  spiffe,
  startTlsSite,
} from "../support/tls-site.ts";

/** A minute ago, as days from now; certificates begin five minutes ago. */
const EXPIRED = -1 / 1440;

startTlsSite();

/** How the gRPC port answers the holder of a certificate: the code of a call that needs no repository. */
async function atGrpc(files: Files | undefined): Promise<string> {
  using client = stranger(one.demo.grpc, tlsCredentials(cluster.demo.line.ca, files));
  return await client.call("GetStatus").then(
    () => "OK",
    (error: { code: string }) => error.code,
  );
}

/** How the git port answers: an HTTP status, or that it hung up. */
async function atGit(
  files: Files | undefined,
  body: object = {},
): Promise<{ status: number | "hang-up"; said: string }> {
  const read = (file: string) => readFileSync(file);
  const pair = files ? { cert: read(files.cert), key: read(files.key) } : {};
  const options = { method: "POST", agent: false, ca: read(cluster.demo.line.ca), ...pair };
  const asking = request(`${one.demo.git}/v1/pack`, options);
  asking.end(JSON.stringify(body));
  try {
    const [response] = await once(asking, "response");
    return { status: response.statusCode, said: await text(response) };
  } catch (error) {
    return { status: "hang-up", said: (error as Error).message };
  }
}

describe("a certificate that TLS itself refuses", () => {
  it.each<[string, () => Promise<Files | undefined>]>([
    ["none", async () => undefined],
    ["one of a foreign authority that claims the same trust domain", () => issued(foreign, "operator", "mallory")],
    ["a device's of a foreign authority", () => issued(foreign, "device", "repo001")],
    ["one that has expired", () => issued(authority, "operator", "late", EXPIRED)],
    ["a device's that has expired", () => issued(authority, "device", "repo001", EXPIRED)],
  ])("is hung up on, on both ports: %s", async (_, make) => {
    const files = await make();
    expect(await atGrpc(files)).toBe("UNAVAILABLE");
    expect(await atGit(files)).toMatchObject({ status: "hang-up" });
  });
});

describe("a certificate of the authority that names nobody here", () => {
  it.each([
    ["of another trust domain", spiffe("device/repo001", "other.internal")],
    ["of a trust domain that begins with ours", spiffe("device/repo001", "demo.lockstep.internal.evil")],
    ["with two identities", `${spiffe("device/repo001")},${spiffe("operator/root")}`],
    ["with its identity twice", `${spiffe("device/repo001")},${spiffe("device/repo001")}`],
    ["of an unknown role", spiffe("root/repo001")],
    ["with more behind the name", spiffe("device/repo001/x")],
    ["with the identity as a DNS name", "DNS:spiffe.demo.lockstep.internal"],
    ["with no name at all", ""],
  ])("is refused on both ports: %s", async (name, subjectAltName) => {
    const files = await odd(name.replaceAll(" ", "-"), subjectAltName);
    expect(await atGrpc(files)).toBe("UNAUTHENTICATED");
    expect(await atGit(files)).toMatchObject({ status: 403, said: expect.stringContaining("Only devices") });
  });

  it("is accepted from openssl too", async () => {
    const files = await odd("right", spiffe("device/repo005"));
    expect(await atGrpc(files)).toBe("OK");
    expect(await atGit(files)).toMatchObject({ status: 400 });
  });
});

describe("both ports", () => {
  const ports = () => [Number(one.demo.grpc.split(":")[1]), Number(new URL(one.demo.git).port)];

  /** What comes after the handshake: bytes, or the reason why not. */
  async function speak(port: number, version: SecureVersion): Promise<string> {
    const { ca, operator } = cluster.demo.line;
    const pair = { ca: readFileSync(ca), cert: readFileSync(operator.cert), key: readFileSync(operator.key) };
    const ALPNProtocols = port === ports()[0] ? ["h2"] : ["http/1.1"];
    const options = { ...pair, minVersion: version, maxVersion: version, ALPNProtocols, servername: "localhost" };
    const socket = connect(port, "127.0.0.1", options);
    socket.write(
      ALPNProtocols[0] === "h2"
        ? "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"
        : "GET / HTTP/1.1\r\nhost: x\r\n\r\n",
    );
    try {
      await once(socket, "data");
      return "answered";
    } catch (error) {
      return (error as Error).message;
    } finally {
      socket.destroy();
    }
  }

  it("speak TLS 1.3 and nothing older", async () => {
    for (const port of ports()) {
      expect(await speak(port, "TLSv1.3")).toBe("answered");
      expect(await speak(port, "TLSv1.2")).toContain("protocol version");
    }
  });

  it("hang up on a client that does not speak TLS, and serve the next one", async () => {
    for (const port of ports()) {
      const socket = connectPlain(port, "127.0.0.1");
      socket.resume().write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
      await once(socket, "close");
      expect(await speak(port, "TLSv1.3")).toBe("answered");
    }
  });
});

describe("roles", () => {
  const READS = ["GetVersion", "FetchFrom", "BeforeRead", "ListRepositories", "GetRepository", "ListLog", "GetStatus"];
  const OPERATIONS = ["CreateRepository", "VerifyReplica"];

  async function denied(client: Stranger, methods: readonly string[]): Promise<string[]> {
    const found: string[] = [];
    for (const method of methods) {
      const request = method === "ListRepositories" || method === "GetStatus" ? {} : { repository: "demo" };
      const asking = method === "FetchFrom" ? client.stream(method, request).next() : client.call(method, request);
      const code = await asking.then(
        () => "OK",
        (error: { code: string }) => error.code,
      );
      if (code === "PERMISSION_DENIED") found.push(method);
      else expect([method, code]).toEqual([method, method === "CreateRepository" ? "ALREADY_EXISTS" : "OK"]);
    }
    return found;
  }

  it.each<[string, (line: Cluster["demo"]["line"]) => Files, string[]]>([
    ["an operator", (line) => line.operator, []],
    ["a frontend", (line) => line.frontend, OPERATIONS],
    ["a device", (line) => line.devices[1]!, OPERATIONS],
  ])("%s may call what its role is for", async (_, choose, expected) => {
    using client = stranger(one.demo.grpc, tlsCredentials(cluster.demo.line.ca, choose(cluster.demo.line)));
    expect(await denied(client, [...READS, ...OPERATIONS])).toEqual(expected);
  });

  it("say which role may not call what", async () => {
    using client = stranger(one.demo.grpc, tlsCredentials(cluster.demo.line.ca, cluster.demo.line.frontend));
    expect(await client.refusal("CreateRepository", { repository: "by/frontend" })).toMatchObject({
      reason: "PERMISSION_DENIED",
      message: expect.stringMatching(/frontend may not call CreateRepository/),
    });
    using local = stranger(`unix:${one.demo.socket}`);
    expect(await local.refusal("GetRepository", { repository: "by/frontend" })).toMatchObject({ code: "NOT_FOUND" });
  });

  it("give packs to devices only", async () => {
    const repository = await cluster.createRepository();
    const tip = await ada.commit();
    await ada.land(one.url(repository), `${tip}:refs/heads/main`);
    const repositoryId = await administer(cluster.databaseUrl, async (client) => {
      const { rows } = await client.query("select id from lockstep.repository where name = $1", [repository]);
      return rows[0].id as string;
    });
    const body = { repositoryId, version: "1", visit: "first", wants: [tip], haves: [] };
    const { operator, frontend, devices } = cluster.demo.line;
    for (const files of [operator, frontend]) {
      expect(await atGit(files, body)).toMatchObject({ status: 403, said: expect.not.stringContaining("PACK") });
    }
    expect(await atGit(devices[1], body)).toMatchObject({ status: 200, said: expect.stringMatching(/^PACK/) });
  });
});

describe("the unix sockets", () => {
  it("are for their owner only, as is their directory", async () => {
    const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
    for (const { demo } of cluster.devices) {
      expect(await mode(dirname(demo.socket))).toBe("700");
      for (const file of ["lockstep.sock", "hook.sock"])
        expect(await mode(join(dirname(demo.socket), file))).toBe("600");
    }
  });

  it("speak for the operator", async () => {
    using local = stranger(`unix:${one.demo.socket}`);
    await expect(local.call("CreateRepository", { repository: "by/socket" })).resolves.toMatchObject({
      repository: { name: "by/socket" },
    });
  });
});
