import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { Database, query } from "../../src/store/database/database.ts";
import { listenForHeads, notifyHeads } from "../../src/store/database/notifications.ts";
import { migratedDatabase, type TestDatabase } from "../support/database.ts";

const WAIT = { timeout: 30_000, interval: 5 };

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

/** Listens as that device; disposal waits for the end of it. */
async function listen(device: string, url = database.url): Promise<Listener> {
  const stop = new AbortController();
  const heard: string[][] = [];
  let restarts = 0;
  const handlers = {
    onHeads: (ids: string[]) => void heard.push(ids),
    onReconnect: () => {
      restarts += 1;
    },
  };
  const listening = listenForHeads({ url, applicationName: device }, device, handlers, stop.signal);
  if (url === database.url) await vi.waitUntil(() => restarts > 0, WAIT);
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
  it("hears of the heads that another device announces, not of its own", async () => {
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
    const killed = await query(
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

  it("ends when it is told to, connected or not, and waits for no further try", async () => {
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
