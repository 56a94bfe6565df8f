// Sends a push over smart HTTP as git's client does, without git's client. No process starts, the moment of `ok` is
// known, and the caller chooses the speed of the upload.
import { createHash } from "node:crypto";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { deflateSync } from "node:zlib";

const agent = new Agent({ keepAlive: true });
const ZERO = "0".repeat(40);
const COMMIT = 1;
const TREE = 2;
const BLOB = 3;
const PIECES = 10;

/** A branch of a repository at a gate, which grows by one commit with each push. */
export class Branch {
  #gate;
  #ref;
  #tip = ZERO;
  #commits = 0;

  constructor(gate, name) {
    this.#gate = gate;
    this.#ref = `refs/heads/${name}`;
  }

  /** Pushes a commit with one new file. The upload lasts at least `uploadMs`. Resolves with the commit's id at `ok`. */
  async push(uploadMs = 0) {
    const advertised = await exchange(this.#gate, "GET", "/info/refs?service=git-receive-pack");
    if (!advertised.includes("report-status")) throw new Error(`no advertisement: ${advertised.slice(0, 200)}`);
    this.#commits += 1;
    const { id, pack } = commitOn(this.#tip, `${this.#ref} ${this.#commits} ${Math.random()}\n`);
    const command = packet(`${this.#tip} ${id} ${this.#ref}\0report-status agent=bench`);
    const body = Buffer.concat([Buffer.from(`${command}0000`), pack]);
    const report = await exchange(this.#gate, "POST", "/git-receive-pack", body, uploadMs);
    if (!report.includes(`ok ${this.#ref}`)) throw new Error(`refused: ${report}`);
    this.#tip = id;
    return id;
  }
}

async function exchange(gate, method, path, body, uploadMs = 0) {
  const headers = body ? { "content-type": "application/x-git-receive-pack-request" } : {};
  // A slow upload stands for a large one. With "100-continue" the body waits until the server reads it.
  if (uploadMs > 0) headers.expect = "100-continue";
  const sent = request(`${gate}${path}`, { method, agent, headers });
  const answered = new Promise((resolve, reject) => {
    sent.once("error", reject);
    sent.once("response", (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.once("end", () => resolve(Buffer.concat(chunks).toString("latin1")));
      response.once("error", reject);
    });
  });
  if (uploadMs > 0) {
    await Promise.race([once(sent, "continue"), answered]);
    for (let piece = 0; piece < PIECES - 1; piece += 1) {
      sent.write(body.subarray((piece * body.length) / PIECES, ((piece + 1) * body.length) / PIECES));
      await sleep(uploadMs / (PIECES - 1));
    }
    sent.end(body.subarray(((PIECES - 1) * body.length) / PIECES));
  } else sent.end(body);
  return await answered;
}

function packet(line) {
  return (line.length + 4).toString(16).padStart(4, "0") + line;
}

/** Makes a commit with one file. Returns its id and a pack of its new objects. */
function commitOn(parent, text) {
  const blob = object(BLOB, "blob", Buffer.from(text));
  const entry = Buffer.concat([Buffer.from("100644 file\0"), Buffer.from(blob.id, "hex")]);
  const tree = object(TREE, "tree", entry);
  const who = `b <b@example.org> ${Math.floor(Date.now() / 1000)} +0000`;
  const parents = parent === ZERO ? "" : `parent ${parent}\n`;
  const message = `tree ${tree.id}\n${parents}author ${who}\ncommitter ${who}\n\n${text}`;
  const commit = object(COMMIT, "commit", Buffer.from(message));
  const objects = [commit, tree, blob];
  const head = Buffer.alloc(12);
  head.write("PACK");
  head.writeUInt32BE(2, 4);
  head.writeUInt32BE(objects.length, 8);
  const content = Buffer.concat([head, ...objects.map(({ packed }) => packed)]);
  return { id: commit.id, pack: Buffer.concat([content, createHash("sha1").update(content).digest()]) };
}

function object(type, name, content) {
  const id = createHash("sha1").update(`${name} ${content.length}\0`).update(content).digest("hex");
  // The first byte has the type and the low four bits of the length. Each further byte has seven bits (gitformat-pack).
  const bytes = [];
  let rest = content.length >> 4;
  let byte = (type << 4) | (content.length & 15);
  for (; rest > 0; rest >>= 7) {
    bytes.push(byte | 128);
    byte = rest & 127;
  }
  bytes.push(byte);
  return { id, packed: Buffer.concat([Buffer.from(bytes), deflateSync(content)]) };
}
