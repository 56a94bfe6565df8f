import { spawnSync } from "node:child_process";
import type { Socket } from "node:net";
import { constants } from "node:os";
import { encodeFrame, type Frame, FrameDecoder } from "./frames.ts";

/** What `X` said, and the path of the `P` before it. */
export interface Ending {
  readonly code: number;
  readonly path: string | undefined;
}

/** The frames of one connection, from the hello to `X`. */
export class Conversation {
  /** null: the connection ended without `X`. */
  readonly ending: Promise<Ending | null>;
  /** Nobody reads standard error any more, and a full pipe would stay full. */
  clientIsGone = false;
  readonly #socket: Socket;
  readonly #host: NodeJS.Process;
  #sendingHasEnded = false;
  #path: string | undefined;

  /** `host` is the process whose standard output and error the sidecar writes. */
  constructor(socket: Socket, host: NodeJS.Process) {
    this.#socket = socket;
    this.#host = host;
    // receive-pack may be gone; the sidecar learns that from the end of standard input.
    host.stdout.on("error", () => {});
    host.stderr.on("error", () => {});
    this.ending = new Promise((resolve) => {
      const decoder = new FrameDecoder();
      socket.on("data", (chunk) => {
        try {
          for (const frame of decoder.push(chunk)) this.#take(frame, resolve);
        } catch {
          socket.destroy();
        }
      });
      socket.on("error", () => socket.destroy());
      socket.on("close", () => resolve(null));
    });
  }

  /** False: wait for "drain" before sending more. */
  send(type: string, payload: Buffer): boolean {
    return this.#sendingHasEnded || this.#socket.write(encodeFrame(type, payload));
  }

  /** Tells the sidecar that nobody waits for an answer any more. */
  endSending(): void {
    if (this.#sendingHasEnded) return;
    this.#sendingHasEnded = true;
    this.#socket.end(encodeFrame("I", Buffer.alloc(0)));
  }

  #take({ type, payload }: Frame, resolve: (ending: Ending) => void): void {
    if (type === "O") this.#host.stdout.write(payload);
    else if (type === "E") this.clientIsGone || this.#host.stderr.write(payload);
    else if (type === "U") this.#sendingHasEnded || this.send("R", Buffer.from(`${this.#runHook(payload)}`));
    else if (type === "P") this.#path = payload.toString();
    else if (type === "X" && /^\d{1,3}$/.test(payload.toString("latin1")))
      resolve({ code: Number(payload.toString("latin1")), path: this.#path });
    else throw new Error(`a frame of type ${type} that the protocol does not have`);
  }

  /** Runs the hook in the environment that git gave this one, and returns its exit code. */
  #runHook(payload: Buffer): number {
    const complain = (why: string): void => {
      this.#host.stderr.write(`lockstep: the hook ${payload.toString().split("\0")[0]} cannot be run: ${why}.\n`);
    };
    let program: string | undefined;
    let args: string[];
    try {
      // Node passes arguments as UTF-8 only, and a hook that judges another ref than the pushed one is worse than none.
      [program, ...args] = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(payload).split("\0");
    } catch {
      complain("its arguments are not UTF-8, which needs the native shim (install a C compiler and build again)");
      return 126;
    }
    const { status, signal, error } = spawnSync(program ?? "", args.slice(0, -1), { stdio: ["ignore", 2, 2] });
    if (error) complain(error.message);
    if (signal) return 128 + constants.signals[signal];
    return status ?? 126;
  }
}
