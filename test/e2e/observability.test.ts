// What an operator sees: `repo show`, the log lines of pushes and catch-ups, the id that leads from a pusher's terminal to the log.
import { randomUUID } from "node:crypto";
import { describe, expect, it, vi } from "vitest";
import { administer } from "../support/administer.ts";
import { type Device, PATIENCE } from "../support/cluster-device.ts";
import { ada, cluster, one, proxy, startClusterOfFile, three, two } from "../support/file-cluster.ts";
import { holdPush } from "../support/held-push.ts";
import { soon } from "../support/soon.ts";

const SOON = soon(20);

startClusterOfFile({ behindProxy: true });

/** A push past the gate, by the git server's own user, who says for whom: as sshd and a forge do. */
const pushAs = (author: string, device: Device, repository: string, refspec: string, env = {}) =>
  cluster.git.run(["push", device.gitDir(repository), refspec], {
    cwd: ada.dir,
    env: { LOCKSTEP_PUSHER: author, ...env },
  });

const sql = (text: string, values: unknown[]) =>
  administer(cluster.databaseUrl, async (client) => await client.query(text, values));

/** A ticket in the queue for the repository's turn, `agoSeconds` old. */
const queue = (repository: string, author: string, agoSeconds: number, ttl = "1 hour") =>
  sql(
    `insert into lockstep.turn (repository_id, write_id, device, author, reason, since, expires_at)
     select id, $2, 'repo002', $3, 'push', clock_timestamp() - $4 * interval '1 second', clock_timestamp() + $5::interval
     from lockstep.repository where name = $1`,
    [repository, randomUUID(), author, agoSeconds, ttl],
  );

describe("repo show", () => {
  it("names who writes, where and since when, and who waits, for how long", async () => {
    const repository = await cluster.createRepository();
    await using held = await holdPush(one, repository, "prepared");
    const before = Date.now();
    const push = pushAs("bob", one, repository, `${await ada.commit()}:refs/heads/held/x`);
    await held.reached();
    await queue(repository, "carol", 7000);
    await queue(repository, "dave", 5);
    await queue(repository, "gone", 90, "-1 second");

    const { document } = await two.lockstep("repo", "show", repository);
    expect(document.writer).toMatchObject({ author: "bob", device: "repo001", base_version: 0 });
    const startedAt = Date.parse(document.writer.started_at);
    expect(startedAt).toBeGreaterThan(before - 1_000);
    expect(startedAt).toBeLessThan(Date.now() + 1_000);
    expect(document.waiters).toMatchObject([
      { author: "carol", device: "repo002", reason: "push" },
      { author: "dave", device: "repo002", reason: "push" },
    ]);
    expect(document.waiters[0].waited_ms).toBeGreaterThan(7_000_000);
    expect(document.waiters[1].waited_ms).toBeLessThan(7_000_000);

    const { stdout } = await two.print("repo", "show", repository);
    expect(stdout).toMatch(/^writing: bob on repo001 for \d+ s, on version 0$/m);
    expect(stdout).toMatch(/^ {2}1\. carol on repo002 for 7\d{3}\.\d s \(push\)$/m);
    expect(stdout).toMatch(/^ {2}2\. dave on repo002 for /m);

    await sql("delete from lockstep.turn", []);
    await held.release();
    expect(await push).toMatchObject({ code: 0 });
    const after = await two.lockstep("repo", "show", repository);
    expect(after.document).toMatchObject({ writer: null, waiters: [], log: [{ author: "bob" }] });
    expect((await two.print("repo", "show", repository)).stdout).not.toContain("writing:");
  });

  it("shows the last 20 writes and the last 10 catch-ups, newest first", async () => {
    const repository = await cluster.createRepository();
    const WRITES = 21;
    for (let i = 1; i <= WRITES; i += 1) {
      await ada.land(one.url(repository), `+${await ada.commit()}:refs/heads/main`);
      await three.call("BeforeRead", { repository }, PATIENCE);
    }
    const ofThree = ({ syncs }: { syncs: { device: string; version: number }[] }) =>
      syncs.filter(({ device }) => device === "repo003");
    // A read does not wait for the record of its catch-up.
    const { document } = await vi.waitFor(async () => {
      const shown = await three.lockstep("repo", "show", repository);
      expect(ofThree(shown.document)[0]?.version).toBe(WRITES);
      return shown;
    }, SOON);
    expect(document.log.map(({ version }: { version: number }) => version)).toEqual(
      Array.from({ length: 20 }, (_, index) => WRITES - index),
    );
    expect(document.syncs).toHaveLength(10);
    const [newest] = ofThree(document);
    expect(newest).toMatchObject({
      from: expect.stringMatching(/^repo00[12]$/),
      version: WRITES,
      refs_changed: 1,
      error: null,
      duration_ms: expect.any(Number),
      at: expect.stringMatching(/Z$/),
      bytes: expect.toSatisfy((bytes: number) => bytes > 0),
      from_version: expect.toSatisfy((version: number) => version < WRITES),
    });
    const { stdout } = await three.print("repo", "show", repository);
    expect(stdout).toMatch(/^when +device +from +versions +refs +bytes +took +result$/m);
    expect(stdout).toMatch(/(now|ago) +repo003 +repo00[12] +\d+ → 21 +1 +\d+ B +[\d.]+ m?s +ok$/m);
    expect(stdout).toMatch(/^version 21 .* on repo001$/m);
  });

  it("shows why a catch-up failed", async () => {
    const repository = await cluster.createRepository();
    await sql(
      `insert into lockstep.sync_event
         (repository_id, device, from_device, from_version, version, bytes, refs_changed, duration_ms, result, error)
       select id, 'repo002', '', 3, 3, 0, 0, 12, 'failed', 'nobody has it' from lockstep.repository where name = $1`,
      [repository],
    );
    const { document } = await one.lockstep("repo", "show", repository);
    expect(document.syncs[0]).toMatchObject({ device: "repo002", from: "", error: "nobody has it", duration_ms: 12 });
    expect((await one.print("repo", "show", repository)).stdout).toMatch(/repo002 .* 12 ms +nobody has it$/m);
  });
});

describe("text that strangers wrote", () => {
  const EVIL = "eve\x1b[2J\x1b]0;owned\x07\nversion 9  all is well";
  const SHOWN = "eve\\x1b[2J\\x1b]0;owned\\x07\\nversion 9  all is well";

  it("cannot act on the terminal of the reader", async () => {
    const repository = await cluster.createRepository();
    expect(await pushAs(EVIL, one, repository, `${await ada.commit()}:refs/heads/main`)).toMatchObject({
      code: 0,
    });
    await sql("update lockstep.replica set last_error = $1 where device = 'repo002'", [EVIL]);
    await queue(repository, EVIL, 1);
    for (const command of [["log"], ["repo", "show"]]) {
      const { stdout } = await one.print(...command, repository);
      expect(stdout).toContain(SHOWN);
      expect(stdout.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
      // A program that reads gets what was written.
      const { document } = await one.lockstep(...command, repository);
      expect(document.log[0].author).toBe(EVIL);
    }
    await sql("delete from lockstep.turn", []);
  });

  it("cannot act on the terminal in an error either", async () => {
    const { code, stderr } = await one.print("repo", "show", "\x1b[31mx");
    expect(code).toBe(2);
    expect(stderr).not.toContain("\x1b");
  });
});

describe("the sidecar's log", () => {
  const lineOf = (device: Device, message: string, repository: string) =>
    vi.waitFor(async () => {
      const found = (await device.log()).filter((line) => line.msg === message && line.repository === repository);
      expect(found).toHaveLength(1);
      return found[0]!;
    }, SOON);

  /** Each of these steps took its part of the line's duration; each figure is rounded to a hundredth. */
  function expectSteps(line: Record<string, unknown>, keys: string[]): void {
    const steps = keys.map((key) => line[key] as number);
    for (const ms of steps) expect(ms).toBeGreaterThanOrEqual(0);
    const sum = steps.reduce((all, ms) => all + ms, 0);
    expect(sum).toBeLessThan((line.durationMs as number) + 0.01 * (steps.length + 1));
  }

  it("has one line for a push, with what each step took", async () => {
    const repository = await cluster.createRepository();
    const requestId = `test-${randomUUID()}`;
    const env = { LOCKSTEP_REQUEST_ID: requestId };
    await pushAs("bob", one, repository, `${await ada.commit()}:refs/heads/main`, env);
    const line = await lineOf(one, "push landed", repository);
    expect(line).toMatchObject({
      level: "info",
      version: "1",
      author: "bob",
      device: "repo001",
      refs: 1,
      races: 0,
      requestId,
    });
    const waits = ["readMs", "policyMs", "mutexMs"];
    expectSteps(line, [...waits, "stageMs", "prepareMs", "syncMs", "landMs", "commitMs"]);
  });

  it("has one line for a catch-up, with what it took and brought", async () => {
    const repository = await cluster.createRepository();
    await ada.land(one.url(repository), `${await ada.commit()}:refs/heads/main`);
    await three.call("BeforeRead", { repository }, PATIENCE);
    const line = await lineOf(three, "caught up", repository);
    expect(line).toMatchObject({ level: "info", fromVersion: "0", version: "1", refsChanged: 1 });
    expect(line.fromDevice).toMatch(/^repo00[12]$/);
    expect(line.bytes).toBeGreaterThan(0);
    expectSteps(line, ["logMs", "fetchMs", "mutexMs", "applyMs"]);
  });

  it("has the id that a pusher whose push failed sees on the terminal", async () => {
    const repository = await cluster.createRepository();
    proxy.cut();
    const own = await pushAs("bob", one, repository, `${await ada.commit()}:refs/heads/main`);
    const given = await pushAs("bob", one, repository, `${await ada.commit()}:refs/heads/main`, {
      LOCKSTEP_REQUEST_ID: "ticket-4711",
    });
    proxy.mend();
    expect(own.code).toBe(1);
    const [, id] = /^remote: lockstep: .*\(request ([0-9a-f-]{36})\)/m.exec(own.stderr) ?? [];
    expect(id).toBeDefined();
    // Nothing of the database, the disk or the settings: whoever pushes may be a stranger.
    for (const { stderr } of [own, given])
      expect(stderr).not.toMatch(/postgres|ECONN|127\.0\.0\.1:|\.sock|LOCKSTEP_|pg_hba/);
    expect(given.stderr).toMatch(/^remote: lockstep: .*\(request ticket-4711\)/m);
    for (const requestId of [id, "ticket-4711"]) {
      const failed = (await one.log()).filter((line) => line.msg === "push failed" && line.requestId === requestId);
      expect(failed).toMatchObject([
        { level: "warn", repository, err: expect.stringContaining("The database cannot be used now") },
      ]);
    }
  });
});

describe("the metrics", () => {
  const page = async (device: Device) => (await (await fetch(`${device.demo.http}/metrics`)).text()).split("\n");
  const ofCluster = (lines: string[]) => lines.filter((line) => /^lockstep_(replicas|device_up|heads_on)/.test(line));

  it.each(["cut", "stall"] as const)(
    "come while the database is away (%s), say so, and tell nothing old",
    async (how) => {
      await vi.waitFor(async () => {
        const lines = await page(one);
        expect(lines).toContain("lockstep_database_up 1");
        expect(ofCluster(lines).length).toBeGreaterThan(5);
      }, SOON);
      proxy[how]();
      try {
        await vi.waitFor(async () => {
          const lines = await page(one);
          expect(lines).toContain("lockstep_database_up 0");
          expect(ofCluster(lines)).toEqual([]);
          expect(lines.some((line) => line.startsWith("lockstep_disk_free_bytes "))).toBe(true);
        }, SOON);
      } finally {
        proxy.mend();
      }
      // Before the next test the leases are back.
      await vi.waitFor(async () => {
        for (const device of [one, two, three]) expect(await device.isReady()).toBe(true);
        expect(await page(one)).toContain("lockstep_database_up 1");
      }, SOON);
    },
  );
});
