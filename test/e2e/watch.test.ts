import { describe, expect, it, vi } from "vitest";
import { administer } from "../support/administer.ts";
import { type Device, PATIENCE } from "../support/cluster-device.ts";
import { ada, at, cluster, one, startOperatedClusterOfFile, three } from "../support/file-operated-cluster.ts";
import { soon } from "../support/soon.ts";
import type { Message } from "../support/stranger.ts";
import { stranger, tlsCredentials } from "../support/stranger.ts";
import { Watching } from "../support/watching.ts";

startOperatedClusterOfFile();

const SOON = soon(20);

async function push(device: Device, repository: string, ref = "refs/heads/main"): Promise<string> {
  const commit = await ada.commit();
  await ada.land(device.url(repository), `+${commit}:${ref}`);
  return commit;
}

/** Returns the cursor from which everything that lands from now on is told. */
async function cursorNow(device: Device): Promise<string> {
  for await (const { cursor } of at[device.name === "repo001" ? "one" : "three"].stream("Watch", {})) return cursor;
  throw new Error("the stream ended");
}

describe("lockstep watch", () => {
  it("prints a document for each version that lands on any device, and goes on from a cursor", async () => {
    const repository = await cluster.createRepository();
    const other = await cluster.createRepository();
    await using watching = new Watching(three, "--from", await cursorNow(three));
    const commits = [await push(one, repository), await push(three, other), await push(one, repository)];
    await watching.untilTold(3);
    expect(watching.told).toEqual([`${repository} 1`, `${other} 1`, `${repository} 2`]);
    expect(watching.events[0]).toEqual({
      cursor: expect.stringMatching(/^1\.\d+$/),
      repository,
      version: 1,
      write_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      device: "repo001",
      author: expect.any(String),
      landed_at: expect.stringMatching(/^20\d\d-.*Z$/),
      updates: [{ ref: "refs/heads/main", old: null, new: commits[0] }],
      more: 0,
    });
    expect(await watching.end("SIGINT")).toMatchObject({ code: 0 });

    await using again = new Watching(one, "--from", watching.events[0].cursor, "team/*", "--visible", "everywhere");
    await again.untilTold(2);
    expect(again.events.map(({ write_id }) => write_id)).toEqual(
      watching.events.slice(1).map(({ write_id }) => write_id),
    );
    await using only = new Watching(one, "--from", "beginning", other);
    await only.untilTold(1);
    expect(only.told).toEqual([`${other} 1`]);
  });

  it("refuses what it cannot watch with a sentence", async () => {
    const refusals = [
      [["team/none"], 1, "REPOSITORY_NOT_FOUND"],
      [["../x"], 2, "INVALID_NAME"],
      [["te am/*"], 2, "INVALID_NAME"],
      [["--from", "yesterday"], 2, "INVALID_REQUEST"],
      [["--visible", "nowhere"], 2, "USAGE"],
    ] as const;
    for (const [args, code, error] of refusals)
      expect(await one.lockstep("watch", ...args)).toMatchObject({ code, document: { error: { code: error } } });
  });

  it("prints events as text for people", async () => {
    const repository = await cluster.createRepository();
    const from = await cursorNow(one);
    await push(one, repository);
    const child = one.command(["watch", "--from", from]);
    let shown = "";
    child.stdout!.on("data", (chunk) => {
      shown += chunk;
    });
    await vi.waitFor(
      () => expect(shown).toMatch(new RegExp(`^${repository} version 1 .* on repo001\n.*refs/heads/main\n`)),
      SOON,
    );
    child.kill("SIGTERM");
  });
});

describe("an event that is to be visible everywhere", () => {
  it("waits for a device that hangs while its lease lasts, and is told once that device has the version", async () => {
    const repository = await cluster.createRepository();
    const from = await cursorNow(one);
    await using landed = new Watching(one, "--from", from);
    await using everywhere = new Watching(one, "--from", from, "--visible", "everywhere");
    await using other = new Watching(one, "--from", from, "--visible", "everywhere", "demo");
    process.kill(three.pid, "SIGSTOP");
    try {
      await push(one, repository);
      await landed.untilTold(1);
      expect(everywhere.told).toEqual([]);
    } finally {
      process.kill(three.pid, "SIGCONT");
    }
    await everywhere.untilTold(1);
    const rows = await administer(cluster.databaseUrl, (client) =>
      client.query(
        `select p.version from lockstep.replica p join lockstep.repository r on r.id = p.repository_id
         where r.name = $1 and p.device = $2`,
        [repository, three.name],
      ),
    );
    expect(rows.rows).toEqual([{ version: "1" }]);
    expect(other.told).toEqual([]);
  });
});

describe("Watch", () => {
  it("is for front ends and operators", async () => {
    const { ca, frontend } = cluster.demo.line;
    using web = stranger(one.demo.grpc, tlsCredentials(ca, frontend));
    for await (const message of web.stream("Watch", {})) {
      expect(message).toMatchObject({ cursor: expect.stringMatching(/^1\./), repository: "", entry: null });
      break;
    }
    using device = stranger(one.demo.grpc, tlsCredentials(ca, one.demo));
    expect(await device.refusal("ListHooks")).toMatchObject({ code: "PERMISSION_DENIED" });
    await expect(async () => {
      for await (const _ of device.stream("Watch", {})) break;
    }).rejects.toMatchObject({ message: expect.stringContaining("may not call Watch") });
  });

  it("gives every event to a caller that reads late", async () => {
    const repository = await cluster.createRepository();
    const told: Message[] = [];
    const stream = at.one.stream("Watch", { repositories: [repository] });
    await stream.next();
    for (let i = 0; i < 30; i += 1) await push(one, repository);
    for await (const message of stream) {
      if (message.entry) told.push(message);
      if (told.length === 30) break;
    }
    expect(told.map(({ entry }) => entry.version)).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
  });

  it("ends with SHUTTING_DOWN when the sidecar stops, and the cursor is good at another device", async () => {
    const repository = await cluster.createRepository();
    await using watching = new Watching(three, "--from", await cursorNow(one), repository);
    await push(one, repository);
    await watching.untilTold(1);
    const stream = at.three.stream("Watch", {});
    await stream.next();
    const refusal = stream.next().catch((error: unknown) => error);
    process.kill(three.pid, "SIGTERM");
    expect(await refusal).toMatchObject({ code: "UNAVAILABLE", reason: "SHUTTING_DOWN", retryMs: 1_000 });
    const { code } = await watching.end();
    expect(code).toBe(3);
    const [event, error] = watching.events;
    expect(error).toMatchObject({ error: { code: "SHUTTING_DOWN", details: { cursor: event.cursor } } });
    await push(one, repository);
    await using rest = new Watching(one, "--from", event.cursor, repository);
    await rest.untilTold(1);
    expect(rest.told).toEqual([`${repository} 2`]);
    await three.start();
    await three.call("BeforeRead", { repository }, PATIENCE);
  });
});
