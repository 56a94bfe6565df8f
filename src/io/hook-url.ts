// URLs of webhooks, and the addresses to which they may lead. A URL may carry a password or a token. So people are
// shown a part of it, and the log has only where it leads.
import dns from "node:dns";
import { type BlockList, isIP, type LookupFunction } from "node:net";
import { LockstepError } from "../errors.ts";
import { isIn, readRanges } from "./client-address.ts";

const LENGTH_LIMIT = 2_000;

/**
 * No receiver has such an address. At link-local ones, and some others, clouds keep the secrets of a machine. NAT64 has
 * a way of its own to write those. The rest stands for no machine or for many, or is reserved.
 */
const NO_RECEIVERS = readRanges(
  "169.254.0.0/16,fe80::/10,64:ff9b::a9fe:0/112,fd00:ec2::254,100.100.100.200,0.0.0.0/8,::,224.0.0.0/4,ff00::/8,240.0.0.0/4",
);
const THIS_MACHINE = readRanges("127.0.0.0/8,::1");

/** Checks the URL of a hook and returns it in its normal form. Throws INVALID_REQUEST. */
export function hookUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isOne =
    url !== undefined && (url.protocol === "https:" || url.protocol === "http:") && text.length <= LENGTH_LIMIT;
  if (!isOne)
    throw new LockstepError(
      "INVALID_REQUEST",
      `The URL of a hook begins with https:// or http:// and has at most ${LENGTH_LIMIT} characters; correct it.`,
    );
  // The part after # is never sent.
  url.hash = "";
  return url.href;
}

/** Returns the URL without its password. */
export function shownUrl(text: string): string {
  const url = new URL(text);
  if (url.password !== "") url.password = "***";
  return url.href;
}

/** Returns where the URL leads, for the log: no path and no query, which may hold a token. */
export function originOf(text: string): string {
  return new URL(text).origin;
}

/**
 * Returns why no event is posted to an address, as the end of a sentence; undefined: it may be. `host`: the host in the
 * URL, which leads there now. `allowed`: the ranges of --hook-addresses; undefined: all addresses that a receiver may
 * have. This machine is one of them only if the URL says so: others may let their names lead here.
 */
export function whyNotPosted(allowed: BlockList | undefined, host: string, address: string): string | undefined {
  if (allowed !== undefined)
    return isIn(allowed, address) ? undefined : "which is not in --hook-addresses of this device; add it there";
  if (isIn(NO_RECEIVERS, address)) return "where no webhook may lead; give the address of the receiver";
  if (isIn(THIS_MACHINE, address) && !isIn(THIS_MACHINE, host) && !/^(.+\.)?localhost$/.test(host))
    return "which is this machine; say localhost if you mean it";
  return undefined;
}

/** Returns the IP address in a URL, or undefined if it has a name. */
export function addressIn(url: URL): string | undefined {
  const host = hostOf(url);
  return isIP(host) > 0 ? host : undefined;
}

/** Throws INVALID_REQUEST if the URL names an address to which no event is posted. */
export function checkHookAddress(allowed: BlockList | undefined, url: URL): void {
  const address = addressIn(url);
  const why = address === undefined ? undefined : whyNotPosted(allowed, address, address);
  if (why !== undefined) throw new LockstepError("INVALID_REQUEST", `The hook leads to ${address}, ${why}.`);
}

/**
 * Returns the look-up for a connection to the host of a URL. It finds only addresses to which events may be posted. A
 * name may lead elsewhere the next time, so nothing but the connection itself may look it up.
 */
export function lookupOf(allowed: BlockList | undefined, url: URL): LookupFunction {
  const host = hostOf(url);
  return (name, options, done) => {
    dns.lookup(name, { ...options, all: true }, (error, found) => {
      if (error) return done(error, "");
      const [first, ...others] = found.filter(({ address }) => whyNotPosted(allowed, host, address) === undefined);
      if (first !== undefined)
        return options.all ? done(null, [first, ...others]) : done(null, first.address, first.family);
      const address = found[0]?.address ?? "";
      done(new Error(`The name ${host} leads to ${address}, ${whyNotPosted(allowed, host, address)}.`), "");
    });
  };
}

/** Returns the host without the brackets of an IPv6 address, and without the dot that may end a name. */
function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
}
