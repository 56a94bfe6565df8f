// One attempt to deliver an event to a webhook: one POST, with a limit on its time and on what is read of the answer.
// Redirects are not followed: they could lead the event, and its signature, to a stranger.
import { createHash, createHmac } from "node:crypto";
import { type RequestOptions, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { BlockList } from "node:net";
import { displayRef } from "../../domain.ts";
import { checkHookAddress, lookupOf } from "../../io/hook-url.ts";
import { linkSignals } from "../../io/signals.ts";
import type { ClaimedHook } from "../../store/watch/hooks.ts";
import type { Landed } from "../../store/watch/landed.ts";
import { WAITS } from "../../waits.ts";

/** So much of an answer is read. The rest is cut off. */
const ANSWER_LIMIT = 16_384;
/** So much of the answer to a failed attempt is shown. */
const SHOWN = 200;

/** Returns the id of a delivery: a UUID that is the same for each attempt, so that a receiver knows a repetition. */
function deliveryId(hookId: string, { entry }: Landed): string {
  const hex = createHash("sha256").update(`${hookId} ${entry.writeId}`).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    "-",
  );
}

/** Returns the body of a delivery. It is the same for each attempt. */
function bodyOf(hook: Pick<ClaimedHook, "id" | "visible">, event: Landed): Buffer {
  const { version, writeId, device, author, landedAt, updates, more } = event.entry;
  return Buffer.from(
    JSON.stringify({
      event: "landed",
      delivery: deliveryId(hook.id, event),
      hook: hook.id,
      visible: hook.visible,
      repository: event.repository,
      version: Number(version),
      write_id: writeId,
      device,
      author,
      landed_at: landedAt.toISOString(),
      updates: updates.map(({ name, oldValue, newValue }) => ({
        ref: displayRef(name),
        old: oldValue === null ? null : displayRef(oldValue),
        new: newValue === null ? null : displayRef(newValue),
      })),
      more,
    }),
  );
}

/** Returns the signature of a body: HMAC-SHA-256 in hex, as receivers of GitHub's webhooks know it. */
function signatureOf(secret: string, body: Buffer): string {
  return `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
}

/**
 * Posts an event, if the URL leads to an address that `allowed` has. Returns when the receiver has answered with 2xx,
 * and throws an error with one sentence otherwise. `signal` breaks the attempt off.
 */
export async function postEvent(
  hook: Pick<ClaimedHook, "id" | "url" | "secret" | "visible">,
  event: Landed,
  { allowed, signal }: { allowed: BlockList | undefined; signal: AbortSignal },
): Promise<void> {
  const body = bodyOf(hook, event);
  const url = new URL(hook.url);
  checkHookAddress(allowed, url);
  const auth = url.username === "" ? {} : { auth: `${decode(url.username)}:${decode(url.password)}` };
  using limit = linkSignals([signal], WAITS.hookDeliveryMs);
  const options = {
    ...auth,
    method: "POST",
    // A connection of its own: one that is kept alive may be closed just when it is used again.
    agent: false,
    lookup: lookupOf(allowed, url),
    signal: limit.signal,
    headers: {
      "content-type": "application/json",
      "content-length": body.length,
      "user-agent": "lockstep",
      "x-lockstep-event": "landed",
      "x-lockstep-delivery": deliveryId(hook.id, event),
      "x-lockstep-timestamp": String(Math.floor(Date.now() / 1000)),
      "x-lockstep-signature-256": signatureOf(hook.secret, body),
    },
  };
  url.username = "";
  url.password = "";
  const { status, answer } = await exchange(url, options, body).catch((error: unknown) => {
    if (limit.signal.aborted && !signal.aborted)
      throw new Error(`The receiver did not answer within ${WAITS.hookDeliveryMs / 1000} s.`);
    throw error;
  });
  if (status >= 200 && status < 300) return;
  if (status >= 300 && status < 400)
    throw new Error(`The receiver answered ${status}, and redirects are not followed; add the hook with its new URL.`);
  throw new Error(`The receiver answered ${status}${answer === "" ? "." : `: ${answer.slice(0, SHOWN)}`}`);
}

/** Sends a request. Once the status has come, an answer that breaks off or is too long does not matter. */
async function exchange(url: URL, options: RequestOptions, body: Buffer): Promise<{ status: number; answer: string }> {
  return await new Promise((resolve, reject) => {
    const send = url.protocol === "https:" ? requestHttps : requestHttp;
    const request = send(url, options, (response) => {
      let answer = "";
      let read = 0;
      const end = () => {
        resolve({ status: response.statusCode ?? 0, answer: answer.trim() });
        request.destroy();
      };
      response.on("data", (chunk: Buffer) => {
        read += chunk.length;
        if (answer.length < SHOWN) answer += chunk.subarray(0, SHOWN).toString("utf8");
        if (read > ANSWER_LIMIT) end();
      });
      response.once("end", end);
      response.on("error", end);
    });
    request.on("error", reject);
    request.end(body);
  });
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
