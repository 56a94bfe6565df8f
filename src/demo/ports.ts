// Free ports of this machine. Below those that the kernel gives to outgoing connections (32768 and up), which come and go all the
// time: one of them might have the port before the server that it was chosen for listens.
import { randomInt } from "node:crypto";
import { createServer, type Server } from "node:net";

const RANGE = { low: 10_000, high: 32_767 };
const ATTEMPTS = 1_000;

/**
 * Ports of 127.0.0.1 that are free now; all are held open until all are known, so that none is given twice. They lie side by side:
 * another demo that chooses at the same moment then seldom meets these.
 */
export async function freePorts(count: number): Promise<number[]> {
  const held = new Map<number, Server>();
  const first = randomInt(RANGE.low, RANGE.high + 1);
  for (let attempts = 0; held.size < count; attempts += 1) {
    const port = RANGE.low + ((first + attempts) % (RANGE.high - RANGE.low + 1));
    const server = await listen(port).catch((error: unknown) => {
      if (attempts > ATTEMPTS) throw error;
      return undefined;
    });
    if (server) held.set(port, server);
  }
  await Promise.all([...held.values()].map((server) => new Promise<void>((done) => server.close(() => done()))));
  return [...held.keys()];
}

async function listen(port: number): Promise<Server> {
  const server = createServer();
  await new Promise<void>((done, failed) => server.once("error", failed).listen(port, "127.0.0.1", done));
  return server;
}
