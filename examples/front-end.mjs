// A front end that serves clone and fetch over HTTP, from the disk of the device beside it:
//   node examples/front-end.mjs 7480 /srv/git /run/lockstep
// git clone http://127.0.0.1:7480/team/app.git then has every push that was acknowledged before it began, on any device.
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { createGunzip } from "node:zlib";
import { Client } from "git-lockstep";

const [, , port, root, socketDir] = process.argv;
const client = new Client({ socket: `${socketDir}/lockstep.sock` });

createServer(async (request, response) => {
  const [, repository, first] = /^\/(.+)\.git\/(info\/refs\?service=)?git-upload-pack$/.exec(request.url) ?? [];
  if (!repository) return response.writeHead(403).end("This front end serves clone and fetch only.\n");
  const refused = await client.beforeRead({ repository }).then(
    () => undefined,
    (error) => error,
  );
  if (refused) return response.writeHead(503).end(`${refused.message}\n`);
  response.writeHead(200, { "Content-Type": `application/x-git-upload-pack-${first ? "advertisement" : "result"}` });
  if (first) response.write("001e# service=git-upload-pack\n0000");
  const args = [
    "upload-pack",
    "--strict",
    first ? "--http-backend-info-refs" : "--stateless-rpc",
    `${root}/${repository}.git`,
  ];
  const env = { PATH: process.env.PATH, GIT_PROTOCOL: request.headers["git-protocol"] ?? "" };
  const git = spawn("git", args, { env, stdio: ["pipe", "pipe", "inherit"] });
  (request.headers["content-encoding"] === "gzip" ? request.pipe(createGunzip()) : request).pipe(git.stdin);
  git.stdout.pipe(response);
}).listen(Number(port), "127.0.0.1", () => console.log(`listening on ${port}`));
