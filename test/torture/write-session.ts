// Runs a write session as a client does: begins it over gRPC on the device, changes refs with stock git, and lands it
// by BumpVersion.
import { execFile } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { describe, LockstepError } from "../../src/errors.ts";
import { toDuration } from "../../src/protocol/times.ts";
import type { Device } from "../support/cluster-device.ts";
import type { Client } from "./client.ts";
import { commandOf } from "./odd-names.ts";
import type { Asked, Told } from "./told.ts";

const TURN_MS = 4_000;
const CALL_MS = 8_000;
/** Repeated calls of BumpVersion give the same answer. So a caller asks again, also after the sidecar was away. */
const ASKS = 4;
const PAUSE_MS = 700;

export interface Outcome {
  readonly told: Told[];
  readonly said: string;
}

/**
 * Changes refs in one session. Returns the outcome of each ref, which is the same for all. `options` are those of a
 * push.
 */
export async function changeInSession(
  device: Device,
  client: Client,
  repository: string,
  asked: readonly Asked[],
  options: readonly string[],
): Promise<Outcome> {
  const request = { repository, author: client.name, reason: "torture", wait: toDuration(TURN_MS) };
  const begun = await device.call("BeginWrite", request, { timeoutMs: CALL_MS }).catch((error: unknown) => error);
  if (!isBegun(begun)) return failed(asked, describe(begun));
  const { token, path } = begun;
  const { told, said } = await client.push(path, asked, options);
  if (told.every(({ result }) => result === "ok")) {
    const { result, said } = await bump(device, repository, token);
    return { told: told.map((each) => ({ ...each, result })), said };
  }
  // An error here is ignored: nothing can land without BumpVersion.
  await device.call("AbortWrite", { repository, token }, { timeoutMs: CALL_MS }).catch(() => {});
  return { told: told.map(({ mismatch }) => ({ result: "failed", ...(mismatch && { mismatch }) })), said };
}

/** Runs one command of git in a new session, and lands its changes. */
export async function runInSession(
  device: Device,
  author: string,
  repository: string,
  args: readonly string[],
): Promise<{ result: Told["result"]; said: string }> {
  const request = { repository, author, reason: "torture", wait: toDuration(TURN_MS) };
  const begun = await device.call("BeginWrite", request, { timeoutMs: CALL_MS }).catch((error: unknown) => error);
  if (!isBegun(begun)) return { result: "failed", said: describe(begun) };
  const env = { PATH: process.env.PATH ?? "", HOME: begun.path, GIT_CONFIG_NOSYSTEM: "1" };
  const [program, words] = commandOf("git", ["-c", "safe.directory=*", ...args]);
  try {
    await promisify(execFile)(program, words, { cwd: begun.path, env, timeout: CALL_MS });
  } catch (error) {
    await device.call("AbortWrite", { repository, token: begun.token }, { timeoutMs: CALL_MS }).catch(() => {});
    return { result: "failed", said: describe(error) };
  }
  return await bump(device, repository, begun.token);
}

async function bump(
  device: Device,
  repository: string,
  token: string,
): Promise<{ result: Told["result"]; said: string }> {
  let said = "";
  for (let asks = 0; asks < ASKS; asks += 1) {
    if (asks > 0) await delay(PAUSE_MS);
    try {
      await device.call("BumpVersion", { repository, token }, { timeoutMs: CALL_MS });
      return { result: "ok", said: "" };
    } catch (error) {
      said = describe(error);
      if (error instanceof LockstepError && error.code === "WRITE_DROPPED") return { result: "failed", said };
    }
  }
  return { result: "unknown", said };
}

function failed(asked: readonly Asked[], said: string): Outcome {
  return { told: asked.map(() => ({ result: "failed" })), said };
}

function isBegun(value: unknown): value is { token: string; path: string } {
  return value !== null && typeof value === "object" && "token" in value && "path" in value;
}
