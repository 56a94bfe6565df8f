// What surrounds git's own bytes: headers, the first packets of an advertisement, the environment of a git server.
import { FLUSH, packet } from "../framing/pkt-line.ts";
import { OBJECTS_AS_THEY_ARE } from "../git/objects-as-they-are.ts";
import type { GitRequest } from "./route.ts";

/** For every answer: refs change at any moment, so none may be kept. */
export const NO_CACHE: Readonly<Record<string, string>> = {
  Expires: "Fri, 01 Jan 1980 00:00:00 GMT",
  Pragma: "no-cache",
  "Cache-Control": "no-cache, max-age=0, must-revalidate",
};

/** The value of a Git-Protocol header as git may see it. Like git, the gate ignores what it does not understand. */
export function gitProtocol(header: string | string[] | undefined): string | undefined {
  return typeof header === "string" && /^[!-~]{1,256}$/.test(header) ? header : undefined;
}

/** The head of a successful answer. */
export interface Success {
  readonly headers: Readonly<Record<string, string>>;
  /** Packets before git's own output. */
  readonly preface: string;
}

/** How the answer to a request starts once git has something to say. */
export function success({ service, advertisement }: GitRequest, protocol: string | undefined): Success {
  const type = `application/x-git-${service}-${advertisement ? "advertisement" : "result"}`;
  // Version 2 starts with its own packet.
  const preface =
    advertisement && !isVersion2(service, protocol) ? `${packet(`# service=git-${service}\n`)}${FLUSH}` : "";
  return { headers: { ...NO_CACHE, "Content-Type": type }, preface };
}

/** Whether git looks at refs before it has read anything; what it has read tells version 2 which refs are wanted. */
export function looksFirst({ service, advertisement }: GitRequest, protocol: string | undefined): boolean {
  return service === "receive-pack" ? advertisement : !isVersion2(service, protocol);
}

/** receive-pack has no version 2: it answers such a client in version 0. */
function isVersion2(service: GitRequest["service"], protocol: string | undefined): boolean {
  return service === "upload-pack" && protocol?.split(":").includes("version=2") === true;
}

export interface Caller {
  readonly address: string;
  readonly protocol: string | undefined;
  readonly requestId: string;
}

/**
 * The environment of git and its hooks, built from nothing. Unlike the sidecar's own git, this one is the git server: the
 * system's and the user's configuration are its operator's and count.
 */
export function serverEnvironment(
  env: { readonly PATH: string; readonly HOME: string },
  socketDir: string,
  { address, protocol, requestId }: Caller,
): Record<string, string> {
  return {
    PATH: env.PATH,
    HOME: env.HOME,
    LC_ALL: "C",
    // Reflogs need a name; these are the ones that git http-backend gives to the anonymous.
    GIT_COMMITTER_NAME: "anonymous",
    GIT_COMMITTER_EMAIL: `anonymous@http.${address}`,
    REMOTE_ADDR: address,
    ...OBJECTS_AS_THEY_ARE,
    LOCKSTEP_SOCKET_DIR: socketDir,
    LOCKSTEP_REQUEST_ID: requestId,
    ...(protocol === undefined ? {} : { GIT_PROTOCOL: protocol }),
  };
}
