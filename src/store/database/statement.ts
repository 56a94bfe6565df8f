// Sends a statement to the server in a transaction of its own. Its isolation and time limits do not depend on the
// defaults of the role, the database or the server. All messages go out at once and are answered at once, so this costs
// one round trip. It works through a pooler in transaction mode, where startup parameters and session settings would be
// lost (docs/decisions/0007).
import pg from "pg";

// Makes a commit wait for the disk and for the synchronous standby, if the default of this user, database or server
// would not. The operator may choose a level that waits for more, or for less of the standby. This costs 30 µs, ten
// times a `set local`. A transaction that writes nothing never waits. So a statement whose answer the standby must have
// also changes or locks a row.
export const WAIT_FOR_STANDBY =
  "select set_config('synchronous_commit', 'on', true) where current_setting('synchronous_commit') in ('off', 'local')";

/**
 * Returns the settings of the transaction. The server itself must end a statement that takes too long: a client that
 * gives up does not stop it.
 */
function settings(limitMs: number): string[] {
  return [
    `set local statement_timeout = ${limitMs}`,
    "set local lock_timeout = 0",
    // A statement touches few rows, even if the planner expects many. To compile it takes longer than to run it.
    "set local jit = off",
  ];
}

function preamble({ limitMs, provesNothing = false }: FramingOptions): string[] {
  // With another default, two writes at once would fail with 40001 instead of waiting for each other.
  const begin = ["begin isolation level read committed", ...settings(limitMs)];
  return provesNothing ? begin : [...begin, WAIT_FOR_STANDBY];
}

/**
 * Returns the message that begins a transaction whose statements all see the same moment. One message, because a server
 * may end transactions that idle.
 */
export function beginSnapshot(limitMs: number): string {
  const begin = "begin isolation level repeatable read, read only, not deferrable";
  return [begin, ...settings(limitMs), "set local idle_in_transaction_session_timeout = 0"].join("; ");
}

export interface FramingOptions {
  /** 0: the server never ends the statement. */
  readonly limitMs: number;
  /** The commit need not wait for a standby: see `StatementOptions`. */
  readonly provesNothing?: boolean;
}

/** The parts of pg that its types leave out. */
interface Wire {
  parse(message: { text: string }): void;
  bind(message: object): void;
  execute(message: object): void;
  sync(): void;
  readonly stream: { readonly writable: boolean; write(bytes: Buffer): unknown };
}
interface QueryParts {
  handleCommandComplete(message: object, wire: Wire): void;
  handleDataRow(message: object): void;
  prepare(wire: Wire): void;
}
type Callback = (error: Error | undefined, result: pg.QueryResult) => void;
const Query = pg.Query as unknown as new (text: string, values: readonly unknown[], done: Callback) => QueryParts;

class Framed extends Query {
  readonly #before: readonly string[];
  #completed = 0;

  constructor(text: string, values: readonly unknown[], options: FramingOptions, done: Callback) {
    super(text, values, done);
    this.#before = preamble(options);
  }

  requiresPreparation(): boolean {
    return true;
  }

  override prepare(wire: Wire): void {
    sendKept(wire, this.#before.join(";"), (recorder) => {
      for (const text of this.#before) send(recorder, text);
    });
    super.prepare(wire);
  }

  /** Runs the statement. `prepare` calls it once the statement has been described. */
  _getRows(wire: Wire): void {
    wire.execute({});
    sendKept(wire, "commit", (recorder) => {
      send(recorder, "commit");
      recorder.sync();
    });
  }

  override handleDataRow(message: object): void {
    if (this.#completed === this.#before.length) super.handleDataRow(message);
  }

  override handleCommandComplete(message: object, wire: Wire): void {
    if (this.#completed === this.#before.length) super.handleCommandComplete(message, wire);
    this.#completed += 1;
  }
}

/** The bytes of messages that are the same in each statement. To make them anew costs more than to send them. */
const kept = new Map<string, Buffer>();

/** Sends the messages that `write` sends. The same `key` stands for the same messages always. */
function sendKept(wire: Wire, key: string, write: (recorder: Wire) => void): void {
  const bytes = kept.get(key) ?? recorded(write);
  kept.set(key, bytes);
  if (wire.stream.writable) wire.stream.write(bytes);
}

/** Returns the bytes of the messages that `write` sends. */
function recorded(write: (recorder: Wire) => void): Buffer {
  const sent: Buffer[] = [];
  const stream = { writable: true, write: (bytes: Buffer) => sent.push(bytes) };
  write(Object.assign(Object.create(pg.Connection.prototype) as Wire, { stream }));
  return Buffer.concat(sent);
}

function send(wire: Wire, text: string): void {
  wire.parse({ text });
  wire.bind({});
  wire.execute({});
}

/**
 * A connection whose statements go out like this. After a statement that failed its state is unknown: the caller must
 * close it.
 */
export class StatementClient extends pg.Client {
  /** Runs one statement and commits it. */
  async run<Row extends pg.QueryResultRow>(
    text: string,
    values: readonly unknown[],
    options: FramingOptions,
  ): Promise<pg.QueryResult<Row>> {
    return await new Promise((resolve, reject) => {
      const statement = new Framed(text, values, options, (error, result) => (error ? reject(error) : resolve(result)));
      this.query(statement as unknown as pg.Submittable);
    });
  }
}
