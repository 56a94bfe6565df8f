// Runs write sessions on devices in the test's own process, as a front end does.
import { randomUUID } from "node:crypto";
import type { RefName } from "../../src/domain.ts";
import type { SessionCaller } from "../../src/sync/device/session-caller.ts";
import { abortWrite } from "../../src/sync/session/abort-write.ts";
import { type BeginWrite, type BegunWrite, beginWrite } from "../../src/sync/session/begin-write.ts";
import { type LandedSession, landSession } from "../../src/sync/session/bump-version.ts";
import { renewWrite } from "../../src/sync/session/renew-write.ts";
import type { TestDevice } from "./sync-device.ts";

/** The caller of a session unless a test names another. */
export const FRONT_END: SessionCaller = { role: "frontend", name: "web" };

export async function beginSession(
  { context }: TestDevice,
  repository: string,
  options: Partial<BeginWrite> = {},
): Promise<BegunWrite> {
  return await beginWrite(context, {
    repository,
    caller: FRONT_END,
    author: "grace",
    reason: "merging",
    waitMs: 20_000,
    writeId: randomUUID(),
    signal: new AbortController().signal,
    ...options,
  });
}

export async function renewSession(
  { context }: TestDevice,
  repository: string,
  token: string,
  caller = FRONT_END,
): Promise<Date> {
  return await renewWrite(context, { repository, token, caller });
}

export async function bumpSession(
  { context }: TestDevice,
  repository: string,
  token: string,
  caller = FRONT_END,
): Promise<LandedSession> {
  return await landSession(context, { repository, token, caller });
}

export async function abortSession(
  { context }: TestDevice,
  repository: string,
  token: string,
  reason = "",
  caller = FRONT_END,
): Promise<{ writeId: string; savedRefs: RefName[] }> {
  return await abortWrite(context, { repository, token, writeId: "", reason, caller });
}
