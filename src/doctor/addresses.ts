// Checks the addresses that `serve` listens on: each must be free, or in use by the sidecar of this device.
import { createServer } from "node:net";
import { socketPath } from "../io/socket-path.ts";
import type { Config } from "../settings/config.ts";
import { required } from "../settings/read-config.ts";
import { parseHostPort } from "../settings/setting-checks.ts";
import type { Look } from "./finding.ts";

const PATIENCE_MS = 2_000;

const REMEDIES: Readonly<Record<string, string>> = {
  EADDRINUSE: "end the process that has it, or choose another one",
  EADDRNOTAVAIL: "give an address of this machine, or 0.0.0.0 for all of them",
  EACCES: "choose a port above 1023",
  ENOTFOUND: "give an address, or a host name that resolves",
};

export const lookAtAddress =
  (name: "listen" | "git-listen" | "http-listen"): Look =>
  async (config) => {
    const address = required(config, name);
    const { host, port } = parseHostPort(address);
    const refusal = await tryToListen(host, port);
    if (refusal === undefined) return `${address} is free`;
    if (refusal === "EADDRINUSE" && (await isOurs(config, name, port)))
      return `${address}, held by the sidecar that runs here`;
    const remedy = REMEDIES[refusal] ?? "choose another one";
    return { missing: `Nothing can listen on ${address} of --${name} (${refusal}); ${remedy}.` };
  };

/** Tries to listen on the address. Returns undefined on success, else the error code of the operating system. */
async function tryToListen(host: string, port: number): Promise<string | undefined> {
  const server = createServer();
  return await new Promise((resolve) => {
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen(port, host, () => server.close(() => resolve(undefined)));
  });
}

async function isOurs(config: Config, name: "listen" | "git-listen" | "http-listen", port: number): Promise<boolean> {
  try {
    const { Client } = await import("../client/client.ts");
    using client = new Client({ socket: socketPath(required(config, "socket-dir"), "lockstep.sock") });
    const { devices } = await client.call("GetStatus", {}, { timeoutMs: PATIENCE_MS });
    const me = devices.find((device) => device.name === config.device);
    if (name === "http-listen") return me !== undefined && (await answersLikeUs(required(config, name)));
    const held = name === "listen" ? me?.grpcAddress : me?.gitAddress;
    return held !== undefined && parseHostPort(held).port === port;
  } catch {
    // No sidecar of ours answers, so another process uses the address.
    return false;
  }
}

async function answersLikeUs(address: string): Promise<boolean> {
  const response = await fetch(`http://${address}/gate`, { signal: AbortSignal.timeout(PATIENCE_MS) });
  return response.headers.has("lockstep-reason");
}
