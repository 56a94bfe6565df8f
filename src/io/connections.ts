// The connections that a server has accepted. What a server of TLS lists itself begins with the end of the handshake, and one
// that is still before it would keep a process from ending for two minutes.
import type { Server, Socket } from "node:net";

/** Returns a function that cuts every connection accepted by `server` from now on. */
export function cutterOf(server: Server): () => void {
  const open = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
  return () => {
    for (const socket of open) socket.destroy();
  };
}
