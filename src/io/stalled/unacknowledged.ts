// What the kernel still keeps for a peer. Node tells only what the kernel has taken from this process.
import { readlinkSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { Socket } from "node:net";

/** Many connections that stand still are looked up with one reading of the table. */
const FRESH_MS = 100;
/** The columns of the kernel's table of connections, as proc_pid_net(5) has them. */
const [QUEUES, INODE] = [4, 9];

/** The bytes that the other end has not acknowledged, in hexadecimal, by the inode of the connection. */
type Queues = ReadonlyMap<string, string>;

let queues: Promise<Queues> | undefined;

/**
 * Returns how many bytes the peer of a TCP connection has not acknowledged, as a text to compare with a later one.
 * undefined: this is no TCP, or the kernel does not tell.
 */
export async function unacknowledged(socket: Socket): Promise<string | undefined> {
  const inode = inodeOf(socket);
  if (inode === undefined) return undefined;
  if (queues === undefined) {
    queues = readQueues();
    setTimeout(() => {
      queues = undefined;
    }, FRESH_MS).unref();
  }
  return (await queues).get(inode);
}

function inodeOf(socket: Socket): string | undefined {
  // Node has no public way to the descriptor of a connection.
  const { fd } = (socket as unknown as { readonly _handle?: { readonly fd?: number } | null })._handle ?? {};
  if (fd === undefined || fd < 0) return undefined;
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1];
  } catch {
    return undefined;
  }
}

async function readQueues(): Promise<Queues> {
  const tables = await Promise.all(
    ["tcp", "tcp6"].map((name) => readFile(`/proc/self/net/${name}`, "latin1").catch(() => "")),
  );
  const rows = tables.flatMap((table) => table.split("\n").slice(1)).map((row) => row.trim().split(/\s+/));
  return new Map(rows.map((row) => [row[INODE] ?? "", row[QUEUES]?.split(":")[0] ?? ""]));
}
