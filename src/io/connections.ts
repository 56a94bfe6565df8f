// The connections that a server has accepted. A TLS server lists a connection only after its handshake. A connection
// still in its handshake would delay the exit of the process by two minutes.
import type { Server, Socket } from "node:net";

/** Returns a function that cuts every connection accepted by `server` since this call. */
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
