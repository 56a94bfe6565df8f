import { expect, it } from "vitest";
import { type Expected, PacketWatch } from "../../src/smart-http/packet-watch.ts";

const line = (text: string) => (text.length + 4).toString(16).padStart(4, "0") + text;

it.each<[string, string, Expected]>([
  ["nothing", "", "packet"],
  ["an advertisement", `${line("1 HEAD\0multi_ack\n")}${line("2 refs/heads/main\n")}`, "packet"],
  ["a flush", `${line("version 2\n")}0000`, "packet"],
  ["the answer to a negotiation of version 0", line("NAK\n"), "band"],
  ["the head of a pack of version 2", line("packfile\n"), "band"],
  ["data in a band", `${line("NAK\n")}${line("\x01PACK")}`, "band"],
  ["words in a band", `${line("packfile\n")}${line("\x02Counting")}`, "band"],
  ["a packet without content", `${line("\x01PACK")}0004`, "band"],
  ["half a length", `${line("NAK\n")}00`, undefined],
  ["half a packet", "0032want", undefined],
  ["a pack without bands", `${line("NAK\n")}PACK\0\0\0\x02`, undefined],
  ["a packet after a pack", `PACK${line("NAK\n")}`, undefined],
])("knows what may follow %s, however it is cut into chunks", (_, output, expected) => {
  for (const size of [1, 2, 3, 5, 1_000]) {
    const watch = new PacketWatch();
    const bytes = Buffer.from(output, "latin1");
    for (let at = 0; at < bytes.length; at += size) watch.pass(bytes.subarray(at, at + size));
    expect(watch.expected).toBe(expected);
  }
});
