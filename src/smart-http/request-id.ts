import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** Returns a proxy's id for the request, so that one id runs through all logs; else a new one. */
export function requestIdOf({ headers }: IncomingMessage): string {
  const given = headers["x-request-id"];
  return typeof given === "string" && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID();
}
