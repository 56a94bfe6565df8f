// Finds free ports of this machine. The kernel gives the ports from 32768 on to outgoing connections. One of those
// could take a chosen port before its server listens, so the range ends below.
import { randomInt } from "node:crypto";
import { createServer, type Server } from "node:net";

const RANGE = { low: 10_000, high: 32_767 };
const ATTEMPTS = 1_000;

/**
 * Returns `count` ports of 127.0.0.1 that are free now. Holds each port open until all are known, so that none is
 * returned twice. The ports are consecutive from a random one on: two demos that start together then seldom collide.
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
