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
   * Delays the next statement with `text` by `lateMs`, as a retransmission does. The client waits, or is cut off at
   * once. Resolves to true when the server gets the statement, or to false if `signal` aborts first.
   */
  holdUp(text: string, lateMs: number, client: "waits" | "is cut off", signal: AbortSignal): Promise<boolean>;
}

interface Hold {
  readonly text: string;
  readonly lateMs: number;
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
  const cut = () => {
    state = "cut";
    for (const [client] of pairs) client.destroy();
  };

  const server = createServer((client) => {
    if (state === "cut") return void client.destroy();
    const upstream = connect(Number(target.port), target.hostname);
    const pair = [client, upstream] as const;
    const end = () => {
      pairs.delete(pair);
      for (const socket of pair) socket.destroy();
    };
    let sprung: (() => void) | undefined;
    pairs.add(pair);
    for (const socket of pair) socket.on("error", end).on("close", end);
    client.on("data", (chunk) => {
      const hold = [...holds].find(({ text }) => chunk.includes(text));
      if (hold) {
        holds.delete(hold);
        if (hold.client === "waits") client.pause();
        else {
          // Only the client is cut off: the server still gets the statement.
          client.off("close", end).destroy();
          pairs.delete(pair);
        }
        setTimeout(() => {
          upstream.write(chunk);
          if (hold.client === "is cut off") upstream.end();
          else if (state === "open") client.resume();
          hold.sent();
        }, hold.lateMs);
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
    });
    upstream.on("data", (chunk) => {
      if (!sprung) return client.write(chunk);
      cut();
      sprung();
    });
    if (state === "stalled") for (const socket of pair) socket.pause();
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
      for (const socket of [...pairs].flat()) socket.pause();
    },
    mend() {
      state = "open";
      for (const socket of [...pairs].flat()) socket.resume();
    },
    async cutAt(text, moment) {
      await new Promise<void>((resolve) => {
        trap = { text, moment, sprung: resolve };
      });
    },
    async holdUp(text, lateMs, client, signal) {
      return await new Promise<boolean>((resolve) => {
        const hold: Hold = { text, lateMs, client, sent: () => resolve(true) };
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
