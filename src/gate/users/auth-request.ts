// Asks another server whether a request may go on, as nginx's auth_request does: with the request's own headers, and
// without its body. 2xx lets it go on; 401, 403 and 404 are passed on.
import type { IncomingHttpHeaders } from "node:http";
import { linkSignals } from "../../io/signals.ts";
import { Refusal } from "../../smart-http/refusal.ts";
import { traceParent } from "../../tracing/tracing.ts";
import {
  type Access,
  type Entry,
  RefusedCredentials,
  shownName,
  type UserSource,
  unauthorizedRefusal,
} from "./users.ts";

/** For how long the gate waits for an answer. */
const PATIENCE_MS = 10_000;

/**
 * Headers that belong to one connection or to the body, and those that could pose as the gate's own. Many servers take
 * `X_Real_IP` for `X-Real-IP`.
 */
const NOT_PASSED_ON =
  /^(host|connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|expect|content-.*|accept-encoding|x-original-.*|x-lockstep-.*|x-real-ip|x-forwarded-(uri|method|host)|.*_.*)$/;

/** Headers of the answer that name the user, as the usual servers call them. */
const USER_HEADERS = ["x-auth-request-user", "remote-user", "x-remote-user", "x-forwarded-user"];

/** How git's service is called in the URLs of git's HTTP protocol. */
const SERVICES: Readonly<Record<Access, string>> = { read: "git-upload-pack", write: "git-receive-pack" };

/** Lets a server decide about each request. */
export class AuthRequest implements UserSource {
  readonly takesPasswords = true;
  readonly #url: string;
  readonly #anonymous: Readonly<Record<Access, boolean>>;

  /**
   * `url` may contain {repository}, {access} (read or write) and {service} (git-upload-pack or git-receive-pack).
   * `anonymous`: a request without credentials is not asked about if anybody may have its access.
   */
  constructor(url: string, anonymous: Readonly<Record<Access, boolean>>) {
    this.#url = url;
    this.#anonymous = anonymous;
  }

  async userOf(entry: Entry): Promise<string | undefined> {
    const { request, address, repository, access, password } = entry;
    const { authorization, cookie } = request.headers;
    if (authorization === undefined && cookie === undefined && this.#anonymous[access]) return undefined;
    const answer = await this.#ask(entry);
    if (answer.status >= 200 && answer.status < 300) {
      const named = USER_HEADERS.map((name) => answer.headers.get(name)).find(Boolean);
      // The other server may let somebody in without naming him, for example by his address.
      return named ? Buffer.from(named, "latin1").toString("utf8") : (password?.user ?? `anonymous@${address}`);
    }
    const forbidden = answer.status === 403;
    const refused = (refusal: Refusal) => {
      if (authorization === undefined && cookie === undefined) return refusal;
      const user = password === undefined ? "" : shownName(password);
      return new RefusedCredentials(refusal, { user, way: "--auth-request", forbidden });
    };
    if (answer.status === 401)
      throw refused(
        unauthorizedRefusal(
          password ? "The name or the password is wrong." : "This server asks for your name and password.",
          answer.headers.get("www-authenticate") ?? undefined,
        ),
      );
    const what = access === "read" ? "read" : "push to";
    if (forbidden) throw refused(new Refusal(403, `You may not ${what} ${repository}.`));
    if (answer.status === 404)
      throw new Refusal(404, `There is no repository ${repository}, or you may not ${what} it.`);
    throw unavailableRefusal(`answered ${answer.status}`);
  }

  async #ask(entry: Entry): Promise<Response> {
    const { repository, access, signal } = entry;
    using waiting = linkSignals([signal], PATIENCE_MS);
    try {
      const answer = await fetch(askedUrl(this.#url, repository, access), {
        headers: passedOn(entry),
        redirect: "manual",
        signal: waiting.signal,
      });
      await answer.body?.cancel();
      return answer;
    } catch (cause) {
      signal.throwIfAborted();
      throw unavailableRefusal(waiting.signal.aborted ? "did not answer in time" : "cannot be reached", cause);
    }
  }
}

/** Returns the URL for one request. Each part of the repository's name is encoded. */
function askedUrl(url: string, repository: string, access: Access): string {
  const values: Readonly<Record<string, string>> = {
    repository: repository.split("/").map(encodeURIComponent).join("/"),
    access,
    service: SERVICES[access],
  };
  return url.replace(/\{(repository|access|service)\}/g, (_, name: string) => values[name] as string);
}

function passedOn({ request, address, repository, access }: Entry): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers as IncomingHttpHeaders))
    if (value !== undefined && !NOT_PASSED_ON.test(name) && !USER_HEADERS.includes(name))
      headers.set(name, [value].flat().join(", "));
  const from = request.socket.remoteAddress ?? "unknown";
  const before = request.headers["x-forwarded-for"];
  headers.set("X-Forwarded-For", before === undefined ? from : `${before}, ${from}`);
  headers.set("X-Real-IP", address);
  headers.set("X-Original-URI", request.url ?? "");
  headers.set("X-Original-Method", request.method ?? "");
  headers.set("X-Lockstep-Repository", encodeURI(repository));
  headers.set("X-Lockstep-Access", access);
  const traced = traceParent();
  if (traced !== undefined) headers.set("traceparent", traced);
  return headers;
}

function unavailableRefusal(how: string, cause?: unknown): Refusal {
  return new Refusal(503, `The server that knows the users ${how}; nothing was read or written, try again.`, {
    headers: { "Retry-After": "5" },
    cause,
  });
}
