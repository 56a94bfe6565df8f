// What only our own programs should reach: the socket of the hooks, and the port for packs.
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { administer } from "../support/administer.ts";
import { type BadInputTarget, leavesNoTrace, MEGABYTE, send, startBadInputTarget } from "../support/bad-input.ts";
import type { Cluster } from "../support/cluster.ts";
import type { Device } from "../support/cluster-device.ts";
import { encodeFrame } from "../support/hook-frames.ts";

let target: BadInputTarget;
let cluster: Cluster;
let one: Device;
let two: Device;
let tip: string;
beforeAll(async () => {
  target = await startBadInputTarget();
  ({ cluster, one, two, tip } = target);
});
afterAll(async () => await target?.[Symbol.asyncDispose]());

describe("bad input on the socket of the hooks", () => {
  leavesNoTrace(() => target);

  const ZERO = "0".repeat(40);
  const hookSocket = () => ({ path: join(dirname(one.demo.socket), "hook.sock") });
  const hello = (fields: Record<string, string>) =>
    encodeFrame(
      "H",
      Object.entries(fields)
        .map(([key, value]) => `${key}=${value}\0`)
        .join(""),
    );
  const packet = (line: string) => (line.length + 4).toString(16).padStart(4, "0") + line;

  it.each<[string, (string | Buffer)[]]>([
    ["another protocol", ["GET / HTTP/1.1\r\nhost: x\r\n\r\n"]],
    ["bytes at random", [Buffer.from("7f454c4602010100ffffffff", "hex")]],
    ["a frame of 2 GB", [Buffer.from("487fffffff", "hex"), Buffer.alloc(MEGABYTE)]],
    ["a frame of 4 GB", [Buffer.from("48ffffffff", "hex")]],
    ["an empty hello", [encodeFrame("H", "")]],
    ["input before a hello", [encodeFrame("I", "0000")]],
    ["another version", [hello({ version: "2", op: "upload-pack", dir: "demo" })]],
    ["no operation", [hello({ version: "1", dir: "demo" })]],
    ["an operation that is none", [hello({ version: "1", op: "upload-archive", dir: "demo" })]],
    ["no directory", [hello({ version: "1", op: "upload-pack" })]],
  ])("hangs up without a word on %s", async (_, pieces) => {
    expect((await send(hookSocket(), ...pieces)).toString()).toBe("");
  });

  it.each(["H", "O", "E", "U", "P", "X", "R", "?"])("hangs up on a frame %s where it has no place", async (type) => {
    const begin = hello({ version: "1", op: "proc-receive", dir: one.gitDir("demo") });
    const input = encodeFrame("I", `${packet("version=1\0atomic\n")}0000`);
    const frames = framesOf(await send(hookSocket(), begin, input, encodeFrame(type, "0")));
    expect(frames.filter((frame) => !frame.startsWith("O"))).toEqual([]);
  });

  it("forgets a caller who leaves in the middle of a frame", async () => {
    const socket = connect(hookSocket().path);
    socket.end(encodeFrame("H", "version=1\0op=upload-pack\0").subarray(0, 9));
    socket.resume();
    await once(socket, "close");
  });

  it.each(["upload-pack", "receive-pack"])("answers a bad directory of %s with a sentence and no path", async (op) => {
    const { root } = one.demo;
    const elsewhere = ["/etc", "/", root, dirname(root), `${root}/../x.git`, two.gitDir("demo"), ""];
    const unknown = [`${root}/no/such.git`, "no/such", "no/such.git/"];
    const directories = [
      ...elsewhere,
      ...unknown,
      "../../etc",
      "-x",
      "a\nb",
      "~root/x",
      "ü",
      "x".repeat(300),
      "x/".repeat(MEGABYTE / 4),
    ];
    for (const dir of directories) {
      const answer = framesOf(await send(hookSocket(), hello({ version: "1", op, dir })));
      expect(answer).toEqual([expect.stringMatching(/^E lockstep: .{10,400}\. \(request [\w-]{36}\)\n$/), "X 1"]);
      if (unknown.includes(dir)) expect(answer[0]).toContain("There is no repository no/such");
      if (elsewhere.includes(dir)) expect(answer[0]).toContain("is no repository of this server");
    }
    const known = await send(hookSocket(), hello({ version: "1", op, dir: one.gitDir("demo") }));
    expect(framesOf(known)).toEqual([`P ${one.gitDir("demo")}`, "X 0"]);
  });

  /** What the sidecar said: `TYPE PAYLOAD`, frame by frame. */
  function framesOf(bytes: Buffer): string[] {
    const frames: string[] = [];
    for (let at = 0; at + 5 <= bytes.length; ) {
      const end = at + 5 + bytes.readUInt32BE(at + 1);
      // The rest is still to come.
      if (end > bytes.length) break;
      frames.push(`${bytes.toString("latin1", at, at + 1)} ${bytes.toString("utf8", at + 5, end)}`);
      at = end;
    }
    return frames;
  }

  /** A push of those commands, as git would hand it over. */
  function handOver(dir: string, commands: string[]): Promise<Buffer> {
    const input = [packet("version=1\0 atomic\n"), "0000", ...commands.map(packet), "0000"].join("");
    return asShim(dir, encodeFrame("I", input));
  }

  /** What a shim in `dir` receives that sends the frames, and runs what it is told to. */
  async function asShim(dir: string, ...frames: Buffer[]): Promise<Buffer> {
    const socket = connect(hookSocket().path);
    let received = Buffer.alloc(0);
    let answered = 0;
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      const programs = framesOf(received).filter((frame) => frame.startsWith("U "));
      for (const program of programs.slice(answered)) {
        const [path = "", ...args] = program.slice(2).split("\0").slice(0, -1);
        const { status } = spawnSync(path, args, { cwd: dir, env: { PATH: process.env.PATH, GIT_DIR: "." } });
        socket.write(encodeFrame("R", `${status}`));
        answered += 1;
      }
    });
    for (const frame of [hello({ version: "1", op: "proc-receive", dir }), ...frames]) socket.write(frame);
    // As a shim does, which has ended when it has its answer.
    socket.once("end", () => socket.end());
    await once(socket, "close");
    return received;
  }

  it.each<[string, () => string, string, string]>([
    ["outside the root", () => "/etc", "refs/heads/x", "invalid name"],
    ["of another device", () => two.gitDir("demo"), "refs/heads/x", "invalid name"],
    ["of an unknown repository", () => one.gitDir("no/such"), "refs/heads/x", "repository not found"],
    ["with an object that is not there", () => one.gitDir("demo"), "refs/heads/x", "missing object"],
    ["to a ref outside refs/", () => one.gitDir("demo"), "HEAD", "funny refname"],
    ["to a ref with dots", () => one.gitDir("demo"), "refs/heads/../../x", "funny refname"],
    ["to a ref that is a lock", () => one.gitDir("demo"), "refs/heads/main.lock", "funny refname"],
    ["to a ref with an escape", () => one.gitDir("demo"), "refs/heads/\x1b[31m", "funny refname"],
    ["to a ref of Lockstep", () => one.gitDir("demo"), "refs/lockstep/x", "belongs to Lockstep"],
  ])("refuses a push %s", async (_, dir, ref, reason) => {
    const frames = framesOf(await handOver(dir(), [`${ZERO} ${"1".repeat(40)} ${ref}\n`]));
    const answer = frames.join("");
    expect(answer).toContain(`ng ${ref} `);
    expect(answer).toContain(reason);
    expect(answer).not.toContain("ok refs");
    expect(frames.at(-1)).toBe("X 0");
  });

  it.each<[string, string]>([
    ["a length that is none", "zzzz"],
    ["a length that is too short", "0003"],
    ["another version", `${packet("version=9\n")}0000`],
    ["a command that is none", `${packet("version=1\0atomic\n")}0000${packet("nonsense\n")}0000`],
    [
      "an id that is none",
      `${packet("version=1\0atomic\n")}0000${packet(`${ZERO} ${"g".repeat(40)} refs/heads/x\n`)}0000`,
    ],
    ["an end before the commands", `${packet("version=1\0atomic\n")}0000`],
  ])("hangs up, which leaves the outcome open, on a conversation with %s", async (_, input) => {
    const begin = hello({ version: "1", op: "proc-receive", dir: one.gitDir("demo") });
    const frames = framesOf(await send(hookSocket(), begin, encodeFrame("I", input), encodeFrame("I", "")));
    for (const frame of frames) expect(frame).toMatch(/^O .*version=1/);
  });
});

describe("bad input on the port for packs", () => {
  leavesNoTrace(() => target);

  async function ask(body: string | Buffer): Promise<{ status: number; said: string }> {
    const [ca, cert, key] = [cluster.demo.line.ca, two.demo.cert, two.demo.key].map((file) => readFileSync(file));
    const asking = request(`${one.demo.git}/v1/pack`, { method: "POST", agent: false, ca, cert, key });
    asking.end(body);
    const [response] = await once(asking, "response");
    return { status: response.statusCode, said: await text(response) };
  }

  let id: string;
  beforeAll(async () => {
    const rows = await administer(cluster.databaseUrl, (client) =>
      client.query("select id from lockstep.repository where name = 'demo'"),
    );
    id = rows.rows[0].id;
  });
  const asked = (fields: object) =>
    JSON.stringify({ repositoryId: id, version: "1", visit: "first", wants: [tip], haves: [], ...fields });
  const absent = "1".repeat(40);

  it.each<[string, number, () => string | Buffer]>([
    ["nothing", 400, () => ""],
    ["bytes at random", 400, () => Buffer.from("00ff7b22fe", "hex")],
    ["half a document", 400, () => asked({}).slice(0, -5)],
    ["null", 400, () => "null"],
    ["a list", 400, () => "[]"],
    ["no version", 400, () => asked({ version: undefined })],
    ["a version that is no number", 400, () => asked({ version: "1e9" })],
    ["a visit that there is not", 400, () => asked({ visit: "mine" })],
    ["no ids to want", 400, () => asked({ wants: [] })],
    ["wants that are no list", 400, () => asked({ wants: tip })],
    ["wants that are no ids", 400, () => asked({ wants: ["--upload-pack=x"] })],
    ["wants that are names", 400, () => asked({ wants: ["refs/heads/main"] })],
    ["haves that are no ids", 400, () => asked({ haves: [`${tip}\n`] })],
    ["wants that are numbers", 400, () => asked({ wants: [1] })],
    ["a path for a repository", 400, () => asked({ repositoryId: "../demo" })],
    ["something like an id for a repository", 400, () => asked({ repositoryId: "-".repeat(36) })],
    ["an unknown repository", 400, () => asked({ repositoryId: "00000000-0000-0000-0000-000000000000" })],
    ["an unknown object", 403, () => asked({ wants: [absent] })],
    ["an object of the other format", 403, () => asked({ wants: ["a".repeat(64)] })],
    ["10 MB", 400, () => asked({ wants: "x".repeat(10 * MEGABYTE) })],
    ["10 MB that is no document", 400, () => Buffer.alloc(10 * MEGABYTE, "[")],
  ])("says why it sends no pack for %s", async (_, status, body) => {
    const answer = await ask(body());
    expect(answer).toMatchObject({ status, said: expect.stringMatching(/^[A-Z][^\n]{10,200}\.\n$/) });
  });

  it("sends one to who asks well, also with haves that it lacks", async () => {
    const answer = await ask(asked({ haves: [absent] }));
    expect(answer).toMatchObject({ status: 200, said: expect.stringMatching(/^PACK/) });
  });
});
