// Connections that send nothing.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { soon } from "./soon.ts";

export const SOON = soon(20);

export const sockets = new Set<Socket>();

/** Opens a connection and sends nothing. */
export async function idle(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  sockets.add(socket);
  await once(socket, "connect");
  return socket;
}

export const idles = (port: number, count: number) => Promise.all(Array.from({ length: count }, () => idle(port)));
export const closed = (all: readonly Socket[]) => all.filter((each) => each.closed || each.readableEnded).length;
