// The settings of the gate that say who may use it.
import type { Logger } from "pino";
import { LockstepError } from "../../errors.ts";
import { isLoopback } from "../../http/host-names.ts";
import type { Config } from "../../settings/config.ts";
import { required } from "../../settings/read-config.ts";
import { parseHostPort } from "../../settings/setting-checks.ts";
import { type WatchedGateTls, watchGateTls } from "../tls/certificate-files.ts";
import { AuthRequest } from "./auth-request.ts";
import { CLIENT_CERTIFICATES } from "./client-certificates.ts";
import { Htpasswd } from "./htpasswd.ts";
import { EVERYBODY, type UserRules, type UserSource } from "./users.ts";

/**
 * Reads who may use the gate. Throws USAGE when settings exclude each other, and when a file is not right. Also throws
 * it when other machines can reach the gate and no setting says who may use it.
 */
export async function readGateUsers(config: Config, log: Logger): Promise<{ users: UserRules; tls?: WatchedGateTls }> {
  const anonymous = { read: config["anonymous-reads"] === "1", write: config["anonymous-writes"] === "1" };
  const tls = await watchGateTls(config, log);
  const sources: UserSource[] = config["gate-client-ca"] === undefined ? [] : [CLIENT_CERTIFICATES];
  const { htpasswd, "auth-request": url } = config;
  if (htpasswd !== undefined && url !== undefined)
    throw usageError("--htpasswd and --auth-request exclude each other: both take passwords; leave one out");
  if (htpasswd !== undefined) sources.push(await Htpasswd.read(htpasswd, log));
  if (url !== undefined) sources.push(new AuthRequest(url, anonymous));
  const { host } = parseHostPort(required(config, "gate-listen"));
  const said = sources.length > 0 || anonymous.read || anonymous.write;
  if (!said && !isLoopback(host))
    throw usageError(
      `--gate-listen ${host} is no loopback address, so everybody who can reach it could read and push; name the users by --auth-request, --htpasswd or --gate-client-ca, or give --anonymous-reads or --anonymous-writes`,
    );
  if (tls === undefined && !isLoopback(host) && sources.some(({ takesPasswords }) => takesPasswords))
    log.warn(
      {},
      "passwords come to the gate unencrypted; give it --gate-tls-cert and --gate-tls-key, or put it behind a server with TLS",
    );
  return { users: said ? { anonymous, sources } : EVERYBODY, ...(tls && { tls }) };
}

function usageError(message: string): LockstepError {
  return new LockstepError("USAGE", `${message}.`);
}
