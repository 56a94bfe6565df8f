// Generated requests for the gate and the git port.
import type { IncomingMessage } from "node:http";
import { join, relative } from "node:path";
import { Readable } from "node:stream";
import fc from "fast-check";
import { expect, it } from "vitest";
import { LockstepError } from "../../src/errors.ts";
import { packet } from "../../src/framing/pkt-line.ts";
import { beginBody } from "../../src/gate/cache/ls-refs-request.ts";
import { toldByGit } from "../../src/gate/told-by-git.ts";
import { foreignHost, readHostNames } from "../../src/http/host-names.ts";
import { repositoryName } from "../../src/names.ts";
import { asRefusal, Refusal } from "../../src/smart-http/refusal.ts";
import { type GitRequest, gitRequest } from "../../src/smart-http/route.ts";
import { checkedHold } from "../../src/sync/copies/hold-request.ts";
import { bytes, cuts, fuzz, oddText, outcome, split, textOf } from "../support/fuzz.ts";

const ROOT = "/srv/git";
const word = fc.constantFrom(
  "team",
  "app",
  "app.git",
  ".git",
  "..",
  "%2e%2e",
  "%2F",
  "%00",
  "%ff",
  "%",
  ".lockstep",
  "-x",
);
const url = fc.oneof(
  textOf("/", "//", word, "http://host", "?", "info/refs", "git-upload-pack", oddText(5)),
  fc
    .tuple(
      textOf(word, "/", oddText(5)),
      fc.constantFrom(
        "info/refs?service=git-upload-pack",
        "info/refs?service=git-receive-pack",
        "info/refs",
        "git-receive-pack",
      ),
    )
    .map(([name, endpoint]) => `/${name}/${endpoint}`),
);
const method = fc.oneof(fc.constantFrom("GET", "HEAD", "POST", "PUT"), oddText(10));
const header = fc.oneof(fc.constantFrom("application/x-git-upload-pack-request", "text/plain"), oddText());
const request = fc
  .record({
    url,
    method,
    headers: fc.record({ "content-type": header, "content-encoding": header }, { requiredKeys: [] }),
  })
  .map((fields) => fields as unknown as IncomingMessage);

it("any request names a repository below the root, or gets a refusal with a sentence for git's user", () => {
  fc.assert(
    fc.property(request, (asked) => {
      const { value, error } = outcome(() => gitRequest(asked));
      if (value !== undefined) {
        expect(repositoryName(value.repository)).toBe(value.repository);
        expect(relative(ROOT, join(ROOT, `${value.repository}.git`))).toBe(`${value.repository}.git`);
        return;
      }
      if (!(error instanceof Refusal)) expect(error).toMatchObject({ code: "INVALID_NAME" });
      const { status, message } = asRefusal(error);
      expect([400, 403, 404, 405, 415]).toContain(status);
      expect(message.length).toBeLessThan(5_300);
    }),
    fuzz(1_000),
  );
});

const names = textOf("a.example", ",", "*", "[::1]", " ", ".", oddText(8));

it("any host is one of this server's, or gets a sentence that a terminal may show", () => {
  fc.assert(
    fc.property(names, fc.option(names, { nil: undefined }), (list, host) => {
      expect(foreignHost(host, readHostNames(list)) ?? "").toMatch(/^[ -~]*$/);
    }),
    fuzz(),
  );
});

const FETCH: GitRequest = { repository: "app", service: "upload-pack", advertisement: false };
const LIMITS = { idleMs: 60_000, fetchBytes: 1 << 20 };
const asks = fc.constantFrom("0014command=ls-refs\n", "0012command=fetch", "0014command=ls-ref", "0014");
const fetchBody = fc
  .tuple(fc.oneof(asks, fc.constant("")), bytes())
  .map(([start, rest]) => Buffer.concat([Buffer.from(start), rest]));

it("the body of a fetch arrives byte for byte, however it is cut, and a question for refs is known as one", async () => {
  await fc.assert(
    fc.asyncProperty(fetchBody, cuts, fc.constantFrom("version=2", undefined), async (whole, at, protocol) => {
      const received = Readable.from(split(whole, at));
      const options = { ...LIMITS, signal: new AbortController().signal };
      const { lsRefs, body } = await beginBody(FETCH, protocol, received, options);
      const arrived: Buffer[] = [];
      for await (const chunk of body ?? []) arrived.push(chunk);
      expect(Buffer.concat(arrived).equals(whole)).toBe(true);
      const isQuestion = protocol !== undefined && whole.toString("latin1").startsWith("0014command=ls-refs");
      expect(lsRefs?.equals(whole) ?? false).toBe(isQuestion);
    }),
    fuzz(),
  );
});

it("the body of a fetch that is too long is refused with 413, and never kept whole", async () => {
  await fc.assert(
    fc.asyncProperty(bytes(100), fc.integer({ min: 1, max: 9 }), async (chunk, more) => {
      fc.pre(chunk.length > 0);
      let taken = 0;
      async function* endless() {
        for (;;) {
          taken += 1;
          yield chunk;
        }
      }
      const fetchBytes = chunk.length * more;
      const options = { ...LIMITS, fetchBytes, signal: new AbortController().signal };
      const { body } = await beginBody(FETCH, undefined, Readable.from(endless(), { highWaterMark: 1 }), options);
      const readAll = async () => {
        for await (const _ of body ?? []);
      };
      await expect(readAll()).rejects.toMatchObject({ status: 413 });
      expect(taken).toBeLessThan(more + 5);
    }),
    fuzz(50),
  );
});

const id = fc.constantFrom("0".repeat(40), "a".repeat(40), "b".repeat(64), "c".repeat(41), "x");
const refName = fc.oneof(fc.constantFrom("refs/heads/main", `refs/${"n".repeat(65_380)}`), oddText(20));
const capabilities = fc.constantFrom(
  "",
  "\0report-status side-band-64k",
  "\0 report-status-v2 side-band",
  "\0report-status",
  "\0",
);
const oid = fc.constantFrom("0".repeat(40), "a".repeat(40));
const command = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(oid, oid, refName, capabilities)
      .map(([from, to, name, said]) => `${from} ${to} ${name}${said}`),
  },
  fc.tuple(id, id, refName, capabilities).map(([from, to, name, said]) => `${from} ${to} ${name}${said}`),
  fc.constantFrom("shallow ".concat("a".repeat(40)), "push-cert"),
  oddText(),
);
const push = fc
  .tuple(fc.array(command, { maxLength: 5 }), bytes(30))
  .map(([lines, rest]) =>
    Buffer.concat([...lines.map((line) => packet(line.slice(0, 65_500))), Buffer.from("0000"), rest]),
  );

/** Reads packets to their end. Throws for what is none. */
function packetsOf(whole: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let start = 0; start < whole.length; ) {
    const digits = whole.toString("latin1", start, start + 4);
    const length = Number.parseInt(digits, 16);
    if (
      !/^[0-9a-f]{4}$/.test(digits) ||
      length > 65_520 ||
      (length !== 0 && length < 5) ||
      start + length > whole.length
    )
      throw new Error(`no packet: ${digits}`);
    found.push(whole.subarray(start + 4, start + Math.max(length, 4)));
    start += Math.max(length, 4);
  }
  return found;
}

it("a refusal of any push is told in packets that git reads, or not at all", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(push, bytes()),
      cuts,
      fc.oneof(oddText(300), fc.constant("s".repeat(300))),
      async (whole, at, text) => {
        const asked: GitRequest = { ...FETCH, service: "receive-pack" };
        const sentence = text.slice(0, 300);
        const body = Readable.from(split(whole, at));
        const answer = await toldByGit(asked, body, { sentence, requestId: "1" }, new AbortController().signal);
        if (answer === undefined) return;
        const packets = packetsOf(answer);
        const report = packets.filter((each) => each[0] === 1).map((each) => each.subarray(1));
        if (report.length > 0) packetsOf(Buffer.concat(report));
      },
    ),
    fuzz(),
  );
});

const UUID = "0198a3f0-0000-7000-8000-000000000000";
const list = fc.oneof(fc.constant([]), fc.array(fc.oneof(id, refName, fc.anything())), fc.anything());
const message = fc.oneof(
  fc.record(
    { repositoryId: fc.oneof(fc.constant(UUID), fc.anything()), wants: list, haves: list, refs: list },
    { requiredKeys: [] },
  ),
  fc.anything(),
);

it("any message of another device is a request for objects with sound names, or an error of the table", () => {
  fc.assert(
    fc.property(message, (body) => {
      const { value, error } = outcome(() => checkedHold(body));
      if (value === undefined) {
        expect(error).toBeInstanceOf(LockstepError);
        expect(error).toMatchObject({ code: "INVALID_REQUEST" });
        return;
      }
      for (const each of [...value.wants, ...value.haves]) expect(each).toMatch(/^[0-9a-f]{40}([0-9a-f]{24})?$/);
      for (const each of value.refs) expect(each).toMatch(/^(HEAD|refs\/[^\0\n ]+)$/);
    }),
    fuzz(),
  );
});
