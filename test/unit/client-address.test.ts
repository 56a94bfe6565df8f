import type { IncomingMessage } from "node:http";
import { describe, expect, it } from "vitest";
import { clientAddress, readRanges } from "../../src/io/client-address.ts";

const asked = (from: string | undefined, told?: string) => {
  const headers = told === undefined ? {} : { "x-forwarded-for": told };
  return { socket: { remoteAddress: from }, headers } as unknown as IncomingMessage;
};

describe("the address of a client", () => {
  it.each<[string, string | undefined, string | undefined, string, string, boolean]>([
    // What it shows; who connects; X-Forwarded-For; the trusted proxies; the address; from this machine.
    ["is that of the connection", "192.0.2.1", undefined, "", "192.0.2.1", false],
    ["is local on loopback", "127.0.0.1", undefined, "", "127.0.0.1", true],
    ["is local on loopback of IPv6, also mapped", "::ffff:127.0.0.9", undefined, "", "::ffff:127.0.0.9", true],
    ["is not what a stranger tells", "192.0.2.1", "198.51.100.9", "127.0.0.1", "192.0.2.1", false],
    ["is not what anybody tells without the setting", "127.0.0.1", "198.51.100.9", "", "127.0.0.1", true],
    ["is what a trusted proxy tells", "127.0.0.1", "198.51.100.9", "127.0.0.1", "198.51.100.9", false],
    ["is what a mapped one tells", "::ffff:127.0.0.1", "198.51.100.9", "127.0.0.0/8", "198.51.100.9", false],
    ["is the last one that is told", "127.0.0.1", "203.0.113.5, 198.51.100.9", "127.0.0.1", "198.51.100.9", false],
    [
      "is the last one before a row of trusted proxies",
      "127.0.0.1",
      "203.0.113.5, 198.51.100.9,10.0.0.7",
      "127.0.0.1, 10.0.0.0/8",
      "198.51.100.9",
      false,
    ],
    ["is limited where a proxy tells loopback", "127.0.0.1", "127.0.0.2", "127.0.0.1", "127.0.0.2", false],
    ["is that of a proxy that tells nothing", "127.0.0.1", undefined, "127.0.0.1", "127.0.0.1", true],
    ["is that of a proxy that tells no address", "10.0.0.7", "203.0.113.5, unknown", "10.0.0.7", "10.0.0.7", false],
    ["may have a port", "127.0.0.1", "198.51.100.9:4711", "127.0.0.1", "198.51.100.9", false],
    ["may be of IPv6 with a port", "::1", "[2001:db8::1]:4711", "::1", "2001:db8::1", false],
    ["is unknown of a connection that is gone", undefined, "198.51.100.9", "127.0.0.1", "unknown", false],
  ])("%s", (_, from, told, proxies, address, isLocal) => {
    expect(clientAddress(asked(from, told), readRanges(proxies))).toEqual({ address, isLocal });
  });
});
