// Hands requests for the status page on, unless it is turned off or somebody asks under the name of another host.
import type { IncomingMessage, ServerResponse } from "node:http";
import { describe } from "../errors.ts";
import { foreignHost, type HostNames } from "./host-names.ts";
import { say } from "./say.ts";

/** A page, or a file that belongs to it. */
export interface PageAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

const TURNED_OFF =
  "The status page is turned off here: this address is not loopback. Start the sidecar with --status-page on to show it.";

/** What a request for the status page needs. */
interface StatusEndpoints {
  readonly hostNames: HostNames;
  readonly log: { warn: (fields: Record<string, unknown>, message: string) => void };
  readonly statusPage?: ((path: string, parameters: URLSearchParams) => Promise<PageAnswer>) | undefined;
}

/** Answers a request for the status page, or says why there is none. */
export async function answerStatus(
  { headers }: IncomingMessage,
  response: ServerResponse,
  { statusPage, hostNames, log }: StatusEndpoints,
  path: string,
  parameters: URLSearchParams,
): Promise<void> {
  const foreign = foreignHost(headers.host, hostNames);
  if (foreign !== undefined) return say(response, 421, foreign);
  if (statusPage === undefined) return say(response, 404, TURNED_OFF);
  try {
    const answer = await statusPage(path, parameters);
    response.writeHead(answer.status, answer.headers).end(answer.body);
  } catch (error) {
    log.warn({ path, err: describe(error) }, "the status page failed");
    say(response, 500, "The page could not be made; the log of the sidecar says why.");
  }
}
