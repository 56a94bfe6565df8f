// A gate of a test's own beside a device, with an address for its health and metrics.
import { text } from "node:stream/consumers";
import type { Device } from "./cluster-device.ts";
import { freePort, untilListening } from "./ports.ts";

export interface WatchedGate extends AsyncDisposable {
  /** `host:port` of its health and metrics. */
  readonly httpAt: string;
  url(repository: string): string;
  /** Asks for a path at that address. */
  http(path: string): Promise<{ status: number; body: string }>;
  /** Returns the lines of the page of metrics. */
  metrics(): Promise<string[]>;
  /** Ends the gate and returns the lines of its log. */
  log(): Promise<Record<string, unknown>[]>;
}

export async function startWatchedGate(
  device: Device,
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<WatchedGate> {
  const [port, httpPort] = [await freePort(), await freePort()];
  const listen = ["--gate-listen", `127.0.0.1:${port}`, "--gate-http-listen", `127.0.0.1:${httpPort}`];
  const child = device.command(["gate", "--root", device.demo.root, ...listen, ...args], env);
  const said = text(child.stderr!);
  const closed = new Promise((done) => child.once("close", done));
  const httpAt = `127.0.0.1:${httpPort}`;
  const http = async (path: string) => {
    const response = await fetch(`http://${httpAt}${path}`);
    return { status: response.status, body: await response.text() };
  };
  const stop = async () => {
    child.kill("SIGTERM");
    await closed;
  };
  await untilListening({ host: "127.0.0.1", port });
  return {
    httpAt,
    url: (repository) => `http://127.0.0.1:${port}/${repository}.git`,
    http,
    metrics: async () => (await http("/metrics")).body.split("\n"),
    async log() {
      await stop();
      return (await said).split("\n").flatMap((line) => (line.startsWith("{") ? [JSON.parse(line)] : []));
    },
    [Symbol.asyncDispose]: stop,
  };
}
