// The address of a client. Behind a proxy that the operator trusts, it is the one that the proxy tells.
import type { IncomingMessage } from "node:http";
import { BlockList, isIP, SocketAddress } from "node:net";

/** Where a request comes from. */
export interface ClientAddress {
  readonly address: string;
  /** A program of this machine has connected, and no proxy speaks for somebody else. */
  readonly isLocal: boolean;
}

const PREFIX_BITS = { 4: 32, 6: 128 } as const;
const LOCAL = readRanges("127.0.0.0/8,::1");

/** Reads addresses and ranges, such as 10.0.0.0/8, with commas between them. Throws for what is neither. */
export function readRanges(list: string): BlockList {
  const ranges = new BlockList();
  for (const each of list.split(",").map((part) => part.trim())) {
    if (each === "") continue;
    const [address = "", bits, ...rest] = each.split("/");
    const version = isIP(address) as 0 | 4 | 6;
    if (version === 0 || rest.length > 0 || (bits !== undefined && !/^\d{1,3}$/.test(bits)))
      throw new Error(`${each} is no address`);
    ranges.addSubnet(address, Number(bits ?? PREFIX_BITS[version]), `ipv${version}`);
  }
  return ranges;
}

/**
 * Returns the address of the client. Each proxy of `proxies` has added the address from which it was asked to the end
 * of X-Forwarded-For. The last one that is not a proxy of `proxies` itself counts: a client can write only what stands
 * before it.
 */
export function clientAddress({ socket, headers }: IncomingMessage, proxies: BlockList): ClientAddress {
  const from = socket.remoteAddress ?? "unknown";
  const told = [headers["x-forwarded-for"] ?? []].flat().join(",").split(",");
  let address = from;
  while (isIn(proxies, address)) {
    const before = plain(told.pop() ?? "");
    // The proxy has said nothing, or nothing to be understood.
    if (isIP(before) === 0) break;
    address = before;
  }
  return { address, isLocal: address === from && isIn(LOCAL, from) };
}

/** Returns the address under which a request is limited. undefined: it comes from a program of this machine. */
export function limitedAddress(request: IncomingMessage, proxies: BlockList): string | undefined {
  const { address, isLocal } = clientAddress(request, proxies);
  return isLocal ? undefined : address;
}

/**
 * Returns the network that counts as one client. For IPv6 these are the first 64 bits: a client chooses the others as
 * it likes. Anything else stays as it is, and IPv4 in the form of IPv6 becomes IPv4.
 */
export function networkOf(address: string): string {
  // An address of one link has the name of the link behind it.
  const [plainAddress = ""] = address.split("%");
  if (isIP(plainAddress) !== 6) return address;
  // This form is short and the same for all ways to write an address.
  const short = new SocketAddress({ address: plainAddress, family: "ipv6" }).address;
  const ipv4 = /^::ffff:([\d.]+)$/.exec(short)?.[1];
  if (ipv4 !== undefined) return ipv4;
  const [before = [], after = []] = short.split("::").map((part) => part.split(":").filter(Boolean));
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => "0");
  return `${[...before, ...zeros, ...after].slice(0, 4).join(":")}::/64`;
}

/** Returns true if the text is an address in these ranges. An IPv4 address may be written as one of IPv6. */
export function isIn(ranges: BlockList, address: string): boolean {
  const version = isIP(address);
  return version > 0 && ranges.check(address, version === 4 ? "ipv4" : "ipv6");
}

/** Takes the port away that some proxies add, and the brackets. */
function plain(told: string): string {
  const text = told.trim();
  return /^\[([^\]]*)\](:\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text;
}
