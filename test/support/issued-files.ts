// Credentials that are issued to files, and connections that show them.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { TLSSocket } from "node:tls";
import { issue } from "../../src/ca/authority.ts";
import { writeCredentials } from "../../src/ca/credentials.ts";
import type { Device } from "./cluster-device.ts";
import { cluster } from "./file-cluster.ts";
import { stranger, tlsCredentials } from "./stranger.ts";

export type Role = "device" | "frontend" | "operator";
export interface Files {
  readonly cert: string;
  readonly key: string;
}

export async function issued(role: Role, name: string, place = "more"): Promise<Files> {
  const { ca_dir } = cluster.demo.line;
  const read = (file: string) => readFile(join(ca_dir, file), "utf8");
  const authority = { certificatePem: await read("ca.pem"), keyPem: await read("ca.key") };
  const hosts = role === "device" ? ["localhost", "127.0.0.1"] : [];
  const pair = await issue(authority, { role, name, hosts, days: 1 });
  const { certificate, key } = await writeCredentials(join(ca_dir, place), `${role}-${name}`, pair);
  return { cert: certificate, key };
}

/** One kept-alive connection to the git port of a device, as another device has it. */
export function connection(to: Device, { cert, key }: Files) {
  const read = (file: string) => readFileSync(file);
  const agent = new Agent({
    keepAlive: true,
    maxSockets: 1,
    ca: read(cluster.demo.line.ca),
    cert: read(cert),
    key: read(key),
  });
  const sockets: TLSSocket[] = [];
  return {
    sockets,
    async ask(): Promise<{ status: number; said: string }> {
      const asking = request(`${to.demo.git}/v1/directory`, { method: "POST", agent });
      asking.on("socket", (socket) => sockets.includes(socket as TLSSocket) || sockets.push(socket as TLSSocket));
      // No repository has the name, so any device may ask about it.
      asking.end(JSON.stringify({ repository: "nobody/has" }));
      const [response] = await once(asking, "response");
      return { status: response.statusCode, said: await text(response) };
    },
    [Symbol.dispose]: () => agent.destroy(),
  };
}

export async function atGrpc(to: Device, files: Files): Promise<string> {
  using client = stranger(to.demo.grpc, tlsCredentials(cluster.demo.line.ca, files));
  return await client.call("GetStatus").then(
    () => "OK",
    (error: { code: string; message: string }) => `${error.code}: ${error.message}`,
  );
}
