// Packs that cost their receiver more than their sender.
import { createHash, randomBytes } from "node:crypto";
import { deflateSync } from "node:zlib";

/** Returns the size as git writes it into a delta. */
const size = (value: number): number[] =>
  value < 128 ? [value] : [(value % 128) | 128, ...size(Math.floor(value / 128))];
/** Returns the head of an object in a pack. */
export const header = (type: number, length: number): Buffer => {
  const rest = Math.floor(length / 16);
  return Buffer.from([(type << 4) | (length % 16) | (rest > 0 ? 128 : 0), ...(rest > 0 ? size(rest) : [])]);
};

/** Returns a pack of 20 KB with a blob of 16 MiB of zeros, and a delta that puts it together `times` times. */
export function bomb(times: number): Buffer {
  const base = Buffer.alloc(0xffffff);
  const id = createHash("sha1").update(`blob ${base.length}\0`).update(base).digest();
  const copy = [0xf0, 0xff, 0xff, 0xff];
  const delta = Buffer.from([...size(base.length), ...size(base.length * times), ...Array(times).fill(copy).flat()]);
  const start = Buffer.from("PACK\0\0\0\x02\0\0\0\x02", "latin1");
  const parts = [start, header(3, base.length), deflateSync(base), header(7, delta.length), id, deflateSync(delta)];
  const pack = Buffer.concat(parts);
  return Buffer.concat([pack, createHash("sha1").update(pack).digest()]);
}

const BLOB = 3;

/** Yields a pack that says it has two billion blobs, piece by piece, without an end. Each piece holds new blobs. */
export function* endlessPack(): Generator<Buffer> {
  yield Buffer.from("PACK\0\0\0\x02\x7f\xff\xff\xff", "latin1");
  for (let count = 0; ; ) {
    const blobs = Array.from({ length: 64 }, () => {
      count += 1;
      const content = Buffer.alloc(1_000, `${count} `);
      return Buffer.concat([header(BLOB, content.length), deflateSync(content, { level: 0 })]);
    });
    yield Buffer.concat(blobs);
  }
}

/** Returns a pack with one blob. */
export function smallPack(content: string): Buffer {
  const blob = Buffer.from(content);
  const start = Buffer.from("PACK\0\0\0\x02\0\0\0\x01", "latin1");
  const pack = Buffer.concat([start, header(BLOB, blob.length), deflateSync(blob)]);
  return Buffer.concat([pack, createHash("sha1").update(pack).digest()]);
}

/** Returns a small pack with one blob of `length` zeros, which is no delta, and the id of the blob. */
export function zeros(length: number): { pack: Buffer; id: string } {
  const content = Buffer.alloc(length);
  const start = Buffer.from("PACK\0\0\0\x02\0\0\0\x01", "latin1");
  const pack = Buffer.concat([start, header(BLOB, length), deflateSync(content)]);
  return {
    pack: Buffer.concat([pack, createHash("sha1").update(pack).digest()]),
    id: createHash("sha1").update(`blob ${length}\0`).update(content).digest("hex"),
  };
}

/**
 * Returns a small pack with a blob of `length` random bytes, below 65,536, and `depth` more, each a delta on the one
 * before it. Also returns the id of the last one.
 */
export function chain(depth: number, length: number): { pack: Buffer; id: string } {
  const content = randomBytes(length);
  const idOf = () => createHash("sha1").update(`blob ${length}\0`).update(content).digest();
  const start = Buffer.alloc(12);
  start.write("PACK");
  start.writeUInt32BE(2, 4);
  start.writeUInt32BE(depth + 1, 8);
  const parts = [start, header(BLOB, length), deflateSync(content)];
  let id = idOf();
  for (let place = 1; place <= depth; place += 1) {
    content.writeUInt32BE(place, 0);
    // Insert the four bytes, and copy the rest from the base: one byte of its offset, two of its length.
    const copied = [0x80 | 0x01 | 0x10 | 0x20, 4, (length - 4) & 0xff, (length - 4) >> 8];
    const delta = Buffer.from([...size(length), ...size(length), 4, ...content.subarray(0, 4), ...copied]);
    parts.push(header(7, delta.length), id, deflateSync(delta));
    id = idOf();
  }
  const pack = Buffer.concat(parts);
  return { pack: Buffer.concat([pack, createHash("sha1").update(pack).digest()]), id: id.toString("hex") };
}
