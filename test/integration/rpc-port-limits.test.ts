// How many connections, calls and watches the port of RPCs serves at once.
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import { createServer as createTlsServer, connect as tlsConnect } from "node:tls";
import { Client, credentials, type MethodDefinition } from "@grpc/grpc-js";
import { service as healthService } from "grpc-health-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type RpcLimits, serveRpc } from "../../src/rpc/server.ts";
import { limitHandshakes } from "../../src/tls/connection-limits.ts";
import { MUTUAL_TLS } from "../../src/tls/mutual-tls.ts";
import { Peers } from "../../src/tls/peers.ts";
import { authorityIn, contentsOf, credentialsOf, TRUST_DOMAIN } from "../support/git-port.ts";
import { closed, idle, idles, SOON, sockets } from "../support/idle-sockets.ts";
import { LIMITS } from "../support/limits.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { trustAuthorities } from "../support/trust-authorities.ts";

const { Watch: WATCH } = healthService as unknown as Record<"Watch", MethodDefinition<object, object>>;
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
});

/** A cluster of one device, with the gRPC servers of its sidecar. */
async function rpcServers(given: Partial<RpcLimits> = {}) {
  const cluster = await TestCluster.make();
  const { context } = await cluster.start("repo001");
  const authority = await authorityIn(credentialsOf(cluster));
  const tls = await contentsOf(await authority.issue("device", "repo001"));
  const client = await contentsOf(await authority.issue("operator", "ada"));
  const peers = new Peers({ trustDomain: TRUST_DOMAIN, trust: trustAuthorities, log: context.log });
  const socketPath = join(cluster.dir, "rpc.sock");
  const limits = { ...LIMITS.rpcLimits, ...given };
  const options = { socketPath, listen: { host: "127.0.0.1", port: 0 }, tls, peers, limits, log: context.log };
  const rpc = await serveRpc(context, { ...options, accessOf: () => undefined, onRefused: () => {} });
  return {
    socketPath,
    port: rpc.port,
    client,
    async [Symbol.asyncDispose]() {
      await rpc.stop(0);
      peers[Symbol.dispose]();
      await cluster[Symbol.asyncDispose]();
    },
  };
}

describe("a connection that has shown no certificate", () => {
  it("is one of so many; beyond that the oldest is cut, and a client with a certificate gets in", async () => {
    await using servers = await rpcServers();
    const before = await idles(servers.port, 256);
    await vi.waitFor(() => expect(before).toHaveLength(256), SOON);
    expect(closed(before)).toBe(0);
    const [first] = before;
    await idle(servers.port);
    await vi.waitFor(() => expect(closed(before)).toBe(1), SOON);
    expect(closed([first as Socket])).toBe(1);
    const session = connectHttp2(`https://127.0.0.1:${servers.port}`, { ...servers.client });
    session.on("error", () => {});
    await once(session, "remoteSettings");
    session.destroy();
  });

  it("is cut because of their number, also where none is cut because of the time", async () => {
    const server = createTlsServer({ ...MUTUAL_TLS, handshakeTimeout: 3_600_000 });
    server.on("tlsClientError", (_, socket) => socket.destroy());
    limitHandshakes(server, 256);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const before: Socket[] = [];
    for (let count = 0; count < 300; count += 1) {
      const socket = await idle(port);
      socket.resume();
      before.push(socket);
    }
    await vi.waitFor(() => expect(closed(before)).toBe(300 - 256), SOON);
    expect(closed(before.slice(0, 300 - 256))).toBe(300 - 256);
    server.close();
  });

  it("is one of 256 by default, and is cut after five seconds", () => {
    expect(LIMITS.handshakes).toEqual({ most: 256, timeoutMs: 5_000 });
  });

  it("is one of as many as the setting says, and is cut after the time that it says", async () => {
    await using servers = await rpcServers({ handshakes: { most: 2, timeoutMs: 3_600_000 } });
    const three = [await idle(servers.port), await idle(servers.port), await idle(servers.port)];
    for (const each of three) each.resume();
    await vi.waitFor(() => expect(closed(three)).toBe(1), SOON);
    expect(closed(three.slice(0, 1))).toBe(1);
    await using quick = await rpcServers({ handshakes: { most: 2, timeoutMs: 300 } });
    const socket = await idle(quick.port);
    socket.resume();
    await vi.waitFor(() => expect(closed([socket])).toBe(1), SOON);
    expect(closed(three)).toBe(1);
  });
});

describe("a certificate", () => {
  it("has so many connections; a further one is told so, and is cut", async () => {
    await using servers = await rpcServers({ connections: 3 });
    const open = () => tlsConnect({ port: servers.port, host: "127.0.0.1", ALPNProtocols: ["h2"], ...servers.client });
    const three = [open(), open(), open()];
    for (const each of three) {
      sockets.add(each);
      each.on("error", () => {});
      await once(each, "data");
    }
    const session = connectHttp2(`https://127.0.0.1:${servers.port}`, { ...servers.client });
    session.on("error", () => {});
    const call = session.request({
      ":method": "POST",
      ":path": "/lockstep.v1.ClusterService/ListDevices",
      "content-type": "application/grpc",
      te: "trailers",
    });
    call.end(Buffer.alloc(5));
    call.resume();
    const seen = await Promise.race([
      once(call, "trailers").then(([trailers]) => trailers),
      once(call, "response").then(([headers]) =>
        headers["grpc-status"] === undefined ? new Promise(() => {}) : headers,
      ),
    ]);
    expect(seen["grpc-status"]).toBe("14");
    expect(decodeURIComponent(seen["grpc-message"])).toMatch(
      /^The certificate of operator ada has 3 connections to this port already/,
    );
    await once(session, "close");
    expect(three.every(({ destroyed }) => !destroyed)).toBe(true);
  });

  it("may make 100 calls at once over each connection", async () => {
    await using servers = await rpcServers();
    const session = connectHttp2(`https://127.0.0.1:${servers.port}`, { ...servers.client });
    const [settings] = await once(session, "remoteSettings");
    expect(settings.maxConcurrentStreams).toBe(100);
    session.destroy();
  });

  it("may make as many calls at once as the setting says; a further one waits until another has ended", async () => {
    await using servers = await rpcServers({ calls: 2 });
    const session = connectHttp2(`https://127.0.0.1:${servers.port}`, { ...servers.client });
    await once(session, "remoteSettings");
    const answered: number[] = [];
    const watch = (number: number) => {
      const call = session.request({ ":method": "POST", ":path": WATCH.path, "content-type": "application/grpc" });
      call.once("response", () => answered.push(number));
      call.on("error", () => {});
      call.end(Buffer.alloc(5));
      call.resume();
      return call;
    };
    const [first] = [watch(1), watch(2), watch(3)];
    await vi.waitFor(() => expect(answered).toEqual([1, 2]), SOON);
    // What the third one would have got has come by then.
    await new Promise((done) => session.ping(done));
    expect(answered).toEqual([1, 2]);
    first.close();
    await vi.waitFor(() => expect(answered).toEqual([1, 2, 3]), SOON);
    session.destroy();
  });

  it("may have 100 health watches; a further one is refused, until one has ended", async () => {
    await using servers = await rpcServers();
    const client = new Client(`unix:${servers.socketPath}`, credentials.createInsecure());
    const watch = async () => {
      const call = client.makeServerStreamRequest(WATCH.path, WATCH.requestSerialize, WATCH.responseDeserialize, {
        service: "",
      });
      const outcome = await once(call, "data").then(
        () => "watching",
        (error: { details: string }) => error.details,
      );
      call.on("error", () => {});
      return { call, outcome };
    };
    const watches = await Promise.all(Array.from({ length: 100 }, watch));
    expect(new Set(watches.map(({ outcome }) => outcome))).toEqual(new Set(["watching"]));
    expect((await watch()).outcome).toMatch(/has 100 health watches already/);
    watches[0]?.call.cancel();
    await vi.waitFor(async () => expect((await watch()).outcome).toBe("watching"), SOON);
    client.close();
  });
});
