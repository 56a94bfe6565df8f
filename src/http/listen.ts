import type { Server } from "node:http";

export interface HttpListener {
  readonly port: number;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts to listen. Throws the operating system's error when it cannot. Disposal cuts all connections. */
export async function listen(server: Server, { host, port }: { host: string; port: number }): Promise<HttpListener> {
  await new Promise<void>((done, failed) => server.once("error", failed).listen(port, host, done));
  return {
    port: (server.address() as { port: number }).port,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((done) => server.close(() => done()));
      server.closeAllConnections();
      await closed;
    },
  };
}
