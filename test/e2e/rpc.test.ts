import { execFile } from "node:child_process";
import { access, mkdir, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { administer } from "../support/administer.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import type { Device } from "../support/cluster-device.ts";
import { holdPush } from "../support/held-push.ts";
import { type Pusher, pusher } from "../support/pusher.ts";
import { type Message, type Stranger, stranger, tlsCredentials } from "../support/stranger.ts";

const run = promisify(execFile);
/** As lockstep/v1/sync.proto has them. */
const STATE = { ACTIVE: 2 };
const STATUS = { STAGED: 1, LANDED: 2 };
const NOBODY = "00000000-0000-0000-0000-000000000000";
const SERVING = 1;

let cluster: Cluster;
let one: Device;
let three: Device;
let ada: Pusher;
/** An operator at the TLS port of each device. */
let at: { one: Stranger; two: Stranger; three: Stranger };
beforeAll(async () => {
  cluster = await startCluster();
  const { ca, operator } = cluster.demo.line;
  const [a, b, c] = cluster.devices as [Device, Device, Device];
  [one, three] = [a, c];
  const connect = (device: Device) => stranger(device.demo.grpc, tlsCredentials(ca, operator));
  at = { one: connect(a), two: connect(b), three: connect(c) };
  ada = await pusher(cluster.git, "ada");
});
afterAll(async () => {
  for (const client of Object.values(at ?? {})) client[Symbol.dispose]();
  await cluster?.[Symbol.asyncDispose]();
});

/** A repository with `versions` commits on main, which every device holds. */
async function repositoryAt(versions: number): Promise<{ repository: string; commits: string[] }> {
  const repository = await cluster.createRepository();
  const commits: string[] = [];
  for (let version = 1; version <= versions; version += 1) {
    commits.push(await ada.commit(commits.at(-1)));
    await ada.land(one.url(repository), `${commits.at(-1)}:refs/heads/main`);
  }
  await Promise.all(Object.values(at).map((client) => client.call("BeforeRead", { repository })));
  return { repository, commits };
}

async function collect(messages: AsyncIterable<Message>): Promise<Message[]> {
  const found: Message[] = [];
  for await (const message of messages) found.push(message);
  return found;
}

const names = (updates: Message[]) => updates.map(({ name }: Message) => name.toString());

describe("GetVersion", () => {
  it("shows this replica beside the cluster: version, head, leaders, state, and one digest for the same refs", async () => {
    const { repository } = await repositoryAt(2);
    const answers = await Promise.all(Object.values(at).map((client) => client.call("GetVersion", { repository })));
    const leaders = ["repo001", "repo002", "repo003"];
    for (const [index, answer] of answers.entries()) {
      const device = leaders[index];
      expect(answer).toMatchObject({ repository, device, version: 2, headVersion: 2, state: STATE.ACTIVE });
      expect(answer).toMatchObject({ isWriting: false, writer: null });
      expect(answer.digest).toEqual(answers[0].digest);
    }
    expect(answers[0].digest).toHaveLength(32);
    // A device records what it holds after it has it.
    await expect.poll(async () => (await at.one.call("GetVersion", { repository })).leaders).toEqual(leaders);
  });

  it("names the writer while a push is being decided, and GetWrite tells what became of it", async () => {
    const { repository } = await repositoryAt(1);
    await using hold = await holdPush(one, repository, "prepared");
    const pushed = ada.push(one.url(repository), `${await ada.commit()}:refs/heads/held/a`);
    await hold.reached();
    const { isWriting, writer } = await at.three.call("GetVersion", { repository });
    expect({ isWriting, writer }).toMatchObject({
      isWriting: true,
      writer: { repository, device: "repo001", baseVersion: 1, status: STATUS.STAGED, version: 0, decidedAt: null },
    });
    const question = { repository, writeId: writer.writeId };
    expect(await at.two.call("GetWrite", question)).toEqual({ write: writer });
    expect((await at.two.call("GetRepository", { repository })).writer).toEqual(writer);
    await hold.release();
    expect(await pushed).toMatchObject({ code: 0 });
    const { write } = await at.two.call("GetWrite", question);
    expect(write).toMatchObject({ writeId: writer.writeId, status: STATUS.LANDED, version: 2, author: writer.author });
    expect(write.decidedAt.seconds).toBeGreaterThanOrEqual(write.startedAt.seconds);
    expect(await at.three.call("GetVersion", { repository })).toMatchObject({ isWriting: false, writer: null });
  });
});

describe("BeforeRead", () => {
  it("answers with what a push has just been acknowledged, on any device", async () => {
    const { repository, commits } = await repositoryAt(1);
    await ada.land(three.url(repository), `${await ada.commit(commits[0])}:refs/heads/main`);
    for (const client of Object.values(at)) {
      expect(await client.call("BeforeRead", { repository, minVersion: 2 })).toMatchObject({
        version: 2,
        stale: false,
      });
    }
    expect(await at.one.call("BeforeRead", { repository })).toMatchObject({ version: 2, fetched: false });
  });

  it("refuses a version that nobody has written, and says when to try again", async () => {
    const { repository } = await repositoryAt(1);
    for (const minVersion of [2, "18446744073709551615"]) {
      expect(await at.one.refusal("BeforeRead", { repository, minVersion })).toMatchObject({
        code: "UNAVAILABLE",
        reason: "VERSION_AHEAD",
        metadata: { repository, version: "1" },
        retryMs: 1000,
      });
    }
  });

  it("waits for a commit until it is pushed to another device", async () => {
    const { repository, commits } = await repositoryAt(1);
    const next = await ada.commit(commits[0]);
    const waiting = at.three.call("BeforeRead", { repository, commit: next });
    await ada.land(one.url(repository), `${next}:refs/heads/main`);
    expect(await waiting).toMatchObject({ version: 2, stale: false });
    expect(await at.one.call("BeforeRead", { repository, commit: commits[0] })).toMatchObject({ version: 2 });
  });

  it("labels a read that may be stale", async () => {
    const { repository } = await repositoryAt(1);
    const answer = await at.two.call("BeforeRead", { repository, maxStaleness: { seconds: 60 } });
    expect(answer).toMatchObject({ version: 1, fetched: false, stale: true });
  });

  it.each([{ commit: "main" }, { commit: "A".repeat(40) }, { commit: "a".repeat(40), maxStaleness: { seconds: 1 } }])(
    "refuses %j",
    async (options) => {
      const refused = await at.one.refusal("BeforeRead", { repository: "demo", ...options });
      expect(refused).toMatchObject({ code: "INVALID_ARGUMENT", reason: "INVALID_REQUEST" });
    },
  );
});

describe("FetchFrom", () => {
  it("is one result when there is nothing to do", async () => {
    const { repository } = await repositoryAt(2);
    for (const version of [0, 1, 2]) {
      const answer = await collect(at.two.stream("FetchFrom", { repository, version }));
      expect(answer).toHaveLength(1);
      expect(answer[0].result).toMatchObject({ version: 2, refsChanged: 0, bytes: 0, alreadyCurrent: true });
    }
  });

  it("joins a catch-up that waits for its source, tells how it goes, and ends with exactly one result", async () => {
    const { repository, commits } = await repositoryAt(1);
    const others = cluster.devices.filter((device) => device !== three);
    const signal = (devices: readonly Device[], what: NodeJS.Signals) => {
      for (const { pid } of devices) process.kill(pid, what);
    };
    const stopped: Message[] = [];
    try {
      signal([three], "SIGSTOP");
      await ada.land(one.url(repository), `${await ada.commit(commits[0])}:refs/heads/main`);
      // Nobody can send the objects until they go on, which is after the call has joined: its question goes first.
      signal(others, "SIGSTOP");
      signal([three], "SIGCONT");
      const events = at.three.stream("FetchFrom", { repository });
      const first = events.next();
      expect(await at.three.call("GetVersion", { repository })).toMatchObject({ version: 1, headVersion: 2 });
      signal(others, "SIGCONT");
      stopped.push((await first).value, ...(await collect(events)));
    } finally {
      signal(cluster.devices, "SIGCONT");
    }
    const results = stopped.filter((each) => each.event === "result");
    expect(results).toHaveLength(1);
    expect(stopped.at(-1)).toBe(results[0]);
    expect(results[0].result).toMatchObject({ fromVersion: 1, version: 2, refsChanged: 1, alreadyCurrent: false });
    expect(results[0].result.fromDevice).toMatch(/^repo00[12]$/);
    const progress = stopped.slice(0, -1).map((each) => each.progress);
    expect(progress.at(-1)).toMatchObject({ phase: expect.stringMatching(/\w/), bytes: results[0].result.bytes });
    expect(results[0].result.bytes).toBeGreaterThan(100);
  });

  it("refuses a device that has no replica, and a version that nobody has written", async () => {
    const { repository } = await repositoryAt(1);
    const refusal = (request: object) => collect(at.one.stream("FetchFrom", { repository, ...request }));
    await expect(refusal({ device: "repo009" })).rejects.toMatchObject({
      code: "NOT_FOUND",
      reason: "DEVICE_NOT_FOUND",
      metadata: { device: "repo009" },
    });
    await expect(refusal({ version: 2 })).rejects.toMatchObject({ code: "UNAVAILABLE", reason: "VERSION_AHEAD" });
  });
});

describe("a write session", () => {
  it.each([false, true])("takes the turn and gives it back, with live %s", async (live) => {
    const { repository } = await repositoryAt(1);
    const asked = { repository, author: "grace", reason: "trying", wait: { seconds: 20 }, live };
    const { token, path, baseVersion, expiresAt } = await at.one.call("BeginWrite", asked);
    expect(baseVersion).toBe(1);
    expect(path === one.gitDir(repository)).toBe(live);
    const held = await at.two.refusal("BeginWrite", { repository, wait: { seconds: 0 } });
    expect(held).toMatchObject({
      code: "ABORTED",
      reason: "TURN_HELD",
      metadata: { author: "grace", device: "repo001", reason: "trying", since: expect.stringMatching(/Z$/) },
    });
    const renewed = await at.one.call("RenewWrite", { repository, token });
    expect(renewed.expiresAt.seconds).toBeGreaterThanOrEqual(expiresAt.seconds);
    const landed = await at.one.call("BumpVersion", { repository, token });
    expect(landed).toMatchObject({ version: 1, refsChanged: 0 });
    expect(await at.one.call("BumpVersion", { repository, token })).toEqual(landed);
    const next = await at.two.call("BeginWrite", { repository, wait: { seconds: 0 }, live });
    const dropped = await at.two.call("AbortWrite", { repository, token: next.token });
    expect(dropped).toEqual({ writeId: next.writeId, savedRefs: [] });
  });

  it("on live files is for operators", async () => {
    const { ca, frontend } = cluster.demo.line;
    using frontEnd = stranger(one.demo.grpc, tlsCredentials(ca, frontend));
    expect(await frontEnd.refusal("BeginWrite", { repository: "demo", live: true })).toMatchObject({
      code: "PERMISSION_DENIED",
      reason: "PERMISSION_DENIED",
    });
  });
});

describe("GetWrite", () => {
  it("knows the write of every log entry, and only by its repository", async () => {
    const { repository, commits } = await repositoryAt(1);
    const { entries } = await at.one.call("ListLog", { repository });
    const { writeId, author, device } = entries[0];
    const { write } = await at.three.call("GetWrite", { repository, writeId });
    expect(write).toMatchObject({ writeId, author, device, version: 1, status: STATUS.LANDED, dropReason: "" });
    expect(commits).toHaveLength(1);
    const elsewhere = await at.one.refusal("GetWrite", { repository: "demo", writeId });
    expect(elsewhere).toMatchObject({ code: "NOT_FOUND", reason: "WRITE_NOT_FOUND" });
  });

  it.each(["", "x", NOBODY.slice(1), NOBODY.replaceAll("0", "A"), `${NOBODY}\n`])(
    "refuses the id %j",
    async (writeId) => {
      const refused = await at.one.refusal("GetWrite", { repository: "demo", writeId });
      expect(refused).toMatchObject({ code: "INVALID_ARGUMENT", reason: "INVALID_REQUEST" });
    },
  );
});

describe("CreateRepository", () => {
  it("makes a replica on every device, with HEAD on the branch that was asked for", async () => {
    const { repository } = await at.two.call("CreateRepository", { repository: "made/trunk", defaultBranch: "trunk" });
    expect(repository).toEqual({ name: "made/trunk", headVersion: 0, objectFormat: "sha1" });
    for (const device of cluster.devices) {
      const head = await cluster.git.git(["-c", "safe.directory=*", "symbolic-ref", "HEAD"], {
        cwd: device.gitDir("made/trunk"),
      });
      expect(head).toBe("refs/heads/trunk");
    }
    const again = await at.one.refusal("CreateRepository", { repository: "made/trunk" });
    expect(again).toMatchObject({ code: "ALREADY_EXISTS", reason: "REPOSITORY_EXISTS" });
  });

  it("makes replicas only where it is told to, and the others say so", async () => {
    await at.one.call("CreateRepository", { repository: "made/two", devices: ["repo003", "repo001"] });
    const { replicas } = await at.two.call("GetRepository", { repository: "made/two" });
    expect(replicas.map(({ device }: Message) => device)).toEqual(["repo001", "repo003"]);
    for (const method of ["GetVersion", "BeforeRead", "VerifyReplica"]) {
      expect(await at.two.refusal(method, { repository: "made/two" })).toMatchObject({
        code: "NOT_FOUND",
        reason: "REPLICA_NOT_FOUND",
        metadata: { device: "repo002" },
      });
    }
  });

  it("makes one with SHA-256 objects that can be pushed to and read elsewhere", async () => {
    const repository = "made/sha256";
    const made = await at.one.call("CreateRepository", { repository, objectFormat: "sha256" });
    expect(made.repository.objectFormat).toBe("sha256");
    const { dir, git } = cluster.git;
    await git(["init", "--quiet", "--initial-branch=main", "--object-format=sha256", "tree"]);
    const tip = await cluster.git.commit(`${dir}/tree`, "first", { file: "content" });
    expect(tip).toHaveLength(64);
    await git(["push", "--quiet", one.url(repository), "main"], { cwd: `${dir}/tree` });
    expect(await git(["ls-remote", three.url(repository), "refs/heads/main"])).toContain(tip);
  });

  it.each([
    [{ devices: ["repo009"] }, "NOT_FOUND", "DEVICE_NOT_FOUND"],
    [{ devices: ["repo001", "repo009"] }, "NOT_FOUND", "DEVICE_NOT_FOUND"],
    [{ devices: [""] }, "INVALID_ARGUMENT", "INVALID_NAME"],
    [{ defaultBranch: "-main" }, "INVALID_ARGUMENT", "INVALID_REQUEST"],
    [{ defaultBranch: "a..b" }, "INVALID_ARGUMENT", "INVALID_REQUEST"],
    [{ defaultBranch: "a\nb" }, "INVALID_ARGUMENT", "INVALID_REQUEST"],
    [{ objectFormat: "md5" }, "INVALID_ARGUMENT", "INVALID_REQUEST"],
  ])("refuses %j and makes nothing", async (request, code, reason) => {
    const refused = await at.one.refusal("CreateRepository", { repository: "made/not", ...request });
    expect(refused).toMatchObject({ code, reason });
    expect(await at.one.refusal("GetRepository", { repository: "made/not" })).toMatchObject({ code: "NOT_FOUND" });
    for (const device of cluster.devices) await expect(access(device.gitDir("made/not"))).rejects.toThrow("ENOENT");
  });
});

describe("ListRepositories", () => {
  it("gives all names in order, whatever the size of the page", async () => {
    for (const name of ["list/a", "list/b", "list/c"]) await at.one.call("CreateRepository", { repository: name });
    const whole = (await at.one.call("ListRepositories")).repositories.map(({ name }: Message) => name);
    expect(whole).toEqual([...whole].sort());
    expect(whole).toEqual(expect.arrayContaining(["demo", "list/a", "list/b", "list/c"]));
    for (const limit of [1, 2]) {
      const found: string[] = [];
      for (;;) {
        const page = await at.two.call("ListRepositories", { after: found.at(-1) ?? "", limit });
        if (page.repositories.length === 0) break;
        expect(page.repositories.length).toBeLessThanOrEqual(limit);
        found.push(...page.repositories.map(({ name }: Message) => name));
      }
      expect(found).toEqual(whole);
    }
    expect(await at.one.call("ListRepositories", { limit: 4_294_967_295 })).toMatchObject({
      repositories: { length: whole.length },
    });
  });
});

describe("GetRepository", () => {
  it("shows every replica with its version, state and device", async () => {
    const { repository } = await repositoryAt(1);
    await expect
      .poll(async () => (await at.one.call("GetRepository", { repository })).replicas)
      .toEqual(
        cluster.devices.map(({ name }) => ({
          device: name,
          version: 1,
          state: STATE.ACTIVE,
          leader: true,
          live: true,
          lastError: "",
          updatedAt: expect.objectContaining({ seconds: expect.any(Number) }),
        })),
      );
    const { repository: shown, writer } = await at.one.call("GetRepository", { repository });
    expect({ shown, writer }).toEqual({
      shown: { name: repository, headVersion: 1, objectFormat: "sha1" },
      writer: null,
    });
  });

  it("has the queue for the write turn, and the catch-ups", async () => {
    const { repository } = await repositoryAt(1);
    await at.three.call("BeforeRead", { repository });
    await administer(cluster.databaseUrl, (client) =>
      client.query(
        `insert into lockstep.turn (repository_id, write_id, device, author, reason, since, expires_at)
         select id, gen_random_uuid(), 'repo002', 'bob', 'push', now() - interval '90 seconds', now() + interval '1 hour'
         from lockstep.repository where name = $1`,
        [repository],
      ),
    );
    const { waiters, syncs } = await at.one.call("GetRepository", { repository });
    expect(waiters).toEqual([
      {
        device: "repo002",
        author: "bob",
        reason: "push",
        since: expect.objectContaining({ seconds: expect.any(Number) }),
        waited: expect.objectContaining({ seconds: expect.any(Number) }),
      },
    ]);
    expect(waiters[0].waited.seconds).toBeGreaterThanOrEqual(90);
    expect(syncs.find((sync: Message) => sync.device === "repo003" && sync.version === 1)).toEqual({
      device: "repo003",
      fromDevice: expect.stringMatching(/^repo00[12]$/),
      fromVersion: 0,
      version: 1,
      bytes: expect.any(Number),
      refsChanged: 1,
      duration: expect.objectContaining({ seconds: 0 }),
      error: "",
      at: expect.objectContaining({ seconds: expect.any(Number) }),
    });
  });
});

describe("ListLog", () => {
  it("has the newest first, in pages, with creations and deletions as empty values", async () => {
    const { repository, commits } = await repositoryAt(3);
    await ada.land(three.url(repository), `${commits[0]}:refs/heads/topic`, `${commits[0]}:refs/tags/v1`);
    await ada.land(three.url(repository), ":refs/heads/topic");
    const { entries } = await at.two.call("ListLog", { repository });
    expect(entries.map(({ version }: Message) => version)).toEqual([5, 4, 3, 2, 1]);
    expect(entries[0]).toMatchObject({ device: "repo003", more: 0, updates: [{ oldValue: commits[0], newValue: "" }] });
    expect(names(entries[1].updates)).toEqual(["refs/heads/topic", "refs/tags/v1"]);
    expect(entries[4].updates).toEqual([{ name: Buffer.from("refs/heads/main"), oldValue: "", newValue: commits[0] }]);
    const page = (request: object) =>
      at.one
        .call("ListLog", { repository, ...request })
        .then((answer) => answer.entries.map((e: Message) => e.version));
    expect(await page({ limit: 2 })).toEqual([5, 4]);
    expect(await page({ limit: 2, before: 4 })).toEqual([3, 2]);
    expect(await page({ before: 1 })).toEqual([]);
    expect(await page({ before: "18446744073709551615", limit: 4_294_967_295 })).toEqual([5, 4, 3, 2, 1]);
  });
});

describe("GetStatus", () => {
  it("lists the devices, and the repositories that are not at rest", async () => {
    const { repository } = await repositoryAt(1);
    const foreign = three.gitDir("status/broken");
    await mkdir(foreign, { recursive: true });
    await at.one.call("CreateRepository", { repository: "status/broken" });
    const { devices, repositories } = await at.two.call("GetStatus");
    expect(devices).toMatchObject(
      cluster.devices.map(({ name, demo }) => ({
        name,
        live: true,
        grpcAddress: demo.grpc,
        gitAddress: demo.git.replace("https://", ""),
      })),
    );
    const broken = repositories.find((each: Message) => each.repository === "status/broken");
    expect(broken).toMatchObject({ headVersion: 0, broken: ["repo003"], leaders: ["repo001", "repo002"] });
    await expect
      .poll(async () => (await at.two.call("GetStatus")).repositories.map((each: Message) => each.repository))
      .not.toContain(repository);
    // Moved away, as the error says, it heals.
    await rm(foreign, { recursive: true });
    const events = await collect(at.three.stream("FetchFrom", { repository: "status/broken" }));
    expect(events.at(-1).result).toMatchObject({ version: 0 });
    expect(await at.three.call("GetVersion", { repository: "status/broken" })).toMatchObject({ state: STATE.ACTIVE });
  });
});

describe("VerifyReplica", () => {
  it("finds what was written behind its back, and puts it right", async () => {
    const { repository, commits } = await repositoryAt(2);
    expect(await at.two.call("VerifyReplica", { repository })).toEqual({
      device: "repo002",
      version: 2,
      refs: 2,
      differences: [],
      more: 0,
      damage: [],
      failure: "",
    });
    const meddle = (...args: string[]) =>
      cluster.git.git(["-c", "safe.directory=*", ...args], { cwd: cluster.devices[1]!.gitDir(repository) });
    await meddle("update-ref", "refs/heads/main", commits[0]!);
    await meddle("update-ref", "refs/heads/smuggled", commits[1]!);
    const { differences, failure } = await at.two.call("VerifyReplica", { repository });
    expect(failure).toBe("");
    expect(differences).toEqual([
      { name: Buffer.from("refs/heads/main"), onDisk: commits[0], inLog: commits[1] },
      { name: Buffer.from("refs/heads/smuggled"), onDisk: commits[1], inLog: "" },
    ]);
    expect(await meddle("rev-parse", "refs/heads/main")).toBe(commits[1]);
    const full = await at.two.call("VerifyReplica", { repository, full: true });
    expect(full).toMatchObject({ differences: [], damage: [], failure: "" });
  });
});

describe("errors", () => {
  it.each([
    ["GetVersion", { repository: "no/such" }, "NOT_FOUND", "REPOSITORY_NOT_FOUND"],
    ["BeforeRead", { repository: "no/such" }, "NOT_FOUND", "REPOSITORY_NOT_FOUND"],
    ["GetRepository", { repository: "no/such" }, "NOT_FOUND", "REPOSITORY_NOT_FOUND"],
    ["ListLog", { repository: "no/such" }, "NOT_FOUND", "REPOSITORY_NOT_FOUND"],
    ["VerifyReplica", { repository: "no/such" }, "NOT_FOUND", "REPOSITORY_NOT_FOUND"],
    ["Thaw", { repository: "no/such", promote: "repo001" }, "NOT_FOUND", "REPOSITORY_NOT_FOUND"],
    ["GetWrite", { repository: "no/such", writeId: NOBODY }, "NOT_FOUND", "WRITE_NOT_FOUND"],
    ["BeginWrite", { repository: "no/such" }, "NOT_FOUND", "REPOSITORY_NOT_FOUND"],
    ["RenewWrite", { repository: "no/such", token: `${NOBODY}.${NOBODY}` }, "NOT_FOUND", "WRITE_NOT_FOUND"],
    ["BumpVersion", { repository: "no/such", token: "" }, "NOT_FOUND", "WRITE_NOT_FOUND"],
    ["AbortWrite", { repository: "no/such", token: "x" }, "NOT_FOUND", "WRITE_NOT_FOUND"],
  ])(
    "of %s %j carry google.rpc.ErrorInfo, and no RetryInfo where trying again does not help",
    async (method, request, code, reason) => {
      const refused = await at.one.refusal(method, request);
      expect(refused).toMatchObject({
        code,
        reason,
        domain: "lockstep",
        message: expect.stringMatching(/no\/such.*[;.]/),
      });
      expect(refused.retryMs).toBeUndefined();
    },
  );

  it("of a stream come as those of a call do", async () => {
    await expect(collect(at.one.stream("FetchFrom", { repository: "no/such" }))).rejects.toMatchObject({
      code: "NOT_FOUND",
      reason: "REPOSITORY_NOT_FOUND",
      domain: "lockstep",
    });
  });
});

describe("for strangers", () => {
  it("answers health checks, on the TLS port and on the socket", async () => {
    using local = stranger(`unix:${one.demo.socket}`);
    for (const client of [at.one, local]) {
      for (const service of ["", "lockstep.v1.SyncService", "lockstep.v1.ClusterService"])
        expect(await client.health(service)).toBe(SERVING);
      await expect(client.health("no.such.Service")).rejects.toMatchObject({ code: "NOT_FOUND" });
    }
  });

  it("lists its services and shows their files", async () => {
    const { listServicesResponse } = await at.one.reflect({ listServices: "" });
    const services = listServicesResponse.service.map(({ name }: Message) => name);
    expect(services).toEqual(expect.arrayContaining(["lockstep.v1.SyncService", "lockstep.v1.ClusterService"]));
    const { fileDescriptorResponse } = await at.one.reflect({ fileContainingSymbol: "lockstep.v1.SyncService" });
    expect(fileDescriptorResponse.fileDescriptorProto.length).toBeGreaterThan(0);
  });

  it("is understood by a client of another make that knows the protocol from reflection only", async (context) => {
    const python = "/usr/bin/python3";
    const missing = await run(python, ["-c", "import grpc, google.protobuf"]).then(
      () => undefined,
      (error: Error) => error.message,
    );
    if (missing) context.skip(`Debian's python3-grpcio and python3-protobuf are not installed: ${missing}`);
    const { repository } = await repositoryAt(1);
    const { ca, operator } = cluster.demo.line;
    const script = fileURLToPath(new URL("../support/stranger.py", import.meta.url));
    const args = [script, one.demo.grpc, ca, operator.cert, operator.key, repository, "no/such"];
    const told = JSON.parse((await run(python, args)).stdout);
    const refusal = { code: "NOT_FOUND", message: expect.stringContaining("no/such"), named: true };
    expect(told).toMatchObject({
      services: expect.arrayContaining(["lockstep.v1.ClusterService", "lockstep.v1.SyncService"]),
      version: { repository, device: "repo001", version: "1", headVersion: "1", state: "REPLICA_STATE_ACTIVE" },
      read: { version: "1", fetched: false },
      fetched: [{ result: { version: "1", alreadyCurrent: true } }],
      log: { entries: [{ version: "1", device: "repo001" }] },
      status: { devices: [{ name: "repo001", live: true }, {}, {}] },
      refusal,
      streamed_refusal: refusal,
    });
  });
});
