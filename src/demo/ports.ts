// Finds free ports of this machine. The kernel gives the ports from 32768 on to outgoing connections. One of those
// could take a chosen port before its server listens, so the range ends below.
//
// A port is free while its server restarts, and another demo must not choose it then. So a process claims a block of
// ports: it listens at the first port of the block until it ends. It gives out the other ports.
import { randomInt } from "node:crypto";
import { createServer, type Server } from "node:net";

const RANGE = { low: 10_000, high: 32_767 };
const BLOCK = 32;
const BLOCKS = Math.floor((RANGE.high - RANGE.low + 1) / BLOCK);

/** The ports of this process's blocks that were not given out yet. */
const ports: number[] = [];

/**
 * Returns `count` ports of 127.0.0.1 that are free now. No call returns a port twice, nor a port that another process
 * got from this function, as long as that process lives. Throws EADDRINUSE if no block is left.
 */
export async function freePorts(count: number): Promise<number[]> {
  const found: number[] = [];
  while (found.length < count) {
    const port = ports.shift();
    if (port === undefined) ports.push(...(await claimBlock()));
    else if (await isFree(port)) found.push(port);
  }
  return found;
}

/**
 * Claims a block for the life of this process: number `first`, or the next one that no process has. Returns its ports
 * but the first one. Throws EADDRINUSE if processes have all blocks.
 */
export async function claimBlock(first = randomInt(BLOCKS)): Promise<number[]> {
  for (let attempt = 0; ; attempt += 1) {
    const low = RANGE.low + ((first + attempt) % BLOCKS) * BLOCK;
    try {
      const claim = await listen(low);
      claim.unref();
      return Array.from({ length: BLOCK - 1 }, (_, index) => low + 1 + index);
    } catch (error) {
      if (attempt >= BLOCKS) throw error;
    }
  }
}

async function isFree(port: number): Promise<boolean> {
  try {
    const server = await listen(port);
    await new Promise<void>((done) => server.close(() => done()));
    return true;
  } catch {
    return false;
  }
}

async function listen(port: number): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((done, failed) => server.once("error", failed).listen(port, "127.0.0.1", done));
  return server;
}
