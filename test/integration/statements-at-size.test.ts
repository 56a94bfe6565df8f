// Every statement of the store against tables with a million rows, before and after their statistics are there: how
// many rows it touches must not depend on how many there are, or only as this table says. A plan that is quadratic only
// at size shows nowhere else.
import type pg from "pg";
import { beforeAll, describe, expect, it } from "vitest";
import { administer } from "../support/administer.ts";
import { database, db } from "../support/file-database.ts";
import { makeHugeDatabase, REFS, type StatementAtSize } from "../support/huge-database.ts";
import { STATEMENTS_OF_REPLICAS } from "../support/statements-of-replicas.ts";
import { STATEMENTS_OF_WRITES } from "../support/statements-of-writes.ts";

/** A statement whose plan is quadratic would run for hours; this is no measure of speed. */
const GUARD = "90s";

const STATEMENTS: Readonly<Record<string, StatementAtSize>> = { ...STATEMENTS_OF_WRITES, ...STATEMENTS_OF_REPLICAS };

/**
 * Statements that are not tried here, with the reason. test/unit/statements.test.ts looks for each statement in this
 * file and in the tables of test/support/.
 */
const ELSEWHERE: Readonly<Record<string, string>> = {
  makeDeviceLogin: "a row a device, and the rights of a role",
  endDeviceLogin: "a row a device",
  deviceGroup: "reads no table",
  recordKept: "a few rows of one device",
  appendThaw: "what bump does, for an operator",
  beginSession: "one row by its key each",
  stopStagedWrites: "a row a stop",
  createRepository: "inserts",
  insertHook: "inserts, and counts a hundred hooks",
  adoptRepository: "inserts",
  giveUpSession: "one row by its key",
  landUnchanged: "one row by its key",
  stopNewWrites: "a row a stop",
  noteDropped: "inserts",
  notifyHeads: "reads no table",
  passTurn: "one row by its key",
  renewSession: "one row by its key each",
  stopRepository: "one row by its key each",
  takeOver: "one device, and its staged writes by their index",
  endWriteStops: "a row a stop",
  enqueueCommand: "inserts, and one row by its key",
  notifyCommands: "reads no table",
  releaseReplica: "one row by its key each",
  destroyReplica: "one row by its key",
  renameRepository: "a row a device, for an operator",
  recordPlace: "one row by its key",
  removeRepository: "a row a device, and the open writes of the repository by their index",
  restoreRepository: "a row a device, for an operator",
  forgetPlaces: "one row by its key",
  placeReplicas: "what want_replicas does, a page of repositories",
  drainDevice: "goes through the repositories, for an operator",
  undrainDevice: "one row by its key",
  removeDevice: "goes through the replicas of one device, for an operator",
  setDeviceWrites: "one row by its key",
  readRegistry: "the names that may connect, some thousands at most",
  listIdentities: "the names that may connect",
  listRefusedKeys: "the names that may connect, and two hundred keys that wait",
  trustKey: "the keys of one name",
  revokeKey: "the keys of one name, and the staged writes",
  insertToken: "inserts",
  enrollKey: "the keys of one name, and two hundred that wait",
  recordSeen: "rows by their keys",
  insertAudit: "inserts",
  findHolding: "two rows by their keys",
  mayWrite: "two rows by their keys, and the staged writes of a repository",
  listAudit: "a page of rows by their numbers",
  verifyAudit: "reads the whole audit, for an operator, a page at a time",
};

makeHugeDatabase();

interface Asked {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** The statements that `call` sends, each answered as always. */
async function statementsOf(call: () => Promise<unknown>): Promise<Asked[]> {
  const asked: Asked[] = [];
  const connects = [db.reads, db.work, db.lease].map((pool) => [pool, pool.connect] as const);
  for (const [pool, connect] of connects) {
    pool.connect = (async () => {
      const client = (await (connect as () => Promise<unknown>).call(pool)) as unknown as pg.PoolClient;
      const noted = (text: string, values: readonly unknown[] = []) => {
        if (!/^(begin|commit|fetch|close)/.test(text)) asked.push({ text, values });
      };
      return new Proxy(client, {
        get(target, key) {
          const method: unknown = Reflect.get(target, key);
          if (typeof method !== "function") return method;
          if (key !== "run" && key !== "query") return method.bind(target);
          return (...args: [string, unknown[]]) => {
            noted(...args);
            if (args[0].includes("lockstep.bump")) return Promise.reject(new Error("not run"));
            return method.apply(target, args);
          };
        },
      });
    }) as never;
  }
  try {
    await call();
  } finally {
    for (const [pool, connect] of connects) pool.connect = connect;
  }
  return asked;
}

interface Node {
  readonly "Actual Rows": number;
  readonly "Actual Loops": number;
  readonly "Rows Removed by Filter"?: number;
  readonly "Rows Removed by Join Filter"?: number;
  readonly Plans?: readonly Node[];
}

/** Rows that all nodes of a plan worked on: a join of everything with everything shows here, whatever it reads. */
function work(node: Node): number {
  const { "Rows Removed by Filter": filtered = 0, "Rows Removed by Join Filter": joined = 0, Plans = [] } = node;
  const own = (node["Actual Rows"] + filtered + joined) * node["Actual Loops"];
  return Plans.reduce((sum, each) => sum + work(each), own);
}

/** Runs a statement once more, and takes it back. Also what the functions that it calls read. */
async function rowsTouched(client: pg.Client, { text, values }: Asked): Promise<number> {
  await client.query(`begin; set local statement_timeout = '${GUARD}'`);
  try {
    const count = `select coalesce(sum(seq_tup_read), 0) + coalesce(sum(idx_tup_fetch), 0) as touched from pg_stat_xact_user_tables`;
    const before = await client.query<{ touched: string }>(count);
    const { rows } = await client.query<{ "QUERY PLAN": [{ Plan: Node }] }>(
      `explain (analyze, timing off, format json) ${text}`,
      values as unknown[],
    );
    const after = await client.query<{ touched: string }>(count);
    const read = Number(after.rows[0]?.touched) - Number(before.rows[0]?.touched);
    return Math.max(read, work((rows[0] as { "QUERY PLAN": [{ Plan: Node }] })["QUERY PLAN"][0].Plan));
  } finally {
    await client.query("rollback");
  }
}

/** What takes long to read is read once, and looked at each time. */
const large = new Map<string, Asked[]>();

describe.each(["without statistics", "with statistics and little memory"])("%s", (when) => {
  beforeAll(async () => {
    if (when !== "without statistics") await administer(database.url, (client) => client.query("vacuum analyze"));
  });

  it.each(Object.keys(STATEMENTS))(
    "%s touches no more rows than it must",
    async (each) => {
      const { call, rows: analyzed, untilAnalyzed } = STATEMENTS[each]!;
      const rows = (when === "without statistics" && untilAnalyzed) || analyzed;
      const asked = large.get(each) ?? (await statementsOf(call));
      if (rows >= REFS) large.set(each, asked);
      expect(asked.length).toBeGreaterThan(0);
      await administer(database.url, async (client) => {
        if (when !== "without statistics") await client.query("set work_mem = '64kB'");
        let touched = 0;
        for (const statement of asked) touched += await rowsTouched(client, statement);
        expect(touched).toBeLessThanOrEqual(rows);
      });
    },
    300_000,
  );
});

it("a plan that joins everything with everything would be noticed", async () => {
  const text = `select count(*) from (select name from lockstep.repository_ref limit 2000) f
    where f.name not in (select u.name from lockstep.ref_log_update u where u.version > $1 limit 20000)`;
  const touched = await administer(database.url, async (client) => {
    await client.query("set work_mem = '64kB'");
    return await rowsTouched(client, { text, values: [0] });
  });
  expect(touched).toBeGreaterThan(1_000_000);
});

it.each(Object.entries(ELSEWHERE))("%s is not tried here: %s", (statement) => {
  expect(STATEMENTS).not.toHaveProperty(statement);
});
