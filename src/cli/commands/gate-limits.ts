// The settings of the gate that limit what clients may cost.
import { existsSync } from "node:fs";
import { LockstepError } from "../../errors.ts";
import type { GateOptions } from "../../gate/gate.ts";
import { shLimiter } from "../../git/command/serve.ts";
import { NATIVE_SHIM } from "../../installation.ts";
import { readRanges } from "../../io/client-address.ts";
import type { Config, SettingName } from "../../settings/config.ts";
import { required } from "../../settings/read-config.ts";

const WAITING = 512;
const PATIENCE_MS = 30_000;
/** A request that asks the sidecar costs a connection and a call, and no git. A first copy may take a minute. */
const ASKING = { requests: 1_024, perAddress: 128 };

/** Reads the limits. Throws USAGE for a limit of 0. */
export function readGateLimits(
  config: Config,
): Pick<
  GateOptions,
  | "placeLimits"
  | "askingLimits"
  | "trustedProxies"
  | "bodyLimits"
  | "cacheBytes"
  | "pushRefs"
  | "pushObject"
  | "pushLimiter"
> {
  const number = (name: SettingName) => {
    const value = Number(required(config, name));
    if (value > 0) return value;
    throw new LockstepError("USAGE", `--${name} must be at least 1: with 0 the gate would serve nothing.`);
  };
  return {
    placeLimits: {
      requests: number("gate-requests"),
      perAddress: number("gate-requests-per-address"),
      waiting: WAITING,
      patienceMs: PATIENCE_MS,
    },
    askingLimits: ASKING,
    trustedProxies: readRanges(config["gate-trusted-proxies"] ?? ""),
    cacheBytes: Number(required(config, "gate-cache-mib")) * (1 << 20),
    pushRefs: Number(required(config, "push-refs")),
    pushObject: Number(required(config, "push-object")),
    pushLimiter: limiterOf(Number(required(config, "push-memory"))),
    bodyLimits: { idleMs: number("gate-idle-seconds") * 1_000, fetchBytes: number("gate-fetch-mib") * (1 << 20) },
  };
}

/** Returns the program that limits memory. The native one starts faster than sh, and needs no sh. */
function limiterOf(mebibytes: number): readonly string[] {
  if (mebibytes === 0) return [];
  return existsSync(NATIVE_SHIM) ? [NATIVE_SHIM, "limited", String(mebibytes)] : shLimiter(mebibytes);
}
