// Handles pipelined HTTP requests, which a client sends before it has the last answer. Node hands all of them over at
// once. A response that waits for its connection never learns that the connection has ended, so its request would run
// for ever. Therefore the requests of one connection are served one after another, and waiting ones are dropped when it
// ends.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

type Serve = (request: IncomingMessage, response: ServerResponse) => void;

/** While this many requests wait on a connection, nothing more is read from it. */
const WAITING_LIMIT = 64;

/** Returns a listener for a server's requests. It calls `serve` when the response has its connection. */
export function oneAtATime(serve: Serve): Serve {
  const queues = new WeakMap<Socket, [IncomingMessage, ServerResponse][]>();
  const start: Serve = (request, response) => {
    response.once("close", () => next(request.socket));
    serve(request, response);
  };
  const next = (socket: Socket) => {
    const queue = queues.get(socket);
    const first = queue?.shift();
    if (queue === undefined || first === undefined) return;
    // The connection has ended, or will end with the last answer.
    if (first[1].socket === null) return void queues.delete(socket);
    if (queue.length === WAITING_LIMIT - 1) socket.resume();
    start(...first);
  };
  return (request, response) => {
    if (response.socket !== null) return start(request, response);
    const { socket } = request;
    const queue = queues.get(socket) ?? [];
    queues.set(socket, queue);
    queue.push([request, response]);
    if (queue.length >= WAITING_LIMIT) socket.pause();
  };
}
