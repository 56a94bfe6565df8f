import { Client, credentials } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type BadInputTarget,
  CLOSING_MS,
  leavesNoTrace,
  MEGABYTE,
  send,
  startBadInputTarget,
} from "../support/bad-input.ts";
import type { Cluster } from "../support/cluster.ts";
import type { Device } from "../support/cluster-device.ts";
import type { Pusher } from "../support/pusher.ts";
import { type Stranger, stranger, tlsCredentials } from "../support/stranger.ts";

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

let target: BadInputTarget;
let cluster: Cluster;
let one: Device;
let ada: Pusher;
let tip: string;
let operator: Stranger;
beforeAll(async () => {
  target = await startBadInputTarget();
  ({ cluster, one, ada, tip } = target);
  operator = stranger(one.demo.grpc, tlsCredentials(cluster.demo.line.ca, cluster.demo.line.operator));
});
afterAll(async () => {
  operator?.[Symbol.dispose]();
  await target?.[Symbol.asyncDispose]();
});

describe("bad input over gRPC", () => {
  leavesNoTrace(() => target);

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

  it("a message of 10 MB is refused", async () => {
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
  leavesNoTrace(() => target);

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

  it("a name that looks like a flag is refused", async () => {
    expect(await one.lockstep("repo", "create", "-x")).toMatchObject({
      code: 2,
      document: { error: { code: "USAGE" } },
    });
  });
});

describe("bad input over HTTP", () => {
  leavesNoTrace(() => target);

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
