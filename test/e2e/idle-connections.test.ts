// Ten thousand connections to each door that say nothing, from one process. Meanwhile the device is ready, and pushes go
// on.
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Cluster, startCluster } from "../support/cluster.ts";
import type { Device } from "../support/cluster-device.ts";
import { type Pusher, pusher } from "../support/pusher.ts";
import { soon } from "../support/soon.ts";

const CONNECTIONS = 10_000;
const AT_ONCE = 250;
const MIB = 1024 * 1024;
/** More than a door keeps open of these connections. */
const DESCRIPTORS = 1_000;
const SOON = soon(100);

const limits = await readFile("/proc/self/limits", "utf8");
const openFiles = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? 0);
const isAllowed = openFiles >= CONNECTIONS + 1_000;
if (!isAllowed)
  console.warn(`The test with ${CONNECTIONS} idle connections is skipped: a process here opens ${openFiles} files.`);

describe.runIf(isAllowed)(`${CONNECTIONS} connections that say nothing`, () => {
  let cluster: Cluster;
  let one: Device;
  let ada: Pusher;
  let repository: string;
  const sockets = new Set<Socket>();
  beforeAll(async () => {
    cluster = await startCluster();
    [one] = cluster.devices as [Device];
    ada = await pusher(cluster.git, "ada");
    repository = await cluster.createRepository();
  });
  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    await cluster?.[Symbol.asyncDispose]();
  });

  /** Opens connections. The other side may have ended some of them at once, which is an answer too. */
  async function open(port: number, count: number): Promise<void> {
    const opened = Array.from({ length: count }, async () => {
      const socket = connect({ port, host: "127.0.0.1" }).on("error", () => {});
      sockets.add(socket);
      socket.resume().once("close", () => sockets.delete(socket));
      await Promise.race([once(socket, "connect"), once(socket, "close")]);
    });
    await Promise.all(opened);
  }

  async function costOf(pid: number): Promise<{ memory: number; descriptors: number }> {
    const kilobytes = /^VmRSS:\s+(\d+)/m.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1];
    return { memory: Number(kilobytes) * 1024, descriptors: (await readdir(`/proc/${pid}/fd`)).length };
  }

  it.each([
    ["the port of plain HTTP", (device: Device) => ({ url: device.demo.http, pid: device.pid })],
    ["the gate", (device: Device) => ({ url: device.demo.gate.url, pid: device.demo.gate.pid })],
    ["the git port", (device: Device) => ({ url: device.demo.git, pid: device.pid })],
    ["the gRPC port", (device: Device) => ({ url: `https://${device.demo.grpc}`, pid: device.pid })],
  ])("to %s leave the device ready, a push goes on, and memory and descriptors are bounded", async (_, doorOf) => {
    const { url, pid } = doorOf(one);
    const before = await costOf(pid);
    const port = Number(new URL(url).port);
    for (let count = 0; count < CONNECTIONS; count += AT_ONCE) {
      await open(port, AT_ONCE);
      if (count % 2_500 === 0) expect(await one.isReady()).toBe(true);
    }
    expect((await fetch(`${one.demo.http}/readyz`)).status).toBe(200);
    await ada.land(one.url(repository), `+${await ada.commit()}:refs/heads/main`);
    await vi.waitFor(async () => {
      const now = await costOf(pid);
      expect(now.descriptors - before.descriptors).toBeLessThan(DESCRIPTORS);
      expect(now.memory - before.memory).toBeLessThan(200 * MIB);
    }, SOON);
    for (const socket of sockets) socket.destroy();
    await vi.waitFor(async () => expect((await costOf(pid)).descriptors - before.descriptors).toBeLessThan(50), SOON);
  });
});
