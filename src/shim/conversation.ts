import type { Socket } from "node:net";
import { encodeFrames, type Frame, FrameDecoder } from "../framing/frames.ts";
import { runHook } from "./hook.ts";

const EXIT_CODE = /^(?:\d{1,2}|1\d\d|2[0-4]\d|25[0-5])$/;

/** The end of a conversation: the code of `X`, and the path of the `P` before it. */
export interface Ending {
  readonly code: number;
  readonly path: string | undefined;
}

/**
 * The frames of one connection, from the hello to `X`. Only a hook writes for git (`O`) and runs programs (`U`). Only a
 * process that becomes git gets a path (`P`), and only once.
 */
export class Conversation {
  /** Resolves when everything is written. null: the connection ended without `X`. */
  readonly ending: Promise<Ending | null>;
  readonly #socket: Socket;
  readonly #host: NodeJS.Process;
  readonly #isHook: boolean;
  #sendingHasEnded = false;
  #path: string | undefined;

  /** `host` is the process whose standard output and standard error the sidecar writes. */
  constructor(socket: Socket, host: NodeJS.Process, { isHook }: { isHook: boolean }) {
    this.#socket = socket;
    this.#host = host;
    this.#isHook = isHook;
    // The reader is gone. The sidecar learns it from the end of standard input.
    host.stdout.on("error", () => {});
    host.stderr.on("error", () => {});
    const ended = new Promise<Ending | null>((resolve) => {
      const decoder = new FrameDecoder();
      const read = (chunk: Buffer) => {
        try {
          for (const frame of decoder.push(chunk)) {
            this.#take(frame, resolve);
            if (frame.type !== "X") continue;
            // Plain bytes may follow.
            socket.off("data", read).pause();
            socket.unshift(decoder.rest);
            return;
          }
        } catch {
          socket.destroy();
        }
      };
      socket.on("data", read);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => resolve(null));
    });
    this.ending = ended.then(async (ending) => {
      // When a process ends, Node drops output that a pipe has not taken yet.
      await Promise.all([flushed(host.stdout), flushed(host.stderr)]);
      return ending;
    });
  }

  /** Sends a frame. Returns false when the caller must wait for "drain" before it sends more. */
  send(type: string, payload: Buffer): boolean {
    return this.#sendingHasEnded || this.#socket.write(encodeFrames(type, payload));
  }

  /** Tells the sidecar that nobody waits for an answer any more. */
  endSending(): void {
    if (this.#sendingHasEnded) return;
    this.#sendingHasEnded = true;
    this.#socket.end(encodeFrames("I", Buffer.alloc(0)));
  }

  #take({ type, payload }: Frame, resolve: (ending: Ending) => void): void {
    const text = payload.toString();
    if (type === "O" && this.#isHook) this.#write(this.#host.stdout, payload);
    else if (type === "E") this.#write(this.#host.stderr, payload);
    else if (type === "U" && this.#isHook) this.#answerHook(payload);
    else if (type === "P" && !this.#isHook && this.#path === undefined) this.#path = text;
    else if (type === "X" && EXIT_CODE.test(text)) resolve({ code: Number(text), path: this.#path });
    else throw new Error(`a frame of type ${type} that the protocol does not have here`);
  }

  #write(stream: NodeJS.WriteStream, payload: Buffer): void {
    const takesMore = stream.write(payload, () => takesMore || this.#socket.resume());
    if (!takesMore) this.#socket.pause();
  }

  #answerHook(payload: Buffer): void {
    if (this.#sendingHasEnded) return;
    const code = runHook(payload, (sentence) => this.#host.stderr.write(`lockstep: ${sentence}\n`));
    this.send("R", Buffer.from(String(code)));
  }
}

/** Resolves when `stream` has written everything, or never will. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write("", () => resolve()));
}
