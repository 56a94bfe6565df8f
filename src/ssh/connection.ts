// A connection to another device over ssh, as a stream in both directions.
import type { ChildProcessByStdio } from "node:child_process";
import { Duplex, type Readable, type Writable } from "node:stream";
import { startProcess } from "../io/processes/start-process.ts";
import { type SshTarget, sshArguments } from "./options.ts";
import { whyItFailed } from "./said.ts";

/** So many characters of what ssh says are kept. */
const SAID_LIMIT = 4_000;

type Ssh = ChildProcessByStdio<Writable, Readable, Readable>;

/** Looks like a socket to Node's http. It fails with a sentence when ssh fails. */
export class SshConnection extends Duplex {
  readonly target: SshTarget;
  readonly #ssh: Ssh;
  #said = "";
  /** Something has come from the other side. */
  #heard = false;

  /** Starts ssh, which runs `command` on the other side. `path`: where the program is looked for. */
  constructor(target: SshTarget, command: string, path: string) {
    super({ allowHalfOpen: false });
    this.target = target;
    this.#ssh = startProcess("ssh", sshArguments(target, command), {
      env: { PATH: path, LC_ALL: "C" },
      stdio: ["pipe", "pipe", "pipe"],
    }) as Ssh;
    const { stdin, stdout, stderr } = this.#ssh;
    // Also where nobody uses the connection at the moment.
    this.on("error", () => {});
    stdin.on("error", () => {});
    stdout.on("data", (chunk: Buffer) => {
      this.#heard = true;
      if (!this.push(chunk)) stdout.pause();
    });
    stdout.on("error", () => {});
    stderr.on("data", (chunk: Buffer) => {
      this.#said = (this.#said + chunk.toString("utf8")).slice(-SAID_LIMIT);
    });
    this.#ssh.once("error", (cause: NodeJS.ErrnoException) =>
      this.destroy(new Error(cause.code === "ENOENT" ? "ssh is not installed here" : cause.message, { cause })),
    );
    this.#ssh.once("close", (code) => {
      const why = whyItFailed(this.#said, target.device, code);
      if (why === undefined) return void this.push(null);
      // A connection that had worked may be made again.
      this.destroy(Object.assign(new Error(why), this.#heard && { code: "ECONNRESET" }));
    });
  }

  override _read(): void {
    this.#ssh.stdout.resume();
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    const { stdin } = this.#ssh;
    // An error shows in the end of ssh, with what it said.
    if (stdin.destroyed) done(new Error("ssh has ended"));
    else stdin.write(chunk, () => done());
  }

  override _final(done: () => void): void {
    this.#ssh.stdin.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#ssh.kill("SIGKILL");
    done(error);
  }

  // Node's http calls these of every socket.
  setKeepAlive(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setTimeout(): this {
    return this;
  }
  ref(): this {
    this.#ssh.ref();
    return this;
  }
  unref(): this {
    this.#ssh.unref();
    return this;
  }
}
