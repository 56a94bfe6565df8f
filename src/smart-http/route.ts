// The URLs of git's smart HTTP protocol (gitprotocol-http). The dumb protocol is not served, since it reads files
// without asking the sidecar.
import type { IncomingMessage } from "node:http";
import { LockstepError } from "../errors.ts";
import { repositoryName } from "../names.ts";
import { Refusal } from "./refusal.ts";

export type Service = "upload-pack" | "receive-pack";

/** A client's request: the advertisement of a service, or one exchange with it. */
export interface GitRequest {
  readonly repository: string;
  readonly service: Service;
  readonly advertisement: boolean;
}

const ROUTE = /^\/(.+)\/(info\/refs|git-upload-pack|git-receive-pack)$/s;

/** Reads a request line and its content type. Throws Refusal, or LockstepError with INVALID_NAME. */
export function gitRequest(request: IncomingMessage): GitRequest {
  const [path = "", query = ""] = (request.url ?? "").split(/\?(.*)/s);
  // Proxies name the host once more. A slash too many is refused with the name. The server that knows the users sees
  // the address as it came, and might have other rules for it.
  const [, name, endpoint] = ROUTE.exec(path.replace(/^https?:\/\/[^/]*/i, "")) ?? [];
  if (name === undefined || endpoint === undefined)
    throw new Refusal(404, "Nothing is here: this server speaks git's smart HTTP protocol, at /NAME.git.");
  const advertisement = endpoint === "info/refs";
  allowOnly(advertisement ? ["GET", "HEAD"] : ["POST"], request.method);
  const repository = decodedName(name);
  const service = serviceNamed(advertisement ? new URLSearchParams(query).get("service") : endpoint);
  if (!advertisement) expectContentType(`application/x-git-${service}-request`, request.headers["content-type"]);
  return { repository, service, advertisement };
}

function allowOnly(allowed: readonly string[], method = ""): void {
  if (!allowed.includes(method))
    throw new Refusal(405, `The method ${method} is not for this address; use ${allowed.join(" or ")}.`, {
      headers: { Allow: allowed.join(", ") },
    });
}

function serviceNamed(name: string | null): Service {
  if (name === "git-upload-pack") return "upload-pack";
  if (name === "git-receive-pack") return "receive-pack";
  const asked = name === null ? "The dumb protocol" : `The service ${JSON.stringify(name.slice(0, 60))}`;
  throw new Refusal(403, `${asked} is not served here; use git 1.6.6 or newer to clone, fetch or push.`);
}

function expectContentType(expected: string, actual = ""): void {
  if (actual !== expected)
    throw new Refusal(415, `The content type ${JSON.stringify(actual.slice(0, 60))} does not fit; send ${expected}.`);
}

/** Decodes each part by itself, so that an encoded slash stays inside its part and is refused there. */
function decodedName(encoded: string): string {
  const parts = encoded
    .replace(/\.git$/, "")
    .split("/")
    .map(decodedPart);
  if (parts.some((part) => part.includes("/")))
    throw new LockstepError("INVALID_NAME", 'The repository name has an encoded "/"; write the "/" unencoded.');
  return repositoryName(parts.join("/"));
}

function decodedPart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw new LockstepError("INVALID_NAME", "The repository name is not a valid URL path; use words like team/app.", {
      cause,
    });
  }
}
