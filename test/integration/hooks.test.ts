// What a webhook is told, and when an event counts as accepted.
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { deleteHook } from "../../src/store/watch/hooks.ts";
import { addHook, delivering, onlyHook, SECRET } from "../support/hook-delivery.ts";
import { currentRepository, Landing } from "../support/landing.ts";
import { expectedSignature, Receiver } from "../support/receiver.ts";
import { soon } from "../support/soon.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { SOON } from "../support/sync-device.ts";

/** Answers with the same line again and again, until the other side ends the connection. */
function sendWithoutEnd(socket: Socket | null, line: string): void {
  const begin = line === "\r\n" ? "HTTP/1.1 102 Processing\r\n" : "";
  socket?.on("error", () => {}).write(begin === "" ? "HTTP/1.1 200 OK\r\n" : "");
  const more = setInterval(() => socket?.write((begin + line).repeat(100)), 5);
  socket?.once("close", () => clearInterval(more));
}
afterEach(() => void vi.restoreAllMocks());

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

  it("a webhook that refuses an event gets it again, and later ones only then", async () => {
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
  ])("a webhook that %s has not accepted the event", async (_, error, status) => {
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

  it("a webhook that answers 200 and never ends its answer has accepted the event", async () => {
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

  it("a webhook that takes the connection and never answers is given up after ten seconds", async () => {
    await using cluster = await TestCluster.make();
    await using receiver = await Receiver.start();
    const one = await cluster.start("repo001");
    const app = await currentRepository("app", [one]);
    await addHook(one, receiver.url);
    receiver.answer = () => {};
    await using _ = delivering(one);
    await using landing = await Landing.connect(cluster);
    await landing.land(app);
    const wait = soon();
    await vi.waitFor(
      async () => expect((await onlyHook(one)).lastError).toBe("The receiver did not answer within 10 s."),
      wait,
    );
  });

  it.each([
    ["hangs", (_: unknown, response: ServerResponse) => void response.socket],
    ["answers a header without an end", (_: unknown, { socket }: ServerResponse) => sendWithoutEnd(socket, "x: y\r\n")],
    ["says that it goes on without an end", (_: unknown, { socket }: ServerResponse) => sendWithoutEnd(socket, "\r\n")],
  ])("a webhook that %s keeps no other one waiting, and no write", async (_, answer) => {
    await using cluster = await TestCluster.make();
    await using receiver = await Receiver.start();
    await using other = await Receiver.start();
    const one = await cluster.start("repo001");
    const app = await currentRepository("app", [one]);
    await addHook(one, `${receiver.url}?token=in-the-url`);
    await addHook(one, other.url);
    receiver.answer = answer;
    await using __ = delivering(one);
    await using landing = await Landing.connect(cluster);
    for (let count = 0; count < 3; count += 1) await landing.land(app);
    await vi.waitFor(() => expect(other.events).toEqual(["app 1", "app 2", "app 3"]), SOON);
    expect(new Set(receiver.events)).toEqual(new Set(["app 1"]));
    expect(JSON.stringify(one.logged)).not.toMatch(/in-the-url|between us/);
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

  it("a webhook that is removed is told nothing more", async () => {
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
