// A client that sends the head of a request without end, a line at a time.
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** Sends such a request to a port of this machine. Returns when the server has cut the connection off. */
export async function sendSlowly(port: number): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  const closed = once(socket.resume(), "close");
  socket.write("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n");
  for (let line = 0; !socket.closed; line += 1) {
    if (!socket.destroyed) socket.write(`X-${line}: 1\r\n`);
    await Promise.race([closed, delay(100)]);
  }
}
