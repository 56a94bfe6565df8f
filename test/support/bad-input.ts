// A cluster for tests of bad input, which must leave no trace in it.
import { readdir } from "node:fs/promises";
import { connect } from "node:net";
import { afterAll, beforeAll, expect } from "vitest";
import { administer } from "./administer.ts";
import { type Cluster, startCluster } from "./cluster.ts";
import { type Device, PATIENCE } from "./cluster-device.ts";
import { type Pusher, pusher } from "./pusher.ts";
import { SOON } from "./soon.ts";

export const MEGABYTE = 1 << 20;
/** A server closes a bad connection within this time. */
export const CLOSING_MS = SOON.timeout;

export interface BadInputTarget extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly one: Device;
  readonly two: Device;
  readonly three: Device;
  readonly ada: Pusher;
  /** The one commit of the repository `demo`. */
  readonly tip: string;
}

export async function startBadInputTarget(): Promise<BadInputTarget> {
  const cluster = await startCluster();
  const [one, two, three] = cluster.devices as [Device, Device, Device];
  const ada = await pusher(cluster.git, "ada");
  const tip = await ada.commit();
  await ada.land(one.url("demo"), `${tip}:refs/heads/main`);
  return { cluster, one, two, three, ada, tip, [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose]() };
}

/** Returns everything that bad input could change: the files of all roots, and the number of rows. */
async function everything(cluster: Cluster): Promise<unknown> {
  const files = await Promise.all(
    cluster.devices.map(async ({ demo }) => (await readdir(demo.root, { recursive: true })).sort()),
  );
  const rows = await administer(cluster.databaseUrl, async (client) => {
    const tables = ["device", "repository", "replica", "ref_log", "ref_log_update", "repository_ref", "turn"];
    const counts = tables.map((table) => `(select count(*)::int from lockstep.${table}) as "${table}"`);
    // A push that is refused late leaves a dropped row, which is allowed.
    counts.push("(select count(*)::int from lockstep.write where status <> 'dropped') as write");
    return (await client.query(`select ${counts.join(", ")}`)).rows;
  });
  return { files, rows };
}

/** Expects the processes that the demo started to live and to answer. */
async function expectAlive({ cluster, tip }: BadInputTarget): Promise<void> {
  for (const device of cluster.devices) {
    expect(await device.isReady()).toBe(true);
    process.kill(device.pid, 0);
    expect(await cluster.git.git(["ls-remote", device.url("demo"), "refs/heads/main"])).toContain(tip);
  }
}

/** Sends `pieces` and returns the server's bytes until it closes. Rejects if the server keeps the connection open. */
export async function send(
  where: { path: string } | { port: number },
  ...pieces: (string | Buffer)[]
): Promise<Buffer> {
  const socket = connect({ ...where, host: "127.0.0.1" });
  // A server that closes early does not read the rest, which gives an error here.
  socket.on("error", () => {});
  const received: Buffer[] = [];
  socket.on("data", (chunk) => received.push(chunk));
  for (const piece of pieces) socket.write(piece);
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`still open after ${CLOSING_MS} ms, having said ${Buffer.concat(received)}`));
      socket.destroy();
    }, CLOSING_MS);
    socket.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
  });
  return Buffer.concat(received);
}

/** Expects the tests of the surrounding `describe` to change nothing and to leave all devices alive. */
export function leavesNoTrace(target: () => BadInputTarget): void {
  let before: unknown;
  beforeAll(async () => {
    // Followers record a push a moment after its report.
    for (const device of target().cluster.devices) await device.call("BeforeRead", { repository: "demo" }, PATIENCE);
    before = await everything(target().cluster);
  });
  afterAll(async () => {
    expect(await everything(target().cluster)).toEqual(before);
    await expectAlive(target());
  });
}
