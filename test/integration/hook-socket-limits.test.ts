// What one client of the socket of the shims may cost: connections that say nothing, and conversations that never end.
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { encodeFrames } from "../../src/framing/frames.ts";
import { type HookLimits, serveHooks } from "../../src/hook/server.ts";
import { Newcomers } from "../../src/io/connections.ts";
import { soon } from "../support/soon.ts";
import { TestCluster } from "../support/sync-cluster.ts";

const SOON = soon(20);
/** No connection is cut because of the time. */
const PATIENT = { patienceMs: 3_600_000 };

const sockets = new Set<Socket>();
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
});

const closed = (all: readonly Socket[]) => all.filter(({ closed: isClosed }) => isClosed).length;
/** The descriptors of this process. It has both ends of each connection. */
const descriptors = () => readdirSync("/proc/self/fd").length;

/** A device with a repository, and the socket of its shims. */
async function site(limits: HookLimits) {
  const cluster = await TestCluster.make();
  const device = await cluster.start("repo001");
  await cluster.create("app", [device]);
  await mkdir(join(cluster.dir, "run"), { recursive: true });
  const path = join(cluster.dir, "run", "hook.sock");
  const server = await serveHooks(device.context, path, undefined, limits);
  const open = async (said?: Buffer): Promise<Socket> => {
    const socket = connect(path);
    socket.on("error", () => {});
    sockets.add(socket);
    await once(socket, "connect");
    if (said) socket.write(said);
    return socket;
  };
  return {
    device,
    path,
    open,
    /** Asks as upload-pack does, and returns all that the sidecar says. */
    async ask(): Promise<string> {
      const socket = await open(hello("upload-pack", "app"));
      let answer = "";
      for await (const piece of socket) answer += String(piece);
      return answer;
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await cluster[Symbol.asyncDispose]();
    },
  };
}

const hello = (op: string, dir: string) => encodeFrames("H", `version=1\0op=${op}\0dir=${dir}\0`);
const ANSWERED = expect.stringMatching(/^P.*app\.git.*0$/s);

describe("connections to the socket of the shims", () => {
  it("that say nothing, or half a frame, are so many; beyond that the oldest is cut, and others are served", async () => {
    await using place = await site({ newcomers: new Newcomers({ most: 100, ...PATIENT }) });
    expect(await place.ask()).toEqual(ANSWERED);
    const before = descriptors();
    const half = hello("upload-pack", "app").subarray(0, 20);
    const idle: Socket[] = [];
    for (let count = 0; count < 10_000; count += 1) {
      const socket = await place.open(count % 2 === 0 ? undefined : half);
      socket.resume();
      idle.push(socket);
    }
    await vi.waitFor(() => expect(closed(idle)).toBe(9_900), SOON);
    expect(closed(idle.slice(0, 9_900))).toBe(9_900);
    expect(descriptors() - before).toBeLessThan(210);
    expect(await place.ask()).toEqual(ANSWERED);
    expect(place.device.logged.filter(({ level }) => Number(level) > 30)).toEqual([]);
  });

  it("are cut if their first frame does not come in time", async () => {
    await using place = await site({ newcomers: new Newcomers({ patienceMs: 300 }) });
    const idle = [await place.open(), await place.open(hello("upload-pack", "app").subarray(0, 20))];
    for (const each of idle) each.resume();
    await vi.waitFor(() => expect(closed(idle)).toBe(2), SOON);
    expect(await place.ask()).toEqual(ANSWERED);
  });

  it("connections that have their answer and do not go are cut", async () => {
    await using place = await site({ newcomers: new Newcomers({ patienceMs: 300 }) });
    const socket = connect({ path: place.path, allowHalfOpen: true });
    sockets.add(socket);
    socket.on("error", () => {});
    socket.write(hello("upload-pack", "app"));
    socket.resume();
    await once(socket, "end");
    await vi.waitFor(() => {
      // The other end is closed once a write fails.
      socket.write("x");
      expect(closed([socket])).toBe(1);
    }, SOON);
  });

  it("have so many conversations; a further one is told so, and is served when one has ended", async () => {
    await using place = await site({ conversations: 3 });
    const pushes = [];
    for (let count = 0; count < 3; count += 1) pushes.push(await place.open(hello("proc-receive", "app")));
    await vi.waitFor(async () => expect(await place.ask()).toMatch(/has 3 pushes and reads under way.*1$/s), SOON);
    pushes[0]?.destroy();
    await vi.waitFor(async () => expect(await place.ask()).toEqual(ANSWERED), SOON);
  });
});
