// How many connections the port of plain HTTP serves at once, and for which host.
import { once } from "node:events";
import { createServer as createHttpServer, get, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type HttpEndpoints, serveHttp } from "../../src/http/server.ts";
import { limitConnections } from "../../src/io/connections.ts";
import { shortenWaits } from "../../src/waits.ts";
import { closed, idle, idles, SOON, sockets } from "../support/idle-sockets.ts";
import { sendSlowly } from "../support/slow-client.ts";

const ENDPOINTS: HttpEndpoints = {
  serving: () => true,
  hostNames: new Set(),
  checks: {},
  log: { warn: () => {} },
  metrics: async () => ({ contentType: "", text: "" }),
  beforeRead: async () => {},
};
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
});

describe("idle connections to a port of plain HTTP", () => {
  it("make room for new ones beyond the limit, the longest idle one first; those with a request stay", async () => {
    const server = createHttpServer(() => {});
    limitConnections(server, 3);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const busy = await idle(port);
    const asked = once(server, "request");
    busy.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await asked;
    const [first, second] = [await idle(port), await idle(port)];
    for (const each of [busy, first, second]) each.resume();
    const third = await idle(port);
    await vi.waitFor(() => expect(closed([first])).toBe(1), SOON);
    expect(closed([busy, second, third])).toBe(0);
    server.closeAllConnections();
    server.close();
  });

  it("end no health check: there may be thousands of them", async () => {
    const http = await serveHttp({ host: "127.0.0.1", port: 0 }, ENDPOINTS);
    for (let count = 0; count < 2_000; count += 250) for (const each of await idles(http.port, 250)) each.resume();
    await vi.waitFor(() => expect(closed([...sockets])).toBe(2_000 - 512), SOON);
    const [answer] = (await once(get(`http://127.0.0.1:${http.port}/readyz`), "response")) as [IncomingMessage];
    expect([answer.statusCode, await text(answer)]).toEqual([200, "ok\n"]);
    await http[Symbol.asyncDispose]();
  });
});

describe("the port of plain HTTP", () => {
  it("cuts off a client that sends a request without end, and answers others", async () => {
    shortenWaits(1 / 50);
    const http = await serveHttp({ host: "127.0.0.1", port: 0 }, ENDPOINTS);
    shortenWaits(1);
    await sendSlowly(http.port);
    const [answer] = (await once(get(`http://127.0.0.1:${http.port}/livez`), "response")) as [IncomingMessage];
    expect(await text(answer)).toBe("ok\n");
    await http[Symbol.asyncDispose]();
  });

  it("answers /gate for no other host, and probes for any", async () => {
    const hostNames = new Set(["repo001.example"]);
    const http = await serveHttp({ host: "127.0.0.1", port: 0 }, { ...ENDPOINTS, hostNames });
    const ask = async (path: string, host: string) => {
      const options = { port: http.port, path, headers: { host }, agent: false } as const;
      const [answer] = (await once(get(options), "response")) as [IncomingMessage];
      await text(answer);
      return answer.statusCode;
    };
    expect(await ask("/gate?repository=app", "evil.example")).toBe(421);
    expect(await ask("/gate?repository=app", "repo001.example:7422")).toBe(204);
    expect(await ask("/gate?repository=app", "127.0.0.1:7422")).toBe(204);
    for (const path of ["/livez", "/readyz", "/metrics"]) expect(await ask(path, "evil.example")).toBe(200);
    await http[Symbol.asyncDispose]();
  });
});
