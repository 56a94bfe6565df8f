import { describe, expect, it } from "vitest";
import type { Device } from "../support/cluster-device.ts";
import {
  ada,
  at,
  cluster,
  one,
  repositoryAt,
  startOperatedClusterOfFile,
  three,
} from "../support/file-operated-cluster.ts";
import { holdPush } from "../support/held-push.ts";
import { collect } from "../support/operators.ts";
import { type Message, stranger, tlsCredentials } from "../support/stranger.ts";

/** As lockstep/v1/sync.proto has them. */
const STATE = { ACTIVE: 2 };
const STATUS = { STAGED: 1, LANDED: 2 };
const NOBODY = "00000000-0000-0000-0000-000000000000";

startOperatedClusterOfFile();

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
