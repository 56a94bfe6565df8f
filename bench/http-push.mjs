// Sends a push over smart HTTP as git's client does, without git's client. No process starts, the moment of `ok` is
// known, and the caller chooses the speed of the upload.
import { createHash } from "node:crypto";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { crc32, deflateSync } from "node:zlib";

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
  /** The last commit, and the last one that was pushed. */
  #tip = ZERO;
  #pushed = ZERO;
  #commits = 0;

  constructor(gate, name) {
    this.#gate = gate;
    this.#ref = `refs/heads/${name}`;
  }

  /** Pushes a commit with one new file. The upload lasts at least `uploadMs`. Resolves with the commit's id at `ok`. */
  async push(uploadMs = 0) {
    const advertised = await exchange(this.#gate, "GET", "/info/refs?service=git-receive-pack");
    if (!advertised.includes("report-status")) throw new Error(`no advertisement: ${advertised.slice(0, 200)}`);
    const { id, pack } = this.grow();
    const command = packet(`${this.#pushed} ${id} ${this.#ref}\0report-status agent=bench`);
    const body = Buffer.concat([Buffer.from(`${command}0000`), pack]);
    const report = await exchange(this.#gate, "POST", "/git-receive-pack", body, uploadMs);
    if (!report.includes(`ok ${this.#ref}`)) throw new Error(`refused: ${report}`);
    this.#pushed = id;
    return id;
  }

  /** Makes the commit that the next push would bring. Returns its id, a pack of its new objects, and the pack's index. */
  grow() {
    this.#commits += 1;
    const made = commitOn(this.#tip, `${this.#ref} ${this.#commits} ${Math.random()}\n`);
    this.#tip = made.id;
    return made;
  }
}

/** Creates refs below refs/heads/PREFIX/ in one push, all on one new commit. Resolves at the report. */
export async function pushRefs(gate, prefix, count) {
  await exchange(gate, "GET", "/info/refs?service=git-receive-pack");
  const { id, pack } = commitOn(ZERO, `${prefix} ${Math.random()}\n`);
  const commands = Array.from({ length: count }, (_, index) =>
    packet(`${ZERO} ${id} refs/heads/${prefix}/${index}${index === 0 ? "\0report-status agent=bench" : ""}`),
  );
  const body = Buffer.concat([Buffer.from(`${commands.join("")}0000`), pack]);
  const report = await exchange(gate, "POST", "/git-receive-pack", body);
  const landed = report.split("ok refs/heads/").length - 1;
  if (landed !== count) throw new Error(`${landed} of ${count} landed: ${report.slice(0, 300)}`);
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

/** Makes a commit with one file. Returns its id, and a pack of its new objects. */
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
  const sum = createHash("sha1").update(content).digest();
  return { id: commit.id, sum, pack: Buffer.concat([content, sum]), index: () => indexOf(objects, head.length, sum) };
}

/** Makes the index of a pack (gitformat-pack, version 2). */
function indexOf(objects, start, packSum) {
  let offset = start;
  const entries = [];
  for (const { id, packed } of objects) {
    entries.push({ id, crc: crc32(packed), offset });
    offset += packed.length;
  }
  entries.sort((a, b) => (a.id < b.id ? -1 : 1));
  const words = (values) => {
    const bytes = Buffer.alloc(values.length * 4);
    for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4);
    return bytes;
  };
  const fanOut = Array.from({ length: 256 }, (_, byte) =>
    entries.filter(({ id }) => parseInt(id.slice(0, 2), 16) <= byte),
  );
  const content = Buffer.concat([
    Buffer.from("ff744f6300000002", "hex"),
    words(fanOut.map(({ length }) => length)),
    ...entries.map(({ id }) => Buffer.from(id, "hex")),
    words(entries.map(({ crc }) => crc)),
    words(entries.map((entry) => entry.offset)),
    packSum,
  ]);
  return Buffer.concat([content, createHash("sha1").update(content).digest()]);
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

/** How long pushes are counted. */
export const WINDOW_MS = 2_500;

/** Returns how many pushes land a second within the window. */
export async function pushesPerSecond(branches, windowMs = WINDOW_MS) {
  const startedAt = performance.now();
  const over = () => performance.now() - startedAt > windowMs;
  let landed = 0;
  const pusher = async (branch) => {
    while (!over()) {
      await branch.push();
      if (!over()) landed += 1;
    }
  };
  await Promise.all(branches.map(pusher));
  return (landed / windowMs) * 1000;
}
