// Requests that a client sends before it has the answer to the last one (HTTP calls it pipelining). Node hands all of them over at once, and
// a response that waits for its connection never learns that the connection has ended: whatever serves it would run for ever. So the
// requests of one connection are served one after another, and those that still wait when it ends are forgotten with it.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

type Serve = (request: IncomingMessage, response: ServerResponse) => void;

/** A connection on which so many requests wait is not read from until some are served. */
const WAITING_LIMIT = 64;

/** A listener for a server's requests that calls `serve` when the response has its connection. */
export function inTurn(serve: Serve): Serve {
  const queues = new WeakMap<Socket, [IncomingMessage, ServerResponse][]>();
  const start: Serve = (request, response) => {
    response.once("close", () => next(request.socket));
    serve(request, response);
  };
  const next = (socket: Socket) => {
    const queue = queues.get(socket);
    const first = queue?.shift();
    if (queue === undefined || first === undefined) return;
    // The connection has ended, or ends with the last answer.
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
