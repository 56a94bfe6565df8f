// A peer without the pack stream: git's own http-backend behind https. Clients need a certificate.
import { spawn } from "node:child_process";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { contentsOf, type Files } from "./git-port.ts";

export interface PlainGitServer extends AsyncDisposable {
  readonly address: string;
  /** The method and path of every request so far. */
  readonly requests: string[];
  /** If set, the server answers all requests of git with this status. */
  status: number | undefined;
}

/** Serves the repositories below `root` to readers. */
export async function plainGitServer(root: string, files: Files): Promise<PlainGitServer> {
  const tls = { ...(await contentsOf(files)), requestCert: true, rejectUnauthorized: true };
  const requests: string[] = [];
  const server = createServer(tls, (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const git = /\/(info\/refs|git-upload-pack)(\?|$)/.test(request.url ?? "");
    if (git && plain.status === undefined) backend(root, request, response);
    else response.writeHead(git ? (plain.status ?? 500) : 404).end("Not here.\n");
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const plain: PlainGitServer = {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    status: undefined,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((done) => server.close(() => done()));
      server.closeAllConnections();
      await closed;
    },
  };
  return plain;
}

/** Answers a request as git http-backend does for the repositories below `root`. */
export function backend(root: string, request: IncomingMessage, response: ServerResponse): void {
  const [path, query = ""] = (request.url ?? "").split("?");
  const child = spawn("git", ["-c", "safe.directory=*", "http-backend"], {
    env: {
      PATH: process.env.PATH,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: path,
      QUERY_STRING: query,
      REQUEST_METHOD: request.method,
      SERVER_PROTOCOL: "HTTP/1.1",
      CONTENT_TYPE: request.headers["content-type"],
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"],
      GIT_PROTOCOL: request.headers["git-protocol"] as string | undefined,
    },
    stdio: ["pipe", "pipe", "inherit"],
  });
  request.pipe(child.stdin.on("error", () => {}));
  let head = Buffer.alloc(0);
  const onHead = (chunk: Buffer) => {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    child.stdout.off("data", onHead);
    const headers = Object.fromEntries(
      head
        .subarray(0, end)
        .toString()
        .split("\r\n")
        .map((line) => line.split(/: (.*)/s) as [string, string]),
    );
    response.writeHead(Number.parseInt(headers.Status ?? "200", 10), headers).write(head.subarray(end + 4));
    child.stdout.pipe(response);
  };
  child.stdout.on("data", onHead);
  response.once("close", () => child.kill());
}
