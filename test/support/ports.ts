// Ports and sockets of the servers that a test starts.
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

const START_DEADLINE_MS = 10_000;

/** A port of 127.0.0.1 that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

/** Resolves when somebody listens there; throws when nobody does for ten seconds. */
export async function untilListening(place: { path: string } | { host: string; port: number }): Promise<void> {
  const deadline = Date.now() + START_DEADLINE_MS;
  for (;;) {
    const socket = connect(place);
    try {
      await once(socket, "connect");
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await delay(20);
    } finally {
      socket.destroy();
    }
  }
}
