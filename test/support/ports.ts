// Finds ports for the servers that a test starts, and waits for these servers.
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { freePorts } from "../../src/demo/ports.ts";
import { SOON } from "./soon.ts";

/** Returns a port of 127.0.0.1 that is free now. */
export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  return port as number;
}

/** Resolves when a server listens at `place`. Throws if none has come after `SOON.timeout`. */
export async function untilListening(place: { path: string } | { host: string; port: number }): Promise<void> {
  const deadline = Date.now() + SOON.timeout;
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
