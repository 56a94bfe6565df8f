// A refusal of the second request of a push or a fetch. git shows people nothing of such an answer but "RPC failed; HTTP 503" (and
// after a push "Everything up-to-date"). So they are told in git's own words: a report per ref, or an error packet.
import type { Readable } from "node:stream";
import { FLUSH, packet, utf8 } from "../framing/pkt-line.ts";
import type { GitRequest } from "../smart-http/route.ts";

/** More than any client sends before its pack. */
const COMMANDS_LIMIT = 64 << 20;
/** What fits into one packet of the two kinds of side band. */
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
 * The body of the answer which tells a git client `sentence`; undefined where it has no way to be told. Reads what it needs of the
 * request's body, which nobody may have read yet.
 */
export async function toldByGit(
  { service }: GitRequest,
  body: Readable,
  { sentence, requestId }: { sentence: string; requestId: string },
): Promise<Buffer | undefined> {
  if (service === "upload-pack") return packet(`ERR ${utf8(`${sentence} (request ${requestId})`)}\n`);
  const head = await readPushHead(body).catch(() => undefined);
  if (head === undefined) return undefined;
  // Large pushes are preceded by a probe without commands, which is not where a person can be told anything.
  if (head.names.length === 0) return Buffer.alloc(0);
  if (!head.capabilities.some((each) => /^report-status(-v2)?$/.test(each))) return undefined;
  const lines = head.names.map((name) => packet(`ng ${name} ${utf8(sentence)}\n`));
  const report = Buffer.concat([packet("unpack refused\n"), ...lines, FLUSH]);
  const band = BANDS.find(([name]) => head.capabilities.includes(name));
  if (band === undefined) return report;
  const said = Buffer.from(`${sentence}\nRequest ${requestId}\n`);
  return Buffer.concat([...inBand(2, said, band[1]), ...inBand(1, report, band[1]), FLUSH]);
}

/** The commands of a push, which come before its pack. undefined: they are not as git sends them. */
async function readPushHead(body: Readable): Promise<PushHead | undefined> {
  const names: string[] = [];
  let capabilities: string[] | undefined;
  let rest: Buffer = Buffer.alloc(0);
  let seen = 0;
  // The rest of the body is not for this reader, and the connection has an answer to carry.
  for await (const chunk of body.iterator({ destroyOnReturn: false })) {
    rest = Buffer.concat([rest, chunk as Buffer]);
    seen += (chunk as Buffer).length;
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
