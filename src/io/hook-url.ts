// URLs of webhooks. They may carry a password or a token, so people are shown a part of them, and the log only where
// they lead.
import { LockstepError } from "../errors.ts";

const LENGTH_LIMIT = 2_000;

/** Checks the URL of a hook and returns it in its normal form. Throws INVALID_REQUEST. */
export function hookUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isOne =
    url !== undefined && (url.protocol === "https:" || url.protocol === "http:") && text.length <= LENGTH_LIMIT;
  if (!isOne)
    throw new LockstepError(
      "INVALID_REQUEST",
      `The URL of a hook begins with https:// or http:// and has at most ${LENGTH_LIMIT} characters; correct it.`,
    );
  // The part after # is never sent.
  url.hash = "";
  return url.href;
}

/** Returns the URL without its password. */
export function shownUrl(text: string): string {
  const url = new URL(text);
  if (url.password !== "") url.password = "***";
  return url.href;
}

/** Returns where the URL leads, for the log: no path and no query, which may hold a token. */
export function originOf(text: string): string {
  return new URL(text).origin;
}
