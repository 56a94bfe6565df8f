import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdir, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { Client, credentials } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { administer } from "../support/administer.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { type Device, PATIENCE } from "../support/cluster-device.ts";
import { encodeFrame } from "../support/hook-frames.ts";
import { type Pusher, pusher } from "../support/pusher.ts";
import { type Stranger, stranger, tlsCredentials } from "../support/stranger.ts";

const MEGABYTE = 1 << 20;
const CLOSING_MS = 10_000;
const BAD_NAMES = [
  "",
  ".",
  "..",
  "../etc",
  "a/../../etc",
  "/",
  "/etc/passwd",
  "a\0b",
  "a\nb",
  "-x",
  "--upload-pack=touch /tmp/x",
  "a/-x",
  "a//b",
  "a/",
  "./a",
  ".git",
  ".lockstep",
  "a.git",
  "demo.git/hooks",
  "a.lock",
  "a..b",
  "a b",
  "a\\b",
  "a:b",
  "~root",
  "$(id)",
  "ünïcode",
  "日本",
  "\u202egit",
  "x".repeat(300),
  "x/".repeat(200),
  "x".repeat(3 * MEGABYTE),
];
const shown = (name: string) => JSON.stringify(name.length > 40 ? `${name.slice(0, 40)}… (${name.length})` : name);

let cluster: Cluster;
let one: Device;
let two: Device;
let three: Device;
let ada: Pusher;
let tip: string;
let operator: Stranger;
beforeAll(async () => {
  cluster = await startCluster();
  [one, two, three] = cluster.devices as [Device, Device, Device];
  ada = await pusher(cluster.git, "ada");
  tip = await ada.commit();
  await ada.land(one.url("demo"), `${tip}:refs/heads/main`);
  operator = stranger(one.demo.grpc, tlsCredentials(cluster.demo.line.ca, cluster.demo.line.operator));
});
afterAll(async () => {
  operator?.[Symbol.dispose]();
  await cluster?.[Symbol.asyncDispose]();
});

/** Everything that bad input might have left: the files of all roots, and the rows. */
async function everything(): Promise<unknown> {
  const files = await Promise.all(
    cluster.devices.map(async ({ demo }) => (await readdir(demo.root, { recursive: true })).sort()),
  );
  const rows = await administer(cluster.databaseUrl, async (client) => {
    const tables = ["device", "repository", "replica", "ref_log", "ref_log_update", "repository_ref", "turn"];
    const counts = tables.map((table) => `(select count(*)::int from lockstep.${table}) as "${table}"`);
    // A push that is refused late leaves a row that says so.
    counts.push("(select count(*)::int from lockstep.write where status <> 'dropped') as write");
    return (await client.query(`select ${counts.join(", ")}`)).rows;
  });
  return { files, rows };
}

/** The processes that the demo started are the ones that still answer. */
async function expectAlive(): Promise<void> {
  for (const device of cluster.devices) {
    expect(await device.isReady()).toBe(true);
    process.kill(device.pid, 0);
    expect(await cluster.git.git(["ls-remote", device.url("demo"), "refs/heads/main"])).toContain(tip);
  }
}

/** What a server sends until it closes; rejects when it keeps a connection open that it should give up. */
async function send(where: { path: string } | { port: number }, ...pieces: (string | Buffer)[]): Promise<Buffer> {
  const socket = connect({ ...where, host: "127.0.0.1" });
  // A server that gives the connection up does not wait for the rest.
  socket.on("error", () => {});
  const received: Buffer[] = [];
  socket.on("data", (chunk) => received.push(chunk));
  for (const piece of pieces) socket.write(piece);
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`still open after ${CLOSING_MS} ms, having said ${Buffer.concat(received)}`));
      socket.destroy();
    }, CLOSING_MS);
    socket.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
  });
  return Buffer.concat(received);
}

/** For the tests of one describe: none of them changes anything, and all devices live on. */
function leavesNoTrace(): void {
  let before: unknown;
  beforeAll(async () => {
    // Followers record a push a moment after its report.
    for (const device of cluster.devices) await device.call("BeforeRead", { repository: "demo" }, PATIENCE);
    before = await everything();
  });
  afterAll(async () => {
    expect(await everything()).toEqual(before);
    await expectAlive();
  });
}

describe("bad input over gRPC", () => {
  leavesNoTrace();

  it.each(["GetVersion", "BeforeRead", "GetWrite", "CreateRepository", "GetRepository", "ListLog", "VerifyReplica"])(
    "a bad name to %s",
    async (method) => {
      for (const repository of BAD_NAMES) {
        const { code, reason, message } = await operator.refusal(method, { repository });
        expect([shown(repository), code, reason]).toEqual([shown(repository), "INVALID_ARGUMENT", "INVALID_NAME"]);
        expect(message).toMatch(/^The repository name .{2,200}; use words like team\/app\.$/);
      }
    },
  );

  it("a bad name to FetchFrom, whose stream ends with the error", async () => {
    for (const repository of BAD_NAMES)
      await expect(operator.stream("FetchFrom", { repository }).next()).rejects.toMatchObject({
        code: "INVALID_ARGUMENT",
        reason: "INVALID_NAME",
      });
  });

  it.each([
    ["CreateRepository", { repository: "x", devices: ["a\0b"] }],
    ["CreateRepository", { repository: "x", devices: ["../repo001"] }],
    ["CreateRepository", { repository: "x", devices: Array(1000).fill("x".repeat(1000)) }],
    ["CreateRepository", { repository: "x", defaultBranch: "a\0b" }],
    ["CreateRepository", { repository: "x", defaultBranch: "../../x" }],
    ["CreateRepository", { repository: "x", defaultBranch: "x".repeat(3 * MEGABYTE) }],
    ["CreateRepository", { repository: "x", objectFormat: "x".repeat(3 * MEGABYTE) }],
    ["ListRepositories", { after: "a\0b" }],
    ["ListRepositories", { after: "x".repeat(3 * MEGABYTE) }],
    ["BeforeRead", { repository: "demo", commit: "x".repeat(3 * MEGABYTE) }],
    ["BeforeRead", { repository: "demo", commit: `${"a".repeat(39)}\0` }],
    ["GetWrite", { repository: "demo", writeId: "a\0b" }],
    ["GetWrite", { repository: "demo", writeId: "x".repeat(3 * MEGABYTE) }],
  ])("other fields of %s (%#)", async (method, fields) => {
    const { code, message } = await operator.refusal(method, fields);
    expect(code).toBe("INVALID_ARGUMENT");
    expect(message).toMatch(/^.{10,300}\.$/);
  });

  it("a device name that is none, or 3 MB of it, to FetchFrom", async () => {
    for (const device of ["a\0b", "../x", "x".repeat(3 * MEGABYTE)]) {
      const refused = operator.stream("FetchFrom", { repository: "demo", device }).next();
      await expect(refused).rejects.toMatchObject({ code: expect.stringMatching(/^(INVALID_ARGUMENT|NOT_FOUND)$/) });
    }
  });

  it("a message of 10 MB", async () => {
    const repository = "x".repeat(10 * MEGABYTE);
    expect(await operator.refusal("GetVersion", { repository })).toMatchObject({ code: "RESOURCE_EXHAUSTED" });
    // The same connection goes on.
    await expect(operator.call("GetVersion", { repository: "demo" })).resolves.toMatchObject({ headVersion: 1 });
  });

  it("bytes that are no message, a method that is none, a connection that is no gRPC", async () => {
    const client = new Client(`unix:${one.demo.socket}`, credentials.createInsecure());
    const raw = (path: string, bytes: Buffer) =>
      new Promise<number>((resolve) => {
        const asIs = (each: Buffer) => each;
        client.makeUnaryRequest(path, asIs, asIs, bytes, { deadline: Date.now() + CLOSING_MS }, (error) =>
          resolve(error?.code ?? 0),
        );
      });
    const { INTERNAL, UNIMPLEMENTED } = { INTERNAL: 13, UNIMPLEMENTED: 12 };
    expect(await raw("/lockstep.v1.SyncService/GetVersion", Buffer.alloc(100, 0xff))).toBe(INTERNAL);
    expect(await raw("/lockstep.v1.SyncService/NoSuch", Buffer.alloc(0))).toBe(UNIMPLEMENTED);
    client.close();
    await send({ path: one.demo.socket }, "GET / HTTP/1.1\r\nhost: x\r\n\r\n");
  });
});

describe("bad input on the command line", () => {
  leavesNoTrace();

  it.each(["../etc", "/etc/passwd", "a\nb", "ünïcode", "x".repeat(100_000)])("the name %#", async (name) => {
    for (const command of [["repo", "create"], ["sync"]]) {
      expect(await one.lockstep(...command, name)).toMatchObject({
        code: 2,
        document: {
          error: { code: "INVALID_NAME", message: expect.stringMatching(/^The repository name .{2,200}\.$/) },
        },
      });
    }
  });

  it("a name that looks like a flag", async () => {
    expect(await one.lockstep("repo", "create", "-x")).toMatchObject({
      code: 2,
      document: { error: { code: "USAGE" } },
    });
  });
});

describe("bad input over HTTP", () => {
  leavesNoTrace();

  const portOf = (url: string) => Number(new URL(url).port);

  /** Status and body of one request that no library has made tidy. */
  async function get(port: number, path: string | Buffer): Promise<{ status: number; body: string }> {
    const lines = [
      Buffer.from("GET "),
      Buffer.from(path as string),
      Buffer.from(" HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"),
    ];
    const answer = (await send({ port }, Buffer.concat(lines))).toString();
    return { status: Number(answer.split(" ")[1]), body: answer.slice(answer.indexOf("\r\n\r\n")) };
  }

  it.each(["info/refs?service=git-upload-pack", "info/refs?service=git-receive-pack"])(
    "a bad name to the gate: %s",
    async (endpoint) => {
      for (const name of BAD_NAMES.filter((each) => each !== "" && each.length < 10_000)) {
        // Written as it is where a request line takes it, and encoded.
        const plain = /^[!-~]+$/.test(name) && !name.includes("%") ? [name] : [];
        for (const path of [...plain, encodeURIComponent(name).replaceAll("%2F", "/")]) {
          const { status, body } = await get(portOf(one.demo.gate.url), `/${path}.git/${endpoint}`);
          expect([shown(name), status]).toEqual([shown(name), 400]);
          expect(body).toMatch(/The repository name .+\.\n/);
        }
      }
    },
  );

  it.each([
    ["/", 404],
    ["//", 404],
    ["/demo.git/HEAD", 404],
    ["/demo.git/objects/info/packs", 404],
    ["/demo.git/../../../etc/passwd", 404],
    ["/%ff%fe.git/info/refs?service=git-upload-pack", 400],
    ["/a%2fb.git/info/refs?service=git-upload-pack", 400],
    ["/demo.git/info/refs?service=git-upload-archive", 403],
    ["/demo.git/info/refs", 403],
    ["/no/such.git/info/refs?service=git-upload-pack", 404],
    [`/${"x".repeat(20_000)}`, 431],
  ])("the request %# to the gate", async (path, status) => {
    expect(await get(portOf(one.demo.gate.url), path)).toMatchObject({ status });
  });

  it.each([
    ["//", 404],
    ["///livez", 404],
    ["http://[", 404],
    ["/\\", 404],
    ["/%", 404],
    ["*", 404],
    ["/gate", 503],
    ["/gate?repository=", 503],
    ["/gate?repository=..%2fetc", 503],
    ["/gate?repository=a%00b", 503],
    ["/gate?repository=%ff", 503],
    ["/gate?repository=no/such", 503],
    [`/${"x".repeat(20_000)}`, 431],
  ])("the request %# to the sidecar's own port", async (path, status) => {
    expect(await get(portOf(one.demo.http), path)).toMatchObject({ status });
  });

  it("a name that nobody knows, of which stock git shows why", async () => {
    const { code, stderr } = await cluster.git.run(["ls-remote", one.url("no/such")]);
    expect(code).toBe(128);
    expect(stderr).toMatch(/^remote: There is no repository no\/such; .*makes it\.$/m);
    const pushed = await ada.push(one.url("no/such"), `${tip}:refs/heads/main`);
    expect(pushed).toMatchObject({ code: 128, stderr: expect.stringContaining("There is no repository no/such") });
  });
});

describe("bad input on the socket of the hooks", () => {
  leavesNoTrace();

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
      expect(answer).toEqual([expect.stringMatching(/^E lockstep: .{10,400}\.\n$/), "X 1"]);
      if (unknown.includes(dir)) expect(answer[0]).toContain("There is no repository no/such");
      if (elsewhere.includes(dir)) expect(answer[0]).toContain("is no repository below the root");
    }
    const known = await send(hookSocket(), hello({ version: "1", op, dir: one.gitDir("demo") }));
    expect(framesOf(known)).toEqual([`P ${one.gitDir("demo")}`, "X 0"]);
  });

  /** What the sidecar said: `TYPE PAYLOAD`, frame by frame. */
  function framesOf(bytes: Buffer): string[] {
    const frames: string[] = [];
    for (let at = 0; at < bytes.length; ) {
      const end = at + 5 + bytes.readUInt32BE(at + 1);
      frames.push(`${bytes.toString("latin1", at, at + 1)} ${bytes.toString("utf8", at + 5, end)}`);
      at = end;
    }
    return frames;
  }

  /** A push of those commands, as git would hand it over. */
  function handOver(dir: string, commands: string[]): Promise<Buffer> {
    const input = [packet("version=1\0 atomic\n"), "0000", ...commands.map(packet), "0000"].join("");
    return send(hookSocket(), hello({ version: "1", op: "proc-receive", dir }), encodeFrame("I", input));
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
  leavesNoTrace();

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
    JSON.stringify({ repositoryId: id, version: "1", turn: "first", wants: [tip], haves: [], ...fields });
  const absent = "1".repeat(40);

  it.each<[string, number, () => string | Buffer]>([
    ["nothing", 400, () => ""],
    ["bytes at random", 400, () => Buffer.from("00ff7b22fe", "hex")],
    ["half a document", 400, () => asked({}).slice(0, -5)],
    ["null", 400, () => "null"],
    ["a list", 400, () => "[]"],
    ["no version", 400, () => asked({ version: undefined })],
    ["a version that is no number", 400, () => asked({ version: "1e9" })],
    ["a turn that there is not", 400, () => asked({ turn: "mine" })],
    ["no ids to want", 400, () => asked({ wants: [] })],
    ["wants that are no list", 400, () => asked({ wants: tip })],
    ["wants that are no ids", 400, () => asked({ wants: ["--upload-pack=x"] })],
    ["wants that are names", 400, () => asked({ wants: ["refs/heads/main"] })],
    ["haves that are no ids", 400, () => asked({ haves: [`${tip}\n`] })],
    ["wants that are numbers", 400, () => asked({ wants: [1] })],
    ["a path for a repository", 400, () => asked({ repositoryId: "../demo" })],
    ["something like an id for a repository", 400, () => asked({ repositoryId: "-".repeat(36) })],
    ["an unknown repository", 400, () => asked({ repositoryId: "00000000-0000-0000-0000-000000000000" })],
    ["an unknown object", 503, () => asked({ wants: [absent] })],
    ["an object of the other format", 503, () => asked({ wants: ["a".repeat(64)] })],
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

describe("something else where a replica should be", () => {
  it.each<[string, string, (gitDir: string) => Promise<unknown>, RegExp]>([
    ["a directory", "dir", (path) => mkdir(join(path, "precious"), { recursive: true }), /is not a git repository/],
    ["a file", "file", (path) => writeFile(path, "precious"), /is not a git repository/],
    [
      "somebody's repository",
      "foreign",
      (path) => cluster.git.git(["init", "--quiet", "--bare", path]),
      /is not a replica made by Lockstep/,
    ],
    ["a link to nowhere", "link", (path) => symlink("/no/such", path), /is not a git repository/],
    ["a link out of the root", "out", (path) => symlink(cluster.git.dir, path), /is not a git repository/],
    ["a file on the way", "way/app", (path) => writeFile(dirname(path), "precious"), /There is no way to/],
  ])("is told of, left alone, and no matter elsewhere: %s", async (_, place, put, sentence) => {
    const repository = `occupied-${place}`;
    const gitDir = one.gitDir(repository);
    await put(gitDir);
    const created = await one.lockstep("repo", "create", repository);
    const lastError = expect.stringMatching(new RegExp(`^[^\\n]*${sentence.source}[^\\n]*\\.$`));
    expect(created).toMatchObject({
      code: 0,
      document: { replicas: [{ state: "broken", last_error: lastError }, { state: "active" }, { state: "active" }] },
    });
    for (const args of [["sync"], ["verify"]]) {
      const refused = await one.lockstep(...args, repository);
      expect(refused).toMatchObject({ code: 1, document: { error: { code: "NOT_A_REPOSITORY", message: lastError } } });
    }
    expect((await one.lockstep("repo", "show", repository)).document.replicas[0].last_error).toEqual(lastError);
    const read = await cluster.git.run(["ls-remote", one.url(repository)]);
    expect(read).toMatchObject({ code: 128, stderr: expect.stringMatching(sentence) });
    const first = await ada.commit();
    const pushed = await ada.push(one.url(repository), `${first}:refs/heads/main`);
    expect(pushed).toMatchObject({ code: 128, stderr: expect.stringMatching(sentence) });

    await ada.land(two.url(repository), `${first}:refs/heads/main`);
    expect(await cluster.git.git(["ls-remote", three.url(repository), "refs/heads/main"])).toContain(first);

    // Moved away, as the sentence says. It is as it was.
    const inTheWay = place.includes("/") ? dirname(gitDir) : gitDir;
    const aside = join(cluster.git.dir, `aside-${place.replace("/", "-")}`);
    await rename(inTheWay, aside);
    expect(await one.lockstep("sync", repository)).toMatchObject({ code: 0, document: { version: 1 } });
    expect(await cluster.git.git(["ls-remote", one.url(repository), "refs/heads/main"])).toContain(first);
    if (place === "dir") expect(await readdir(aside)).toEqual(["precious"]);
    if (place === "foreign") expect(await readdir(aside)).not.toContain("lockstep.config");
    await rm(aside, { recursive: true });
  });
});
