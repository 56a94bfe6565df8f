// A proxy before a port of one device. A test can cut or stall it for single other devices. All devices are on one
// machine, so the operating system tells whose socket the other end is.
import { once } from "node:events";
import { readdir, readFile, readlink } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export type Block = "cut" | "stalled" | "answers stalled";

/** Returns the process id of each device's sidecar. */
export type Sidecars = () => ReadonlyMap<string, number>;

interface Pair {
  readonly from: string | undefined;
  readonly sockets: readonly [Socket, Socket];
}

export class PeerProxy implements AsyncDisposable {
  readonly #pairs = new Set<Pair>();
  readonly #blocks = new Map<string, Block>();
  readonly #server = createServer({ pauseOnConnect: true }, (client) => void this.#take(client));
  readonly #target: string;
  readonly #sidecars: Sidecars;

  private constructor(target: string, sidecars: Sidecars) {
    this.#target = target;
    this.#sidecars = sidecars;
  }

  /** Listens on a port of 127.0.0.1 and passes all data to the same port of the address `target`. */
  static async open(target: string, sidecars: Sidecars): Promise<PeerProxy> {
    const proxy = new PeerProxy(target, sidecars);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /**
   * Blocks the connections of the device `from`. "cut" breaks them and refuses new ones. "stalled" stops all data
   * without closing a connection. With "answers stalled" the requests of `from` still arrive, but it reads no answer.
   */
  block(from: string, how: Block): void {
    this.#blocks.set(from, how);
    for (const pair of [...this.#pairs].filter((each) => each.from === from)) this.#obey(pair);
  }

  mend(from: string): void {
    this.#blocks.delete(from);
    for (const pair of [...this.#pairs].filter((each) => each.from === from)) this.#obey(pair);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { sockets } of this.#pairs) sockets[0].destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #take(client: Socket): Promise<void> {
    client.on("error", () => {});
    const from = await ownerOf(client.remotePort ?? 0, this.port, this.#sidecars());
    const upstream = connect(this.port, this.#target);
    const pair: Pair = { from, sockets: [client, upstream] };
    this.#pairs.add(pair);
    const end = () => {
      this.#pairs.delete(pair);
      for (const socket of pair.sockets) socket.destroy();
    };
    for (const socket of pair.sockets) socket.on("error", end).on("close", end);
    client.on("data", (chunk) => upstream.write(chunk));
    upstream.on("data", (chunk) => client.write(chunk));
    if (client.destroyed) return end();
    this.#obey(pair);
  }

  #obey({ from, sockets }: Pair): void {
    const block = from === undefined ? undefined : this.#blocks.get(from);
    const [client, upstream] = sockets;
    if (block === "cut") return void client.destroy();
    for (const socket of sockets) socket.resume();
    if (block === "stalled") client.pause();
    if (block !== undefined) upstream.pause();
  }
}

/** Returns the device whose sidecar holds the socket from `port` to `to` on this machine. */
async function ownerOf(port: number, to: number, sidecars: ReadonlyMap<string, number>): Promise<string | undefined> {
  const inHex = (each: number) => each.toString(16).toUpperCase().padStart(4, "0");
  const table = await readFile("/proc/net/tcp", "latin1");
  const line = table.split("\n").find((each) => each.includes(`:${inHex(port)} 0100007F:${inHex(to)} `));
  const inode = line?.trim().split(/\s+/)[9];
  for (const [device, pid] of sidecars) {
    const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
    const names = await Promise.all(descriptors.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => "")));
    if (names.includes(`socket:[${inode}]`)) return device;
  }
  return undefined;
}
