import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { Client } from "git-lockstep";

const [, , port, root, socketDir] = process.argv; // for example 7480 /srv/git /run/lockstep
const client = new Client({ socket: `${socketDir}/lockstep.sock` });
createServer(async (request, response) => {
  const [, repository, first] = /^\/(.+)\.git\/(info\/refs\?service=)?git-upload-pack$/.exec(request.url) ?? [];
  if (!repository) return response.writeHead(403).end("This front end serves clone and fetch only.\n");
  if (!(await client.beforeHttpRead({ repository }, response))) return;
  response.writeHead(200, { "Content-Type": `application/x-git-upload-pack-${first ? "advertisement" : "result"}` });
  if (first) response.write("001e# service=git-upload-pack\n0000");
  const args = ["--strict", first ? "--http-backend-info-refs" : "--stateless-rpc", `${root}/${repository}.git`];
  const env = { PATH: process.env.PATH, GIT_PROTOCOL: request.headers["git-protocol"] ?? "" };
  const git = spawn("git", ["upload-pack", ...args], { env, stdio: ["pipe", "pipe", "inherit"] });
  pipeline(request, ...(request.headers["content-encoding"] === "gzip" ? [createGunzip()] : []), git.stdin, () => {});
  pipeline(git.stdout, response, () => {});
}).listen(Number(port), "127.0.0.1");
