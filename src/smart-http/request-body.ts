// Prepares the body of a request for git.
import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { Refusal } from "./refusal.ts";

/**
 * Returns the body, decompressed if the client compressed it. Reading fails when the connection ends before the body,
 * or when the content is not valid gzip. Throws Refusal for other encodings.
 */
export function requestBody(request: IncomingMessage): Readable {
  const encoding = request.headers["content-encoding"] ?? "identity";
  if (encoding === "identity") return request;
  if (encoding !== "gzip" && encoding !== "x-gzip")
    throw new Refusal(415, `The encoding ${JSON.stringify(encoding.slice(0, 60))} does not fit; send gzip or none.`);
  const gunzip = createGunzip();
  // Decompression may fail before anyone reads. A later reader still gets the error.
  gunzip.on("error", () => {});
  // pipe, not pipeline: invalid gzip must not close the connection, which still has to carry the answer.
  request.pipe(gunzip);
  request.once("close", () => {
    if (!request.complete) gunzip.destroy(new Error("The connection ended before the request did."));
  });
  return gunzip;
}

/**
 * Passes the chunks of a body on. It holds back the last chunk until the body has ended well, and calls `onWhole`
 * before it. A pack marks its own end, so git would act on a request whose connection or checksum fails after that.
 * Without the last bytes it cannot.
 */
export async function* lastChunkWhenWhole(body: AsyncIterable<Buffer>, onWhole: () => void): AsyncGenerator<Buffer> {
  let held: Buffer | undefined;
  for await (const chunk of body) {
    if (held) yield held;
    held = chunk;
  }
  onWhole();
  if (held) yield held;
}
