// The git port of a device, and another device that may ask it.
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { promisify } from "node:util";
import { type Authority, authorityIn, contentsOf, credentialsOf, type Files, openGitPort } from "./git-port.ts";
import { TestCluster } from "./sync-cluster.ts";
import { change, type TestDevice } from "./sync-device.ts";

export const APP = "team/app";
/** More than what fits between the two ends of a connection. */
export const LARGE = 16_000_000;
const run = promisify(execFile);

export interface Fixture extends AsyncDisposable {
  readonly cluster: TestCluster;
  readonly authority: Authority;
  readonly a: TestDevice;
  /** The certificate of another device. */
  readonly peer: Files;
  readonly address: string;
  /** On main, and a commit that main had before. */
  readonly one: string;
  readonly old: string;
  git(files: Files, ...args: string[]): Promise<{ stdout: string; stderr: string }>;
  ask(path: string, options?: object, body?: string | Buffer): Promise<IncomingMessage>;
}

export async function fixture(bytes = 1_000): Promise<Fixture> {
  const cluster = await TestCluster.make();
  const authority = await authorityIn(credentialsOf(cluster));
  const a = await cluster.start("repo001");
  await cluster.create(APP, [a]);
  // A device that should hold the repository may fetch it, whether its sidecar runs or not.
  await cluster.sql("insert into lockstep.device (name) values ('repo002')");
  await cluster.sql(
    "insert into lockstep.replica (repository_id, device) select id, 'repo002' from lockstep.repository",
  );
  const [one, old] = [await a.commit(APP, "one", { content: randomBytes(bytes) }), await a.commit(APP, "old")];
  await a.push(APP, [change("main", null, old)]);
  await a.push(APP, [change("main", old, one)]);
  // What is in a pack is sent as it is.
  await a.git(APP, ["repack", "-adq"]);
  const port = await openGitPort(a, await authority.issue("device", "repo001"));
  const peer = await authority.issue("device", "repo002");
  const tls = await contentsOf(peer);
  return {
    cluster,
    authority,
    a,
    peer,
    address: port.address,
    one,
    old,
    async git({ cert, key, ca }, ...args) {
      const config = [`http.sslCert=${cert}`, `http.sslKey=${key}`, `http.sslCAInfo=${ca}`];
      const env = { PATH: process.env.PATH, HOME: cluster.dir, GIT_CONFIG_NOSYSTEM: "1", LC_ALL: "C" };
      return await run("git", [...config.flatMap((setting) => ["-c", setting]), ...args], { env, cwd: cluster.dir });
    },
    async ask(path, options = {}, body: string | Buffer = "") {
      const asking = request(`https://${port.address}${path}`, { ...tls, agent: false, ...options });
      asking.on("error", () => {});
      asking.end(body);
      return (await once(asking, "response"))[0] as IncomingMessage;
    },
    async [Symbol.asyncDispose]() {
      await port[Symbol.asyncDispose]();
      await cluster[Symbol.asyncDispose]();
    },
  };
}

export const packet = (line: string) => `${(line.length + 4).toString(16).padStart(4, "0")}${line}`;
