// A proxy before the database, which a test can cut, stall and mend.
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface DatabaseProxy extends AsyncDisposable {
  /** The URL of the database through the proxy. */
  readonly url: string;
  /** Breaks every connection and refuses new ones. */
  cut(): void;
  /** Stops all data without closing a connection. */
  stall(): void;
  /** Resolves when the cut or the stall has held somebody up: it refused a connection, or it keeps data back. */
  noticed(): Promise<void>;
  /** Breaks every connection. New connections lead to the server of `url`. */
  retarget(url: string): void;
  /** Leads new connections to the server of `url`. Open connections stay. */
  redirect(url: string): void;
  /** Ends a cut or a stall. Stalled data moves on. */
  mend(): void;
  /**
   * Cuts as `cut` does when a client next sends `text`: before the server gets it ("question"), or when the server
   * answers ("answer"). Resolves when that has happened.
   */
  cutAt(text: string, moment: "question" | "answer"): Promise<void>;
  /**
   * Delays the next statement with `text` until `until` resolves, as a retransmission does. The client waits, or is cut
   * off at once. Resolves to true when the server gets the statement, or to false if `signal` aborts before it comes.
   */
  holdUp(
    text: string,
    until: () => Promise<unknown>,
    client: "waits" | "is cut off",
    signal: AbortSignal,
  ): Promise<boolean>;
}

interface Hold {
  readonly text: string;
  readonly until: () => Promise<unknown>;
  readonly client: "waits" | "is cut off";
  readonly sent: () => void;
}

/** Starts a proxy before the database of `url`. */
export async function databaseProxy(url: string): Promise<DatabaseProxy> {
  let target = new URL(url);
  const pairs = new Set<readonly [Socket, Socket]>();
  let state: "open" | "cut" | "stalled" = "open";
  let trap: { text: string; moment: "question" | "answer"; sprung: () => void } | undefined;
  const holds = new Set<Hold>();
  /** Moves on the data that a stall keeps back, the oldest first. */
  let stalled: (() => void)[] = [];
  let noticed = () => {};
  const unlessStalled = (move: (chunk: Buffer) => void) => (chunk: Buffer) => {
    if (state !== "stalled") return move(chunk);
    stalled.push(() => move(chunk));
    noticed();
  };
  const cut = () => {
    state = "cut";
    stalled = [];
    for (const socket of [...pairs].flat()) socket.destroy();
  };

  const server = createServer((client) => {
    if (state === "cut") {
      client.destroy();
      return noticed();
    }
    const upstream = connect(Number(target.port), target.hostname);
    const pair = [client, upstream] as const;
    const end = () => {
      pairs.delete(pair);
      for (const socket of pair) socket.destroy();
    };
    let sprung: (() => void) | undefined;
    pairs.add(pair);
    // In a stall the other side does not learn that this one has given up.
    const close = () => (state === "stalled" ? void stalled.push(end) : end());
    for (const socket of pair) socket.on("error", close).on("close", close);
    const ask = (chunk: Buffer) => {
      const hold = [...holds].find(({ text }) => chunk.includes(text));
      if (hold) {
        holds.delete(hold);
        if (hold.client === "waits") client.pause();
        else {
          // Only the client is cut off: the server still gets the statement.
          client.off("close", close).destroy();
          pairs.delete(pair);
        }
        void hold.until().then(() => {
          upstream.write(chunk);
          if (hold.client === "is cut off") upstream.end();
          else client.resume();
          hold.sent();
        });
        return;
      }
      if (trap && chunk.includes(trap.text)) {
        const { moment } = trap;
        sprung = trap.sprung;
        trap = undefined;
        if (moment === "question") {
          cut();
          return sprung();
        }
      }
      upstream.write(chunk);
    };
    const answer = (chunk: Buffer) => {
      if (!sprung) return void client.write(chunk);
      cut();
      sprung();
    };
    client.on("data", unlessStalled(ask));
    upstream.on("data", unlessStalled(answer));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  const proxied = new URL(url);
  proxied.port = String((server.address() as AddressInfo).port);
  return {
    url: proxied.href,
    cut,
    retarget(other) {
      cut();
      target = new URL(other);
      state = "open";
    },
    redirect(other) {
      target = new URL(other);
    },
    stall() {
      state = "stalled";
    },
    async noticed() {
      if (stalled.length > 0) return;
      await new Promise<void>((resolve) => {
        noticed = resolve;
      });
    },
    mend() {
      state = "open";
      for (const move of stalled.splice(0)) move();
    },
    async cutAt(text, moment) {
      await new Promise<void>((resolve) => {
        trap = { text, moment, sprung: resolve };
      });
    },
    async holdUp(text, until, client, signal) {
      return await new Promise<boolean>((resolve) => {
        const hold: Hold = { text, until, client, sent: () => resolve(true) };
        holds.add(hold);
        signal.addEventListener("abort", () => holds.delete(hold) && resolve(false), { once: true });
      });
    },
    async [Symbol.asyncDispose]() {
      cut();
      server.close();
      await once(server, "close");
    },
  };
}
