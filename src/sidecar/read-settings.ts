// The settings of `lockstep serve`, in the terms of the program.
import { isIPv6 } from "node:net";
import { userInfo } from "node:os";
import type { RefFormat } from "../domain.ts";
import { isLoopback, readHostNames } from "../http/host-names.ts";
import { readRanges } from "../io/client-address.ts";
import { deviceName } from "../names.ts";
import type { Config, SettingName } from "../settings/config.ts";
import { readUrlFile, required, timerMs } from "../settings/read-config.ts";
import { parseHostPort } from "../settings/setting-checks.ts";
import type { UrlSource } from "../store/database/connection-config.ts";

/** How other devices are asked. */
export type PeerTransport = "https" | "ssh" | "auto";

/** Returns the settings of a sidecar. Throws USAGE if one is missing. */
export function readSettings(config: Config, env: Readonly<Record<string, string | undefined>>) {
  const device = deviceName(required(config, "device"));
  const root = required(config, "root");
  const databaseUrl = required(config, "database-url");
  const file = config["database-url-file"];
  // Read anew for each connection: a password may be changed while the process runs.
  const databaseSource: UrlSource = file === undefined ? databaseUrl : () => readUrlFile(file, env);
  const listen = parseHostPort(required(config, "listen"));
  const gitListen = parseHostPort(required(config, "git-listen"));
  const httpListen = parseHostPort(required(config, "http-listen"));
  const statusPage = required(config, "status-page");
  const advertised = config.advertise ?? gitListen.host;
  const advertise = isIPv6(advertised) ? `[${advertised}]` : advertised;
  const ssh = sshSettings(config);
  return {
    ...ssh,
    device,
    root,
    databaseUrl,
    databaseSource,
    workConnections: Number(required(config, "database-connections")),
    notifySource: config["notify-database-url"] ?? databaseSource,
    socketDir: required(config, "socket-dir"),
    refFormat: required(config, "ref-format") as RefFormat,
    listen,
    // Without a git port nobody may be told of one.
    gitListen: ssh.transport === "ssh" ? undefined : gitListen,
    httpListen,
    statusPage: statusPage === "on" || (statusPage === "auto" && isLoopback(httpListen.host)),
    hostNames: readHostNames(`${config["host-names"] ?? ""},${advertised}`),
    grpcAddress: `${advertise}:${listen.port}`,
    gitAddress: ssh.transport === "ssh" ? "" : `${advertise}:${gitListen.port}`,
    zone: config.zone ?? "",
    trustsCa: config["trust-ca"] === "1",
    tokenFile: config["enroll-token-file"],
    gitCredentials: {
      cert: required(config, "tls-cert"),
      key: required(config, "tls-key"),
      ca: required(config, "tls-ca"),
    },
    tlsReloadMs: timerMs(required(config, "tls-reload-seconds")),
    tlsConnectionMs: timerMs(required(config, "tls-connection-seconds")),
    shimSettings: {
      pushRefs: Number(required(config, "push-refs")),
      pushObject: Number(required(config, "push-object")),
      pushMemory: Number(required(config, "push-memory")),
      sharesPacks: Number(required(config, "pack-cache-mib")) > 0,
    },
    packCacheBytes: Number(required(config, "pack-cache-mib")) * (1 << 20),
    ...readLimits(config),
    inDoubtMs: Number(required(config, "in-doubt-seconds")) * 1000,
    hookAddresses: config["hook-addresses"] === undefined ? undefined : readRanges(config["hook-addresses"]),
    pullLogRate: Number(required(config, "pull-log-rate")),
    upkeep: {
      threads: Number(required(config, "gc-threads")),
      windowMemory: Number(required(config, "gc-memory")),
      scrubDays: Number(required(config, "scrub-days")),
    },
  };
}

/** Returns what clients without a certificate, callers from other machines, and other devices may cost. */
export function readLimits(config: Config) {
  const read = (name: SettingName) => Number(required(config, name));
  const timeoutMs = timerMs(required(config, "tls-handshake-seconds"));
  const handshakes = { most: read("tls-handshakes"), timeoutMs };
  return {
    handshakes,
    rpcLimits: { handshakes, connections: read("tls-connections"), calls: read("tls-calls") },
    portLimits: {
      packs: { all: read("peer-packs"), own: read("peer-packs-each") },
      copies: read("peer-copies"),
      bigRequests: read("peer-big-requests"),
    },
  };
}

function sshSettings(config: Config) {
  const transport = required(config, "peer-transport") as PeerTransport;
  if (transport === "ssh") {
    // Nobody could fetch from it, and it could fetch from nobody.
    required(config, "ssh-key");
    required(config, "ssh-advertise");
  }
  const sshAddress = config["ssh-advertise"] ?? "";
  return {
    transport,
    sshAddress,
    sshUser: sshAddress === "" ? "" : (config["ssh-user"] ?? userInfo().username),
    sshKeyFile: config["ssh-key"],
    sshHostKeyFile: config["ssh-host-key"],
  };
}
