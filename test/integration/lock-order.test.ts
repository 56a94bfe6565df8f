// The lock order, device, repository, replica, write, turn, command (migrations/0001_tables.sql): each statement that locks rows runs
// against each other one and against itself. A gate on one row stops the first; the second runs as far as it can; then the gate opens. If
// they took rows in different orders, each would now wait for the other, and PostgreSQL would end one of them (40P01).
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Database } from "../../src/store/database/database.ts";
import { migratedDatabase, type TestDatabase } from "../support/database.ts";
import { ACTS, type Act, type Holder, type Place, place } from "../support/lock-acts.ts";

/** Rows on which a gate stops the first statement; of rows of which one may lock several, also only the last. */
const GATES: Record<string, string> = {
  device: "select from lockstep.device where name = $2 and $1::uuid is not null for update",
  repository: "select from lockstep.repository where id = $1 and $2::text is not null for update",
  replica: "select from lockstep.replica where repository_id = $1 and device = $2 for update",
  write: "select from lockstep.write where repository_id = $1 and device = $2 for update",
  "last write":
    "select from lockstep.write where repository_id = $1 and device = $2 order by id desc limit 1 for update",
  turn: "select from lockstep.turn where repository_id = $1 and $2::text is not null for update",
  "last turn":
    "select from lockstep.turn where repository_id = $1 and $2::text is not null order by ticket desc limit 1 for update",
};

/** One of the places where cases are tried, several at a time. */
class Bench implements AsyncDisposable {
  /** What PostgreSQL said to the statements of either side. */
  readonly said: string[] = [];
  readonly #sides: [Database, Database];
  readonly #gate: pg.Client;
  readonly #look: pg.Client;
  readonly #names: [string, string];

  constructor(url: string, index: number) {
    this.#names = [`first${index}`, `second${index}`];
    this.#sides = this.#names.map((applicationName) => new Database({ url, applicationName })) as [Database, Database];
    for (const side of this.#sides) for (const pool of [side.work, side.lease]) overhear(pool, this.said);
    this.#gate = new pg.Client({ connectionString: url });
    this.#look = new pg.Client({ connectionString: url });
  }

  async connect(): Promise<this> {
    await Promise.all([this.#gate.connect(), this.#look.connect()]);
    return this;
  }

  /** Runs `first` into the gate, then `second` if there is one, then opens it. Whether the gate has stopped the first. */
  async run(holder: Holder, gate: string, first: Act, second?: Act): Promise<boolean> {
    const at = await place(this.#sides[0], holder);
    await this.#gate.query("begin");
    await this.#gate.query(gate, [at.id, at.me.device]);
    const stopped: Promise<unknown>[] = [];
    const waits = await this.#started(0, first, at, stopped);
    if (waits && second) await this.#started(1, second, at, stopped);
    await this.#gate.query("rollback");
    await Promise.all(stopped);
    return waits;
  }

  /** Returns when it waits for a lock, true, or has ended, false. */
  async #started(side: 0 | 1, act: Act, at: Place, running: Promise<unknown>[]): Promise<boolean> {
    let ended = false;
    // What it answers, or that it is refused, does not matter here.
    const done = act(this.#sides[side], at)
      .catch(() => {})
      .finally(() => {
        ended = true;
      });
    running.push(done);
    while (!ended) {
      const { rowCount } = await this.#look.query(
        "select from pg_stat_activity where wait_event_type = 'Lock' and application_name like $1",
        [`lockstep ${this.#names[side]} %`],
      );
      if (rowCount !== 0 && !ended) return true;
    }
    return false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#gate.end(), this.#look.end(), ...this.#sides.map((side) => side[Symbol.asyncDispose]())]);
  }
}

/** Writes down the SQLSTATE of each error on the connections of a pool; a statement that lost a race would only run again. */
function overhear(pool: pg.Pool, said: string[]): void {
  pool.on("connect", (client) => {
    const run = (client as unknown as { run(...args: unknown[]): Promise<unknown> }).run.bind(client);
    Object.assign(client, {
      run: async (...args: unknown[]) => {
        try {
          return await run(...args);
        } catch (error) {
          said.push(String((error as { code?: unknown }).code));
          throw error;
        }
      },
    });
  });
}

let database: TestDatabase;

let benches: Bench[];

beforeAll(async () => {
  database = await migratedDatabase();
  benches = await Promise.all([0, 1, 2, 3, 4, 5].map((index) => new Bench(database.url, index).connect()));
});

afterAll(async () => {
  for (const bench of benches ?? []) await bench[Symbol.asyncDispose]();
  await database?.[Symbol.asyncDispose]();
});

/** Tries all cases on all benches; the cases after which PostgreSQL had said something. */
async function tryAll<Case>(cases: Case[], attempt: (bench: Bench, one: Case) => Promise<void>): Promise<string[]> {
  const bad: string[] = [];
  await Promise.all(
    benches.map(async (bench) => {
      for (let one = cases.shift(); one !== undefined; one = cases.shift()) {
        bench.said.length = 0;
        await attempt(bench, one);
        if (bench.said.length > 0) bad.push(`${JSON.stringify(one)}: ${bench.said.join(" ")}`);
      }
    }),
  );
  return bad;
}

const NAMES = Object.keys(ACTS);

/** The statements in ten groups, since the pairs take minutes. `.ci/run` tries one group (test/deep.mjs). */
const GROUPS = Array.from({ length: 10 }, (_, group) => NAMES.filter((_, index) => index % 10 === group));

/** Returns those of the statements and gates in which the gate stops the statement. */
async function stopsOf(holder: Holder, names: readonly string[]): Promise<[first: string, gate: string][]> {
  const stops: [first: string, gate: string][] = [];
  const alone = names.flatMap((first) => Object.keys(GATES).map((gate): [string, string] => [first, gate]));
  const failed = await tryAll(alone, async (bench, [first, gate]) => {
    if (await bench.run(holder, GATES[gate]!, ACTS[first]!)) stops.push([first, gate]);
  });
  expect(failed).toEqual([]);
  return stops;
}

it("each gate stops some statement: else it would prove nothing", async () => {
  const stops = await stopsOf("push", NAMES);
  expect(new Set(stops.map(([, gate]) => gate))).toEqual(new Set(Object.keys(GATES)));
});

describe.each<[holder: Holder, affected: string[]]>([
  ["push", NAMES],
  // The others do the same whoever has the turn.
  ["session", ["land_unchanged", "stage_write of a session", "bump"]],
  ["next", ["begin_session"]],
])("where the %s has the turn, no other statement and one of these wait for each other:", (holder, affected) => {
  it.each(GROUPS.map((names): [string, string[]] => [names.join(", "), names]))(
    "%s",
    async (_, names) => {
      const pairs = (await stopsOf(holder, names))
        .flatMap(([first, gate]) => NAMES.map((second) => ({ first, gate, second })))
        .filter(({ first, second }) => affected.includes(first) || affected.includes(second));
      const deadlocks = await tryAll(pairs, async (bench, { first, gate, second }) => {
        await bench.run(holder, GATES[gate]!, ACTS[first]!, ACTS[second]);
      });
      expect(deadlocks).toEqual([]);
    },
    600_000,
  );
});
