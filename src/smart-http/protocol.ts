// The frame around git's own bytes: headers, and the first packets of an advertisement.
import { FLUSH, packet } from "../framing/pkt-line.ts";
import type { GitRequest } from "./route.ts";

/** Headers of every answer. Refs may change at any moment, so no answer may be cached. */
export const NO_CACHE: Readonly<Record<string, string>> = {
  Expires: "Fri, 01 Jan 1980 00:00:00 GMT",
  Pragma: "no-cache",
  "Cache-Control": "no-cache, max-age=0, must-revalidate",
};

/**
 * Returns the value of a Git-Protocol header if git may see it. The gate ignores a value that it does not understand,
 * as git does.
 */
export function gitProtocol(header: string | string[] | undefined): string | undefined {
  return typeof header === "string" && /^[!-~]{1,256}$/.test(header) ? header : undefined;
}

/** The head of a successful answer. */
export interface Success {
  readonly headers: Readonly<Record<string, string>>;
  /** Packets before git's own output. */
  readonly preface: string;
}

/** Returns the head of a successful answer to a request. */
export function success({ service, advertisement }: GitRequest, protocol: string | undefined): Success {
  const type = `application/x-git-${service}-${advertisement ? "advertisement" : "result"}`;
  // Version 2 starts with its own packet.
  const preface =
    advertisement && !isVersion2(service, protocol) ? `${packet(`# service=git-${service}\n`)}${FLUSH}` : "";
  return { headers: { ...NO_CACHE, "Content-Type": type }, preface };
}

/**
 * Returns true when git looks at refs before it has read anything. In version 2 it first reads which refs are wanted.
 */
export function looksFirst({ service, advertisement }: GitRequest, protocol: string | undefined): boolean {
  return service === "receive-pack" ? advertisement : !isVersion2(service, protocol);
}

/** Returns true for version 2. receive-pack has no version 2; it answers such a client in version 0. */
export function isVersion2(service: GitRequest["service"], protocol: string | undefined): boolean {
  return service === "upload-pack" && protocol?.split(":").includes("version=2") === true;
}
