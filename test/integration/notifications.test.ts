import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { Database, queryOnce } from "../../src/store/database/database.ts";
import { listenForHeads, notifyHeads } from "../../src/store/database/notifications.ts";
import { migratedDatabase, type TestDatabase } from "../support/database.ts";
import { databaseProxy } from "../support/database-proxy.ts";
import { replicationMissing } from "../support/postgres-servers.ts";
import { startReplication } from "../support/replication.ts";
import { soon } from "../support/soon.ts";

const WAIT = soon(5);

/** While it is true nothing but a signal ends a pause. */
const pauses = vi.hoisted(() => ({ areEndless: false }));
vi.mock("node:timers/promises", async (original) => {
  const { setTimeout: sleep, ...others } = await original<typeof import("node:timers/promises")>();
  return {
    ...others,
    setTimeout: (ms: number, ...rest: [undefined, object]) => sleep(pauses.areEndless ? 3_600_000 : ms, ...rest),
  };
});

let database: TestDatabase;
let db: Database;

beforeAll(async () => {
  database = await migratedDatabase();
  db = new Database({ url: database.url, applicationName: "sender" });
});
afterAll(async () => {
  await db[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

interface Listener extends AsyncDisposable {
  /** The ids of each notification. */
  readonly heard: string[][];
  readonly restarts: () => number;
}

/** Listens as that device; disposal waits for the end of it. `by`: whose connections are replaced together with the listening one. */
async function listen(device: string, url = database.url, by = db): Promise<Listener> {
  const stop = new AbortController();
  const heard: string[][] = [];
  let restarts = 0;
  const handlers = {
    onCommands: () => {},
    onRegistry: () => {},
    onHeads: (ids: string[]) => void heard.push(ids),
    onReconnect: () => {
      restarts += 1;
    },
  };
  const listening = listenForHeads(by, { url, applicationName: device }, device, handlers, stop.signal);
  if (!url.endsWith("/none")) await vi.waitUntil(() => restarts > 0, WAIT);
  return {
    heard,
    restarts: () => restarts,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await listening;
    },
  };
}

describe("a listening sidecar", () => {
  it("hears the heads that other devices announce, and not those of its own device", async () => {
    await using mine = await listen("mine");
    await using other = await listen("other");
    const [first, second] = [randomUUID(), randomUUID()];
    await notifyHeads(db, "mine", [first, second]);
    await notifyHeads(db, "other", [first]);
    await vi.waitUntil(() => mine.heard.length > 0 && other.heard.length > 0, WAIT);
    expect(other.heard).toEqual([[first, second]]);
    expect(mine.heard).toEqual([[first]]);
  });

  it("hears of more heads than one notification holds, each once", async () => {
    await using mine = await listen("mine");
    const ids = Array.from({ length: 1_001 }, () => randomUUID() as string);
    // The longest name that a device may have.
    await notifyHeads(db, "d".repeat(63), ids);
    await vi.waitUntil(() => mine.heard.flat().length >= ids.length, WAIT);
    expect(mine.heard.flat()).toEqual(ids);
  });

  it("hears nothing when there is nothing to announce", async () => {
    await using mine = await listen("mine");
    await notifyHeads(db, "other", []);
    await notifyHeads(db, "other", ["last"]);
    await vi.waitUntil(() => mine.heard.length > 0, WAIT);
    expect(mine.heard).toEqual([["last"]]);
  });

  it("listens again after its connection was lost, and says so, because it may have missed something", async () => {
    await using mine = await listen("mine");
    const killed = await queryOnce(
      db.work,
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = $1",
      ["lockstep mine listen"],
    );
    expect(killed).toHaveLength(1);
    await vi.waitUntil(() => mine.restarts() === 2, WAIT);
    await notifyHeads(db, "other", ["back"]);
    await vi.waitUntil(() => mine.heard.length > 0, WAIT);
    expect(mine.heard).toEqual([["back"]]);
  });

  it("takes a new connection when connections are replaced, and another one when that breaks", async () => {
    await using mine = await listen("mine");
    const pids = async () =>
      await queryOnce<{ pid: number }>(
        db.work,
        "select pid from pg_stat_activity where datname = current_database() and application_name = $1",
        ["lockstep mine listen"],
      );
    const before = await pids();
    // Many at once count as one.
    for (let turn = 0; turn < 20; turn += 1) db.replaceConnections();
    await vi.waitUntil(() => mine.restarts() === 2, WAIT);
    await vi.waitFor(async () => expect(await pids()).toHaveLength(1), WAIT);
    expect(await pids()).not.toEqual(before);
    await notifyHeads(db, "other", ["again"]);
    await vi.waitUntil(() => mine.heard.length > 0, WAIT);
    expect(mine).toMatchObject({ heard: [["again"]] });
    expect(mine.restarts()).toBe(2);
  });

  it("ends at once when it is told to, connected or not", async () => {
    pauses.areEndless = true;
    onTestFinished(() => {
      pauses.areEndless = false;
    });
    const connected = await listen("mine");
    const unreachable = await listen("other", "postgres://lockstep@127.0.0.1:1/none");
    await Promise.all([connected[Symbol.asyncDispose](), unreachable[Symbol.asyncDispose]()]);
    expect(unreachable.restarts()).toBe(0);
  });
});

const missing = replicationMissing();
if (missing) console.log(`skipped, listening after a fail-over: ${missing}`);

describe.skipIf(missing !== undefined)(
  "a listening sidecar, after a fail-over to a server beside an old primary that lives on",
  () => {
    it("hears what is announced at the new primary once its other connections are replaced", async () => {
      await using replication = await startReplication();
      await using proxy = await databaseProxy(replication.primary);
      await using here = new Database({ url: proxy.url, applicationName: "here" });
      await using mine = await listen("mine", proxy.url, here);
      await replication.standbyHasAll();
      await replication.promote();
      // Its open connection still leads to the old primary, which says nothing.
      proxy.redirect(replication.standby);
      await using elsewhere = new Database({ url: replication.standby, applicationName: "elsewhere" });
      await vi.waitFor(async () => await notifyHeads(elsewhere, "other", ["missed"]), WAIT);
      here.replaceConnections();
      await vi.waitUntil(() => mine.restarts() === 2, WAIT);
      await notifyHeads(elsewhere, "other", ["heard"]);
      await vi.waitUntil(() => mine.heard.length > 0, WAIT);
      expect(mine.heard).toEqual([["heard"]]);
    });
  },
);
