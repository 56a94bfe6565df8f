import { randomUUID } from "node:crypto";
import { describe, expect, it, vi } from "vitest";
import { createAuthority, issue } from "../../src/ca/authority.ts";
import {
  claimHooks,
  deleteHook,
  type Hook,
  insertHook,
  listHooks,
  recordHookFailure,
  recordHookProgress,
} from "../../src/store/watch/hooks.ts";
import { deliverHooks } from "../../src/sync/hooks/deliver-hooks.ts";
import { beginWatch } from "../../src/sync/watch/begin-watch.ts";
import { currentRepository, Landing } from "../support/landing.ts";
import { latch } from "../support/latch.ts";
import { expectedSignature, Receiver } from "../support/receiver.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { SOON, type TestDevice } from "../support/sync-device.ts";

const SECRET = "between us";

async function addHook(device: TestDevice, url: string, given: Partial<Hook> = {}): Promise<Hook> {
  const { cursor } = await beginWatch(
    device.context,
    { cursor: "", repositories: [], visible: "landed" },
    device.context.signal,
  );
  const hook = {
    id: randomUUID(),
    url,
    repositories: [],
    visible: "landed" as const,
    author: "ada",
    cursor,
    secret: SECRET,
  };
  return await insertHook(device.context.db, { ...hook, ...given });
}

/** Delivers as `lockstep serve` does, until it is disposed of. */
function delivering(device: TestDevice): AsyncDisposable {
  const stop = new AbortController();
  const done = deliverHooks(device.context, stop.signal);
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await done;
    },
  };
}

/** Resolves when the device has tried to record a delivery, and has looked for hooks since. */
async function untilStopped(device: TestDevice): Promise<void> {
  let recorded = false;
  await new Promise<void>((resolve) => {
    device.onStatement = async (text, run) => {
      const result = await run();
      if (/^update lockstep\.hook set cursor/.test(text)) recorded = true;
      if (recorded && /claim_hooks/.test(text)) resolve();
      return result;
    };
  });
  device.onStatement = (_, run) => run();
}

async function onlyHook(device: TestDevice): Promise<Hook> {
  const [hook] = await listHooks(device.context.db);
  return hook!;
}

describe("a webhook", () => {
  it("is told of each version, in order, signed", async () => {
    await using cluster = await TestCluster.make();
    await using receiver = await Receiver.start();
    const one = await cluster.start("repo001");
    const [app, web] = [await currentRepository("team/app", [one]), await currentRepository("web", [one])];
    await using landing = await Landing.connect(cluster);
    await landing.land(app);
    const hook = await addHook(one, receiver.url, { repositories: ["team/*"] });
    await using _ = delivering(one);
    for (const id of [app, web, app]) await landing.land(id, 2);
    await vi.waitFor(() => expect(receiver.events).toEqual(["team/app 2", "team/app 3"]), SOON);
    const [first, second] = receiver.posted;
    expect(first).toMatchObject({
      path: "/hook",
      headers: {
        "content-type": "application/json",
        "x-lockstep-event": "landed",
        "x-lockstep-delivery": first!.body.delivery,
        "x-lockstep-signature-256": expectedSignature(SECRET, first!.raw),
      },
      body: {
        event: "landed",
        hook: hook.id,
        visible: "landed",
        device: "repo001",
        author: "ada",
        updates: [
          { ref: "refs/heads/1/1", old: null, new: "a".repeat(40) },
          { ref: "refs/heads/1/2", old: null, new: "a".repeat(40) },
        ],
        more: 0,
      },
    });
    expect(Number(first!.headers["x-lockstep-timestamp"])).toBeGreaterThan(1_000_000_000);
    expect(second!.body.delivery).not.toBe(first!.body.delivery);
    await vi.waitFor(
      async () =>
        expect(await onlyHook(one)).toMatchObject({ delivered: 2n, attempts: 0, lastError: null, device: "repo001" }),
      SOON,
    );
  });

  it("that refuses an event gets it again, and later ones only then", async () => {
    await using cluster = await TestCluster.make();
    await using receiver = await Receiver.start();
    const one = await cluster.start("repo001");
    const [app, web] = [await currentRepository("app", [one]), await currentRepository("web", [one])];
    await addHook(one, `${receiver.url}?token=in-the-url`);
    receiver.answer = (_, response) => void response.writeHead(500).end("no room\n".repeat(100));
    await using _ = delivering(one);
    await using landing = await Landing.connect(cluster);
    for (const id of [app, web]) await landing.land(id);
    await vi.waitFor(async () => {
      const hook = await onlyHook(one);
      expect(hook.attempts).toBeGreaterThanOrEqual(2);
      expect(hook).toMatchObject({
        delivered: 0n,
        lastError: expect.stringMatching(/^The receiver answered 500: no room/),
      });
      expect(hook.nextAttemptAt).not.toBeNull();
    }, SOON);
    receiver.answer = (_, response) => void response.writeHead(200).end("ok");
    await vi.waitFor(() => expect(receiver.events.slice(-2)).toEqual(["app 1", "web 1"]), SOON);
    expect(new Set(receiver.events.slice(0, -1))).toEqual(new Set(["app 1"]));
    // Each attempt is the same delivery, so the receiver can tell.
    expect(new Set(receiver.posted.slice(0, -1).map(({ raw }) => raw)).size).toBe(1);
    await vi.waitFor(
      async () => expect(await onlyHook(one)).toMatchObject({ delivered: 2n, attempts: 0, lastError: null }),
      SOON,
    );
    expect(JSON.stringify(one.logged)).toContain("a webhook did not accept an event");
    expect(JSON.stringify(one.logged)).not.toMatch(/in-the-url|between us/);
  });

  it.each([
    ["redirects", /answered 302, and redirects are not followed/, 302],
    ["has no such page", /answered 404/, 404],
  ])("that %s has not accepted the event", async (_, error, status) => {
    await using cluster = await TestCluster.make();
    await using receiver = await Receiver.start();
    const one = await cluster.start("repo001");
    const app = await currentRepository("app", [one]);
    await addHook(one, receiver.url);
    receiver.answer = (_, response) => void response.writeHead(status, { location: `${receiver.url}/other` }).end();
    await using __ = delivering(one);
    await using landing = await Landing.connect(cluster);
    await landing.land(app);
    await vi.waitFor(async () => expect((await onlyHook(one)).lastError).toMatch(error), SOON);
    expect(new Set(receiver.posted.map(({ path }) => path))).toEqual(new Set(["/hook"]));
  });

  it("that answers 200 and never ends its answer has accepted the event", async () => {
    await using cluster = await TestCluster.make();
    await using receiver = await Receiver.start();
    const one = await cluster.start("repo001");
    const app = await currentRepository("app", [one]);
    await addHook(one, receiver.url);
    receiver.answer = (_, response) => {
      response.writeHead(200);
      const more = setInterval(() => response.write("x".repeat(10_000)), 1);
      response.once("close", () => clearInterval(more));
    };
    await using _ = delivering(one);
    await using landing = await Landing.connect(cluster);
    await landing.land(app);
    await landing.land(app);
    await vi.waitFor(async () => expect(await onlyHook(one)).toMatchObject({ delivered: 2n }), SOON);
    expect(receiver.events).toEqual(["app 1", "app 2"]);
  });

  it("that takes the connection and never answers is given up after ten seconds", async () => {
    await using cluster = await TestCluster.make();
    await using receiver = await Receiver.start();
    const one = await cluster.start("repo001");
    const app = await currentRepository("app", [one]);
    await addHook(one, receiver.url);
    receiver.answer = () => {};
    await using _ = delivering(one);
    await using landing = await Landing.connect(cluster);
    await landing.land(app);
    const wait = { timeout: 60_000, interval: 50 };
    await vi.waitFor(
      async () => expect((await onlyHook(one)).lastError).toBe("The receiver did not answer within 10 s."),
      wait,
    );
  }, 90_000);

  it("whose certificate nobody vouches for gets nothing", async () => {
    const authority = await createAuthority({ trustDomain: "other.test", days: 1 });
    const pair = await issue(authority, { role: "device", name: "ci", hosts: ["localhost"], days: 1 });
    await using cluster = await TestCluster.make();
    await using receiver = await Receiver.start({ cert: pair.certificatePem, key: pair.keyPem });
    const one = await cluster.start("repo001");
    const app = await currentRepository("app", [one]);
    await addHook(one, receiver.url);
    await using _ = delivering(one);
    await using landing = await Landing.connect(cluster);
    await landing.land(app);
    await vi.waitFor(async () => expect((await onlyHook(one)).lastError).toMatch(/certificate/), SOON);
    expect(receiver.posted).toEqual([]);
  });

  it("gets user and password of its URL as a header", async () => {
    await using cluster = await TestCluster.make();
    await using receiver = await Receiver.start();
    const one = await cluster.start("repo001");
    const app = await currentRepository("app", [one]);
    await addHook(one, receiver.url.replace("http://", "http://ada:p%40ss@"));
    await using _ = delivering(one);
    await using landing = await Landing.connect(cluster);
    await landing.land(app);
    await vi.waitFor(() => expect(receiver.posted).toHaveLength(1), SOON);
    expect(receiver.posted[0]?.headers.authorization).toBe(`Basic ${Buffer.from("ada:p@ss").toString("base64")}`);
  });

  it("is told where it goes on when its events were trimmed from the log", async () => {
    await using cluster = await TestCluster.make();
    await using receiver = await Receiver.start();
    const one = await cluster.start("repo001");
    const app = await currentRepository("app", [one]);
    await addHook(one, receiver.url);
    await using landing = await Landing.connect(cluster);
    for (let i = 0; i < 3; i += 1) await landing.land(app);
    await cluster.sql("delete from lockstep.ref_log where version <= 2");
    await using _ = delivering(one);
    await vi.waitFor(() => expect(receiver.events).toEqual(["app 3"]), SOON);
    expect((await onlyHook(one)).missedAt).not.toBeNull();
  });

  it("that is removed is told nothing more", async () => {
    await using cluster = await TestCluster.make();
    await using receiver = await Receiver.start();
    const one = await cluster.start("repo001");
    const app = await currentRepository("app", [one]);
    const [gone, kept] = [await addHook(one, receiver.url), await addHook(one, `${receiver.url}/kept`)];
    await using _ = delivering(one);
    await using landing = await Landing.connect(cluster);
    await landing.land(app);
    await vi.waitFor(() => expect(receiver.posted).toHaveLength(2), SOON);
    await deleteHook(one.context.db, gone.id, "ada");
    await landing.land(app);
    await landing.land(app);
    const to = (id: string) => receiver.posted.filter(({ body }) => body.hook === id).length;
    await vi.waitFor(() => expect(to(kept.id)).toBe(3), SOON);
    // One delivery may have been under way.
    expect(to(gone.id)).toBeLessThanOrEqual(2);
  });
});

describe("the device that delivers a hook", () => {
  it("is one at a time, and another one goes on when it dies", async () => {
    await using cluster = await TestCluster.make();
    await using receiver = await Receiver.start();
    const [one, two] = [await cluster.start("repo001"), await cluster.start("repo002")];
    const app = await currentRepository("app", [one]);
    await addHook(one, receiver.url);
    await using landing = await Landing.connect(cluster);
    const first = delivering(one);
    await vi.waitFor(async () => expect(await onlyHook(one)).toMatchObject({ device: "repo001" }), SOON);
    await using _ = delivering(two);
    for (let i = 0; i < 3; i += 1) await landing.land(app);
    await vi.waitFor(async () => expect(await onlyHook(two)).toMatchObject({ delivered: 3n, device: "repo001" }), SOON);
    await first[Symbol.asyncDispose]();
    // It gives its lease back, as an orderly stop does.
    await one.stop();
    await landing.land(app);
    await vi.waitFor(async () => expect(await onlyHook(two)).toMatchObject({ delivered: 4n, device: "repo002" }), SOON);
    expect(receiver.events).toEqual(["app 1", "app 2", "app 3", "app 4"]);
  });

  it("stops when another one has taken the hook over meanwhile, and that one goes on", async () => {
    await using cluster = await TestCluster.make();
    await using receiver = await Receiver.start();
    const [one, two] = [await cluster.start("repo001"), await cluster.start("repo002")];
    const app = await currentRepository("app", [one]);
    await addHook(one, receiver.url);
    await using landing = await Landing.connect(cluster);
    for (let i = 0; i < 3; i += 1) await landing.land(app);
    const asked = latch();
    const answered = latch();
    receiver.answer = async (_, response) => {
      asked.open();
      await answered.opened;
      response.writeHead(204).end();
    };
    const first = delivering(one);
    await asked.opened;
    // As if its lease had ended.
    const { device, fence } = two.context.me;
    await cluster.sql("update lockstep.hook set device = $1, fence = $2", [device, fence]);
    answered.open();
    await untilStopped(one);
    await using _ = delivering(two);
    await vi.waitFor(async () => expect(await onlyHook(two)).toMatchObject({ delivered: 3n, device: "repo002" }), SOON);
    await first[Symbol.asyncDispose]();
    expect(receiver.events).toEqual(["app 1", "app 1", "app 2", "app 3"]);
  });

  it("takes its hooks back at once after a restart", async () => {
    await using cluster = await TestCluster.make();
    const one = await cluster.start("repo001");
    const hook = await addHook(one, "http://127.0.0.1:9/hook");
    expect(await claimHooks(one.context.db, one.context.me)).toMatchObject([{ id: hook.id }]);
    const again = await one.restart();
    expect(await claimHooks(again.context.db, one.context.me)).toEqual([]);
    expect(await claimHooks(again.context.db, again.context.me)).toMatchObject([{ id: hook.id, secret: SECRET }]);
  });

  it("records nothing once another one has the hook", async () => {
    await using cluster = await TestCluster.make();
    const [one, two] = [await cluster.start("repo001"), await cluster.start("repo002")];
    const { id, cursor } = await addHook(one, "http://127.0.0.1:9/hook");
    const { db } = two.context;
    expect(await claimHooks(db, one.context.me)).toHaveLength(1);
    expect(await claimHooks(db, two.context.me)).toEqual([]);
    await one.stop();
    expect(await claimHooks(db, two.context.me)).toHaveLength(1);
    const progress = { before: cursor, cursor: "1.7", delivered: 1n, isDelivery: true, missed: false };
    const failure = { cursor, attempts: 1, waitMs: 1_000, error: "no" };
    expect(await recordHookProgress(db, one.context.me, id, progress)).toBe(false);
    expect(await recordHookFailure(db, one.context.me, id, failure)).toBe(false);
    expect(await onlyHook(two)).toMatchObject({ cursor, delivered: 0n, attempts: 0 });
    expect(await recordHookProgress(db, two.context.me, id, progress)).toBe(true);
    // A repetition is the same, and one that comes late changes nothing.
    expect(await recordHookProgress(db, two.context.me, id, progress)).toBe(true);
    expect(
      await recordHookProgress(db, two.context.me, id, { ...progress, before: "1.7", cursor: "1.9", delivered: 2n }),
    ).toBe(true);
    expect(await recordHookProgress(db, two.context.me, id, progress)).toBe(false);
    expect(await recordHookFailure(db, two.context.me, id, failure)).toBe(false);
    expect(await onlyHook(two)).toMatchObject({ cursor: "1.9", delivered: 2n });
  });
});
