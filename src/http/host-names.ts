// The names by which clients may ask for a server of plain HTTP. A page in a browser may make its own name lead to an
// address of this machine (DNS rebinding). The browser then lets the page read the answers. Such a request still has
// the page's name as its host.
import { isIP } from "node:net";

/** The names of this host that have a dot. `*` among them: any name. */
export type HostNames = ReadonlySet<string>;

/** Returns true for addresses that only programs on this machine can reach. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

/** Reads names with commas between them. */
export function readHostNames(list: string): HostNames {
  return new Set(list.split(",").map((each) => plain(each.trim())));
}

/**
 * Returns a sentence when the header `host` names another host. IP addresses and names without a dot are always good,
 * since no page can have them as its name. So is a request of HTTP/1.0 without a host, which no browser sends.
 */
export function foreignHost(host: string | undefined, names: HostNames): string | undefined {
  if (host === undefined || names.has("*")) return undefined;
  const name = plain(host.replace(/:\d*$/, ""));
  const isOwn = isIP(name) > 0 || name.startsWith("[") || name.endsWith(".localhost") || names.has(name);
  if (isOwn || !name.includes(".")) return undefined;
  return `This server does not know itself as ${name.slice(0, 253).replace(/[^!-~]/g, "?")}; its operator may add the name with --host-names.`;
}

function plain(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}
