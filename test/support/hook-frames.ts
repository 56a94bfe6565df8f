// The sidecar's side of docs/hook-protocol.md, for scripted sidecars. It uses nothing from src/, so a mistake there
// shows.
import { createServer, type Socket } from "node:net";

export interface Frame {
  readonly type: string;
  readonly payload: Buffer;
}

export interface Push {
  /** The capabilities that receive-pack sends after `version=1`. */
  readonly capabilities: string;
  /** Lines of old id, new id and ref name. */
  readonly commands: readonly string[];
  readonly options: readonly string[];
}

const O_LIMIT = 1 << 20;

export function encodeFrame(type: string, payload: Buffer | string): Buffer {
  const bytes = Buffer.from(payload as string);
  const frame = Buffer.alloc(5 + bytes.length, type, "latin1");
  frame.writeUInt32BE(bytes.length, 1);
  bytes.copy(frame, 5);
  return frame;
}

function packet(line: string): string {
  return (line.length + 4).toString(16).padStart(4, "0") + line;
}

async function* framesOf(socket: Socket): AsyncGenerator<Frame> {
  const chunks = socket.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
  let rest = Buffer.alloc(0);
  const take = async (count: number): Promise<Buffer | null> => {
    while (rest.length < count) {
      const { value, done } = await chunks.next();
      if (done) return null;
      rest = Buffer.concat([rest, value]);
    }
    const taken = rest.subarray(0, count);
    rest = rest.subarray(count);
    return taken;
  };
  for (;;) {
    const header = await take(5);
    if (header === null) return;
    const payload = await take(header.readUInt32BE(1));
    if (payload === null) throw new Error("the shim ended in the middle of a frame");
    yield { type: header.toString("latin1", 0, 1), payload };
  }
}

/** One connected shim, after its hello. */
export class ShimPeer {
  readonly socket: Socket;
  readonly hello: ReadonlyMap<string, string>;
  readonly #frames: AsyncGenerator<Frame>;
  #input = Buffer.alloc(0);

  private constructor(socket: Socket, frames: AsyncGenerator<Frame>, hello: Buffer) {
    this.socket = socket;
    this.#frames = frames;
    const entries = hello.toString().split("\0").slice(0, -1);
    this.hello = new Map(entries.map((entry) => [entry.replace(/=.*/s, ""), entry.replace(/^[^=]*=/, "")]));
  }

  static async greet(socket: Socket): Promise<ShimPeer> {
    const frames = framesOf(socket);
    const { value } = await frames.next();
    if (value?.type !== "H") throw new Error(`the first frame is ${value?.type}`);
    return new ShimPeer(socket, frames, value.payload);
  }

  /** Returns the next frame, or null at the end. */
  async frame(): Promise<Frame | null> {
    const { value, done } = await this.#frames.next();
    return done ? null : value;
  }

  /** Reads until the shim ends its side. Returns the types of the frames that it read. */
  async ended(): Promise<string> {
    let types = "";
    for (let frame = await this.frame(); frame !== null; frame = await this.frame()) types += frame.type;
    return types;
  }

  send(type: string, payload: Buffer | string): void {
    this.socket.write(encodeFrame(type, payload));
  }

  /** Sends the frame `X` with the exit code, and ends the connection. */
  exit(code: number): void {
    this.socket.end(encodeFrame("X", String(code)));
  }

  /** Speaks with receive-pack as the hook does, up to the report. Returns the push. */
  async readPush(): Promise<Push> {
    const [version = ""] = await this.#packets();
    const [, capabilities = ""] = version.trimEnd().split("\0");
    const takesOptions = capabilities.includes("push-options");
    this.send("O", `${packet(`version=1\0${takesOptions ? "push-options " : ""}atomic\n`)}0000`);
    const commands = await this.#packets();
    return { capabilities, commands, options: takesOptions ? await this.#packets() : [] };
  }

  /** Reports one line a ref, such as `ok refs/heads/main`, to receive-pack. */
  report(lines: readonly string[]): void {
    const bytes = Buffer.from(`${lines.map(packet).join("")}0000`);
    for (let start = 0; start < bytes.length; start += O_LIMIT) this.send("O", bytes.subarray(start, start + O_LIMIT));
  }

  /** Reads the packets up to the next flush. */
  async #packets(): Promise<string[]> {
    const lines: string[] = [];
    for (let start = 0; ; ) {
      const length = Number.parseInt(this.#input.toString("latin1", start, start + 4) || "-1", 16);
      if (length === 0) {
        this.#input = this.#input.subarray(start + 4);
        return lines;
      }
      if (length > 0 && start + length <= this.#input.length) {
        lines.push(this.#input.toString("latin1", start + 4, start + length));
        start += length;
        continue;
      }
      const frame = await this.frame();
      if (frame?.type !== "I" || frame.payload.length === 0) throw new Error(`input ended with ${frame?.type}`);
      this.#input = Buffer.concat([this.#input, frame.payload]);
    }
  }
}

export interface ScriptedSidecar extends AsyncDisposable {
  /** Settles as the script of the first connection does. Rejects at once if there was no connection. */
  served(): Promise<void>;
}

/** Listens on `path` and runs `script` with every shim that connects. */
export async function playSidecar(
  path: string,
  script: (peer: ShimPeer) => Promise<void> | void,
): Promise<ScriptedSidecar> {
  const open = new Set<Socket>();
  let first: Promise<void> | undefined;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.on("error", () => {});
    const played = ShimPeer.greet(socket).then(script);
    played.catch(() => socket.destroy());
    first ??= played;
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    served: () => first ?? Promise.reject(new Error("no shim has connected")),
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
