// The body of a request on its way to git.
import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { Refusal } from "./refusal.ts";

/**
 * The body as git wants it, decompressed where the client compressed it. Reading fails when the connection ends before the body
 * does, or when what it holds is no gzip. Throws Refusal for other encodings.
 */
export function requestBody(request: IncomingMessage): Readable {
  const encoding = request.headers["content-encoding"] ?? "identity";
  if (encoding === "identity") return request;
  if (encoding !== "gzip" && encoding !== "x-gzip")
    throw new Refusal(415, `The encoding ${JSON.stringify(encoding.slice(0, 60))} does not fit; send gzip or none.`);
  const gunzip = createGunzip();
  // It may fail before anyone reads; whoever reads then still gets the error.
  gunzip.on("error", () => {});
  // pipe, not pipeline: data that is no gzip must not cost the connection, which still has to carry the answer.
  request.pipe(gunzip);
  request.once("close", () => {
    if (!request.complete) gunzip.destroy(new Error("The connection ended before the request did."));
  });
  return gunzip;
}

/**
 * Passes the chunks of a body on, the last one only when the body has ended well, after `onWhole`. A pack carries its own end,
 * so git would act on a request whose connection or checksum fails after that; without its last bytes it cannot.
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
