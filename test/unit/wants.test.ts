import { describe, expect, it } from "vitest";
import { packet } from "../../src/framing/pkt-line.ts";
import { WantReader, wantsOf } from "../../src/framing/wants.ts";

const [A, B] = ["a1".repeat(20), "b2".repeat(32)];
const FLUSH = Buffer.from("0000");
const DELIMITER = Buffer.from("0001");
const bytes = (...parts: (string | Buffer)[]) =>
  Buffer.concat(parts.map((part) => (typeof part === "string" ? packet(part) : part)));
const V2 = bytes("command=fetch\n", "object-format=sha1", DELIMITER, `want ${A}\n`, `want ${B}\n`, "done\n", FLUSH);
const V0 = bytes(`want ${A} multi_ack ofs-delta\n`, `want ${B}`, FLUSH, `have ${A}\n`, "done\n");

describe("what a client of git wants", () => {
  it.each([
    ["version 2", V2],
    ["version 0", V0],
  ])("is found in a whole request of %s", (_, request) => {
    expect(wantsOf(request)).toEqual([A, B]);
  });

  it("is found in capital letters too, and where the request breaks off", () => {
    expect(wantsOf(bytes(`want ${A.toUpperCase()}\n`))).toEqual([A]);
  });

  it("is not looked for in other packets", () => {
    expect(wantsOf(bytes("command=ls-refs\n", DELIMITER, "ref-prefix want \n", FLUSH, `have ${A}\n`))).toEqual([]);
  });

  it.each([`want ${A}0`, `want ${A.slice(1)}`, "want ", `want  ${A}`, "want HEAD"])(
    "a client of git wants ids: not %s",
    (line) => {
      expect(() => wantsOf(bytes(line, FLUSH))).toThrow("no object id");
    },
  );

  it.each(["0003", "fff1", "-001", "0x1f", "wxyz"])("is not read behind a packet of the length %s", (length) => {
    expect(() => wantsOf(Buffer.from(`${length}want ${A}`))).toThrow("an invalid length");
  });
});

describe("a reader of what a client says", () => {
  it.each([1, 7, 10_000])("holds nothing back but wants until their flush, in pieces of %i bytes", (size) => {
    for (const said of [V0, V2]) {
      const reader = new WantReader();
      const passed: Buffer[] = [];
      const wants: string[][] = [];
      for (let at = 0; at < said.length; at += size)
        for (const section of reader.push(said.subarray(at, at + size))) {
          if (section.wants.length > 0) wants.push([...section.wants]);
          passed.push(section.bytes);
        }
      expect(Buffer.concat(passed)).toEqual(said);
      expect(wants).toEqual([[A, B]]);
    }
  });

  it("passes on what has no wants at once, and a section of wants only when it has ended", () => {
    const reader = new WantReader();
    expect(reader.push(bytes("command=fetch"))).toHaveLength(1);
    expect(reader.push(bytes(`want ${A}`, "thin-pack"))).toEqual([]);
    expect(reader.unended).toEqual([A]);
    expect(reader.push(FLUSH)).toEqual([{ bytes: bytes(`want ${A}`, "thin-pack", FLUSH), wants: [A] }]);
    expect(reader.unended).toEqual([]);
  });

  it("does not hold back more than 16 MiB", () => {
    const reader = new WantReader();
    const many = bytes(...Array.from({ length: 10_000 }, () => `want ${A}\n`));
    expect(() => {
      for (let count = 0; count < 40; count += 1) reader.push(many);
    }).toThrow("wants too many objects at once");
  });
});
