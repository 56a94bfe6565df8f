// git's smart HTTP on the git port, for reading: stock `git fetch` of another device. There is no check before the
// read. A peer wants objects by their ids, which the log has, whether or not a ref of this replica holds them.
import { realpath } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { describe, LockstepError } from "../errors.ts";
import { wantsOf } from "../framing/wants.ts";
import { watchResponse } from "../io/stalled/watch-response.ts";
import { exchange } from "../smart-http/exchange.ts";
import { type Ending, GitNotStarted, startGit } from "../smart-http/git-child.ts";
import { logNotStarted, overhear } from "../smart-http/git-failure.ts";
import { gitProtocol, success } from "../smart-http/protocol.ts";
import { damagedBodyRefusal, Refusal } from "../smart-http/refusal.ts";
import { requestBody } from "../smart-http/request-body.ts";
import { requestIdOf } from "../smart-http/request-id.ts";
import { gitRequest } from "../smart-http/route.ts";
import { suspectDamage } from "../sync/upkeep/suspect-damage.ts";
import { WAITS } from "../waits.ts";
import type { Asked } from "./answers.ts";
import { mayFetch } from "./device-limits.ts";
import type { WholeBodies } from "./request-whole.ts";

/**
 * Resolves when git and the response have ended. Throws Refusal or LockstepError while no part of a response has been
 * sent.
 */
export async function serveUploadPack({ context, packs, bodies, device, request, response }: Asked): Promise<void> {
  const asked = gitRequest(request);
  if (asked.service !== "upload-pack") {
    throw new Refusal(403, "This port is for reading; push through the git server of a device.");
  }
  const body = asked.advertisement ? undefined : await wholeRequest(bodies, request);
  const { id, gitDir } = await packs.locate(asked.repository);
  await mayFetch(context, device, { id });
  const path = await existing(gitDir, asked.repository).catch(async (error: unknown) => {
    await packs.lookAfter(id);
    throw error;
  });
  // Advertisements are small, so they take no place.
  using _place = body && packs.takePlace(device);
  if (body) await context.fetchable.check(device, id, wantsOf(body));
  const protocol = gitProtocol(request.headers["git-protocol"]);
  const requestId = requestIdOf(request);
  const { log, signal: stopping } = context;
  const fields = { repository: asked.repository, fromDevice: device, requestId };
  const git = await startGit({
    programs: context.git,
    asked,
    client: { kind: "device", protocol },
    path,
  }).catch((error: unknown) => {
    if (error instanceof GitNotStarted) logNotStarted(log, fields, error.cause);
    throw error;
  });
  const report = overhear(git, log, fields, "git upload-pack said");
  const onFailure = (ending: Ending) => {
    report(ending);
    packs.lookAfter(id).catch(() => {});
    suspectDamage(context, { id, name: asked.repository }, git.words).catch((error: unknown) =>
      log.warn({ ...fields, err: describe(error) }, "could not order a verification"),
    );
  };
  watchResponse(request, response, { takeMs: WAITS.gitStallMs, silentMs: WAITS.uploadSilentMs });
  const answer = { request, response, success: success(asked, protocol), requestId };
  await exchange({ git, asked, body: body && Readable.from([body]), ...answer, stopping, onFailure });
}

/**
 * Reads the whole request before a place is taken, so that a slow peer keeps nobody waiting. Throws Refusal and
 * INVALID_REQUEST.
 */
async function wholeRequest(bodies: WholeBodies, request: IncomingMessage): Promise<Buffer> {
  const body = requestBody(request);
  return await bodies.read(request, body).catch((cause: unknown) => {
    if (cause instanceof LockstepError) throw cause;
    throw damagedBodyRefusal(cause);
  });
}

async function existing(path: string, repository: string): Promise<string> {
  return await realpath(path).catch((cause: unknown) => {
    throw new LockstepError("REPLICA_NOT_FOUND", `The replica of ${repository} is not here yet; ask another device.`, {
      cause,
    });
  });
}
