// Answers a refusal of the second request of a push or a fetch. Of an HTTP error git shows people only "RPC failed;
// HTTP 503", and after a push "Everything up-to-date". So the sentence is sent in git's own form: a report per ref, or
// an error packet.
import { on } from "node:events";
import type { Readable } from "node:stream";
import { FLUSH, linePacket, packet, utf8 } from "../framing/pkt-line.ts";
import type { GitRequest } from "../smart-http/route.ts";

/** The most that is read of the commands of a push, decompressed: some 8,000 refs. */
const COMMANDS_LIMIT = 1 << 20;
/** The two kinds of side band, each with the largest content of one packet. */
const BANDS = [
  ["side-band-64k", 65_515],
  ["side-band", 995],
] as const;

interface PushHead {
  /** As bytes (latin1). */
  readonly names: readonly string[];
  readonly capabilities: readonly string[];
}

/**
 * Returns the body of an answer that shows `sentence` to a git client; undefined when the client cannot show it. Reads
 * the needed part of the request's body, which must be unread, until the signal aborts.
 */
export async function toldByGit(
  { service }: GitRequest,
  body: Readable,
  { sentence, requestId }: { sentence: string; requestId: string },
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  if (service === "upload-pack") return packet(`ERR ${utf8(`${sentence} (request ${requestId})`)}\n`);
  const head = await readPushHead(body, signal).catch(() => undefined);
  if (head === undefined) return undefined;
  // A large push begins with a probe without commands. A client shows no message after a probe.
  if (head.names.length === 0) return Buffer.alloc(0);
  if (!head.capabilities.some((each) => /^report-status(-v2)?$/.test(each))) return undefined;
  const lines = head.names.map((name) => linePacket(`ng ${name} ${utf8(sentence)}`));
  const report = Buffer.concat([packet("unpack refused\n"), ...lines, FLUSH]);
  const band = BANDS.find(([name]) => head.capabilities.includes(name));
  if (band === undefined) return report;
  const said = Buffer.from(`${sentence}\nRequest ${requestId}\n`);
  return Buffer.concat([...inBand(2, said, band[1]), ...inBand(1, report, band[1]), FLUSH]);
}

/**
 * Reads the commands of a push, which come before its pack. undefined: they do not have git's form, or are too many.
 * Rejects when the body breaks off, and with the signal's reason.
 */
async function readPushHead(body: Readable, signal: AbortSignal): Promise<PushHead | undefined> {
  // No event comes any more.
  if (body.destroyed || body.readableEnded) return undefined;
  const names: string[] = [];
  let capabilities: string[] | undefined;
  let rest: Buffer = Buffer.alloc(0);
  let seen = 0;
  // The iterator of the body itself would go on reading after the signal, or destroy the connection.
  const chunks = on(body, "data", { signal, close: ["end", "close"], highWaterMark: 4, lowWaterMark: 1 });
  for await (const [chunk] of chunks as AsyncIterable<[Buffer]>) {
    rest = Buffer.concat([rest, chunk]);
    seen += chunk.length;
    if (seen > COMMANDS_LIMIT) return undefined;
    let start = 0;
    while (rest.length - start >= 4) {
      const digits = rest.toString("latin1", start, start + 4);
      const length = /^[0-9a-f]{4}$/i.test(digits) ? Number.parseInt(digits, 16) : 1;
      if (length === 0) return { names, capabilities: capabilities ?? [] };
      if (length < 4) return undefined;
      if (rest.length - start < length) break;
      const [line = "", said] = rest.toString("latin1", start + 4, start + length).split("\0");
      start += length;
      capabilities ??= said?.trim().split(" ");
      const name = /^[0-9a-f]{40,64} [0-9a-f]{40,64} ([^\n]+)\n?$/.exec(line)?.[1];
      if (name !== undefined) names.push(name);
      // A signed push has its commands elsewhere.
      else if (!line.startsWith("shallow ")) return undefined;
    }
    rest = rest.subarray(start);
  }
  return undefined;
}

function* inBand(band: number, content: Buffer, most: number): Generator<Buffer> {
  for (let start = 0; start < content.length; start += most) {
    const part = content.subarray(start, start + most).toString("latin1");
    yield packet(String.fromCharCode(band) + part);
  }
}
