// The frame around git's own bytes: headers, the first packets of an advertisement, and the environment of a git
// server.
import { FLUSH, packet } from "../framing/pkt-line.ts";
import { OBJECTS_AS_THEY_ARE } from "../git/objects-as-they-are.ts";
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
function isVersion2(service: GitRequest["service"], protocol: string | undefined): boolean {
  return service === "upload-pack" && protocol?.split(":").includes("version=2") === true;
}

/**
 * Part of the environment of a git that takes objects from clients. Such a git refuses an object that needs more memory
 * than this: a delta of a few bytes may describe an object of any size. An object above core.bigFileThreshold that is
 * no delta needs no such memory.
 */
export const OBJECT_LIMIT = { GIT_ALLOC_LIMIT: "1g" } as const;

/** The client of a request. */
export interface Caller {
  readonly address: string;
  /** undefined: an anonymous client. */
  readonly user: string | undefined;
  readonly protocol: string | undefined;
  readonly requestId: string;
}

/**
 * Returns the environment of git and its hooks, built from nothing. Unlike the sidecar's own git, this git is the git
 * server. So the configuration of the system and the user counts: it is the operator's.
 */
export function serverEnvironment(
  env: { readonly PATH: string; readonly HOME: string },
  socketDir: string,
  { address, user, protocol, requestId }: Caller,
): Record<string, string> {
  return {
    PATH: env.PATH,
    HOME: env.HOME,
    LC_ALL: "C",
    // Reflogs need a name. git http-backend gives these.
    GIT_COMMITTER_NAME: user ?? "anonymous",
    GIT_COMMITTER_EMAIL: `${user ?? "anonymous"}@http.${address}`,
    REMOTE_ADDR: address,
    ...(user === undefined ? {} : { REMOTE_USER: user }),
    ...OBJECTS_AS_THEY_ARE,
    LOCKSTEP_SOCKET_DIR: socketDir,
    LOCKSTEP_REQUEST_ID: requestId,
    ...(protocol === undefined ? {} : { GIT_PROTOCOL: protocol }),
  };
}
