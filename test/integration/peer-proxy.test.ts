import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { expect, it, vi } from "vitest";
import { SOON } from "../support/soon.ts";
import { PeerProxy } from "../torture/peer-proxy.ts";

/** An echo behind a proxy, for callers that are all this process: known as `me`, or as nobody. */
async function echo(sidecars: ReadonlyMap<string, number>) {
  const proxy = await PeerProxy.open("127.0.0.2", () => sidecars);
  const server = createServer((socket) => socket.on("error", () => {}).pipe(socket));
  await once(server.listen(proxy.port, "127.0.0.2"), "listening");
  const calls: Socket[] = [];
  return {
    proxy,
    call() {
      const socket = connect(proxy.port, "127.0.0.1").on("error", () => {});
      calls.push(socket);
      let heard = "";
      socket.setEncoding("utf8").on("data", (chunk) => {
        heard += chunk;
      });
      return { socket, heard: () => heard };
    },
    async [Symbol.asyncDispose]() {
      for (const socket of calls) socket.destroy();
      await proxy[Symbol.asyncDispose]();
      server.close();
    },
  };
}

it("a cut ends the connections of the device that it is for, and refuses new ones until it is mended", async () => {
  await using peer = await echo(new Map([["me", process.pid]]));
  const before = peer.call();
  before.socket.write("one");
  await vi.waitFor(() => expect(before.heard()).toBe("one"), SOON);
  peer.proxy.block("me", "cut");
  await vi.waitFor(() => expect(before.socket.destroyed).toBe(true), SOON);
  const during = peer.call();
  await vi.waitFor(() => expect(during.socket.destroyed).toBe(true), SOON);
  peer.proxy.mend("me");
  const after = peer.call();
  after.socket.write("two");
  await vi.waitFor(() => expect(after.heard()).toBe("two"), SOON);
});

it("a stalled way carries nothing, and goes on where it was when it is mended", async () => {
  await using peer = await echo(new Map([["me", process.pid]]));
  peer.proxy.block("me", "stalled");
  const call = peer.call();
  const free = await echo(new Map());
  call.socket.write("one");
  // Another way that is as long: what it has carried there and back this one could have carried too.
  const other = free.call();
  other.socket.write("x");
  await vi.waitFor(() => expect(other.heard()).toBe("x"), SOON);
  expect(call.heard()).toBe("");
  expect(call.socket.destroyed).toBe(false);
  peer.proxy.mend("me");
  await vi.waitFor(() => expect(call.heard()).toBe("one"), SOON);
  await free[Symbol.asyncDispose]();
});

it("a cut or a stall leaves the connections of other devices alone", async () => {
  await using peer = await echo(new Map([["somebody else", 1]]));
  peer.proxy.block("me", "cut");
  const call = peer.call();
  call.socket.write("one");
  await vi.waitFor(() => expect(call.heard()).toBe("one"), SOON);
});
