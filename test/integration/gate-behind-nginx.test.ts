// A gate behind a real nginx, with the configuration of docs/integration.md: nginx tells the clients apart.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readRanges } from "../../src/io/client-address.ts";
import { documented } from "../support/documented.ts";
import { FETCH_TYPE, GateSite, SOON } from "../support/gate-site.ts";
import { freePort, untilListening } from "../support/ports.ts";
import { findProgram } from "../support/programs.ts";

const nginx = findProgram("nginx", "nginx-light");
if ("missing" in nginx) console.warn(`The test of a gate behind nginx is skipped: ${nginx.missing}.`);

describe.skipIf("missing" in nginx)("a gate behind nginx", () => {
  let site: GateSite;
  let port: number;
  let stop: () => Promise<void>;
  beforeEach(async () => {
    site = await GateSite.make();
    await site.gate[Symbol.asyncDispose]();
    site.gate = await site.openGate({
      placeLimits: { requests: 4, perAddress: 2, waiting: 0, patienceMs: 1 },
      trustedProxies: readRanges("127.0.0.1,::1"),
      hostNames: new Set(["git.example"]),
    });
    ({ port, stop } = await startNginx((nginx as { path: string }).path, site.gate.url));
  });
  afterEach(async () => {
    await stop?.();
    await site?.[Symbol.asyncDispose]();
  });

  /** A request of the client with this address, which is one of loopback here. */
  const open = (localAddress: string, path: string, options: object = {}, told: object = {}): ClientRequest => {
    const headers = { Host: "git.example", ...told };
    return httpRequest({ host: "127.0.0.1", port, localAddress, path: `/team/app.git/${path}`, headers, ...options });
  };
  const stalled = (client: string): ClientRequest => {
    // nginx waits for the first byte of a body.
    const post = { method: "POST" };
    const request = open(client, "git-upload-pack", post, { ...FETCH_TYPE, "Content-Length": 100 });
    request.on("error", () => {});
    request.write("00");
    return request;
  };
  const read = async (client: string, told = {}): Promise<number | undefined> => {
    const request = open(client, "info/refs?service=git-upload-pack", {}, told);
    request.end();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    response.resume();
    return response.statusCode;
  };

  it("limits each client by itself, also one that tells another address", async () => {
    const requests = [stalled("127.0.0.2"), stalled("127.0.0.2")];
    await vi.waitFor(async () => expect(await site.starts()).toBe(2), SOON);
    expect(await read("127.0.0.2")).toBe(503);
    expect(await read("127.0.0.2", { "X-Forwarded-For": "192.0.2.1" })).toBe(503);
    expect(await read("127.0.0.3")).toBe(200);
    for (const request of requests) request.destroy();
    await vi.waitFor(async () => expect(await read("127.0.0.2")).toBe(200), SOON);
  });
});

async function startNginx(program: string, gate: string): Promise<{ port: number; stop: () => Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), "ls-gate-nginx-"));
  const port = await freePort();
  await mkdir(join(dir, "tmp"));
  const server = await documented("nginx-gate", {
    "listen 80;": `listen 127.0.0.1:${port};`,
    "http://127.0.0.1:7480": gate,
  });
  const kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const paths = kinds.map((kind) => `${kind}_temp_path ${dir}/tmp/${kind};`).join("\n");
  await writeFile(
    join(dir, "nginx.conf"),
    `daemon off;\nmaster_process off;\npid ${dir}/pid;\nerror_log ${dir}/error.log;\nevents {}\nhttp {\naccess_log off;\n${paths}\n${server}}\n`,
  );
  const args = ["-p", dir, "-e", join(dir, "error.log"), "-c", join(dir, "nginx.conf")];
  const child = spawn(program, args, { stdio: "ignore" });
  await untilListening({ host: "127.0.0.1", port });
  return {
    port,
    async stop() {
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      await exited;
      await rm(dir, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
