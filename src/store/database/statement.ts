// How a statement goes to the server: in a transaction of its own whose isolation and time limits do not depend on what the role, the
// database or the server have as defaults. All of it goes out at once and is answered at once, so it costs one round trip; a pooler in
// transaction mode passes it on, which startup parameters and settings of a session would not survive (docs/decisions/0007).
import pg from "pg";

/** Settings of the transaction. The server itself ends a statement that takes longer: a client that gives up does not stop it. */
function preamble(limitMs: number): string[] {
  return [
    // With another default, two writes at once would fail with 40001 instead of waiting for each other.
    "begin isolation level read committed",
    `set local statement_timeout = ${limitMs}`,
    "set local lock_timeout = 0",
  ];
}

/** Begins a transaction whose statements all see the same moment. In one message, as a server may end those that idle. */
export function beginSnapshot(limitMs: number): string {
  const settings = [`statement_timeout = ${limitMs}`, "lock_timeout = 0", "idle_in_transaction_session_timeout = 0"];
  const begin = "begin isolation level repeatable read, read only, not deferrable";
  return [begin, ...settings.map((setting) => `set local ${setting}`)].join("; ");
}

/** The parts of pg that its types leave out. */
interface Wire {
  parse(message: { text: string }): void;
  bind(message: object): void;
  execute(message: object): void;
  sync(): void;
}
interface QueryParts {
  handleCommandComplete(message: object, wire: Wire): void;
  prepare(wire: Wire): void;
}
type Callback = (error: Error | undefined, result: pg.QueryResult) => void;
const Query = pg.Query as unknown as new (text: string, values: readonly unknown[], done: Callback) => QueryParts;

class Framed extends Query {
  readonly #before: readonly string[];
  #completed = 0;

  constructor(text: string, values: readonly unknown[], limitMs: number, done: Callback) {
    super(text, values, done);
    this.#before = preamble(limitMs);
  }

  requiresPreparation(): boolean {
    return true;
  }

  override prepare(wire: Wire): void {
    for (const text of this.#before) send(wire, text);
    super.prepare(wire);
  }

  /** Called by `prepare` when the statement has been described: runs it. */
  _getRows(wire: Wire): void {
    wire.execute({});
    send(wire, "commit");
    wire.sync();
  }

  override handleCommandComplete(message: object, wire: Wire): void {
    if (this.#completed === this.#before.length) super.handleCommandComplete(message, wire);
    this.#completed += 1;
  }
}

function send(wire: Wire, text: string): void {
  wire.parse({ text });
  wire.bind({});
  wire.execute({});
}

/** A connection whose statements are framed so. After one that failed it is in an unknown state, and to be thrown away. */
export class StatementClient extends pg.Client {
  /** Runs one statement and commits it. `limitMs` 0: the server never ends it. */
  async run<Row extends pg.QueryResultRow>(
    text: string,
    values: readonly unknown[],
    limitMs: number,
  ): Promise<pg.QueryResult<Row>> {
    return await new Promise((resolve, reject) => {
      const statement = new Framed(text, values, limitMs, (error, result) => (error ? reject(error) : resolve(result)));
      this.query(statement as unknown as pg.Submittable);
    });
  }
}
