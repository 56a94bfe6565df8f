// A stretch of the way to the database, to be cut, stalled and mended.
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface DatabaseProxy extends AsyncDisposable {
  /** The database's URL by this way. */
  readonly url: string;
  /** Breaks every connection and refuses new ones. */
  cut(): void;
  /** Nothing moves any more, and nobody is told. */
  stall(): void;
  /** Breaks every connection; new ones lead to another server. */
  retarget(url: string): void;
  /** New connections lead to another server; those that are open stay. */
  redirect(url: string): void;
  /** As before; what was stalled goes on. */
  mend(): void;
  /**
   * The next time that a client sends `text` everything breaks as with `cut`: before the server has it, or when its answer is
   * under way. Resolves when that has happened.
   */
  cutAt(text: string, moment: "question" | "answer"): Promise<void>;
  /**
   * The next time that a client sends `text` it reaches the server only after `lateMs`, as after a retransmission. The client waits,
   * or is cut off at once and hears nothing of it. Resolves when the server has been sent it, or with false when `signal` aborts before.
   */
  holdUp(text: string, lateMs: number, client: "waits" | "is cut off", signal: AbortSignal): Promise<boolean>;
}

interface Hold {
  readonly text: string;
  readonly lateMs: number;
  readonly client: "waits" | "is cut off";
  readonly sent: () => void;
}

/** Opens a way to the database of `url`. */
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
          // The server still gets what the client has sent.
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
