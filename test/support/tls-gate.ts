// A gate over https whose users show certificates. Its files can be replaced while it runs.
import { once } from "node:events";
import { rename, writeFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { TLSSocket } from "node:tls";
import { pino } from "pino";
import type { Gate, GateOptions } from "../../src/gate/gate.ts";
import { readGateUsers } from "../../src/gate/users/read-users.ts";
import { GateSite } from "./gate-site.ts";

const REFS = "/team/app.git/info/refs?service=git-upload-pack";

const FILES = {
  "gate.pem": "gate-tls-cert",
  "gate.key": "gate-tls-key",
  "users.pem": "gate-client-ca",
  "users.crl": "gate-client-crl",
} as const;

export type TlsGateFile = keyof typeof FILES;

export class TlsGate implements AsyncDisposable {
  readonly site: GateSite;
  /** The log of the gate. */
  readonly logged: Record<string, unknown>[] = [];
  readonly #stop = new AbortController();
  #gate: Gate | undefined;

  private constructor(site: GateSite) {
    this.site = site;
  }

  /** Writes the files and starts a gate with them. */
  static async make(files: Partial<Record<TlsGateFile, string>>, options: Partial<GateOptions> = {}): Promise<TlsGate> {
    const made = new TlsGate(await GateSite.make());
    try {
      await made.#start(files, options);
      return made;
    } catch (error) {
      await made[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #start(files: Partial<Record<TlsGateFile, string>>, options: Partial<GateOptions>): Promise<void> {
    const names = Object.keys(files) as TlsGateFile[];
    for (const name of names) await this.put(name, files[name] as string);
    const paths = Object.fromEntries(names.map((name) => [FILES[name], this.#at(name)]));
    const log = pino({ level: "info" }, { write: (line: string) => void this.logged.push(JSON.parse(line)) });
    const { users, tls } = await readGateUsers({ "gate-listen": "127.0.0.1:0", ...paths }, log);
    this.#gate = await this.site.openGate({ users, ...(tls && { tls }), reloadMs: 500, log, ...options });
    void tls?.keepLooking(this.#stop.signal);
  }

  get port(): number {
    return Number(new URL((this.#gate as Gate).url).port);
  }

  /** Puts a whole file in the place of the old one, as programs that renew certificates do. */
  async put(name: TlsGateFile, content: string): Promise<void> {
    await writeFile(`${this.#at(name)}.new`, content);
    await rename(`${this.#at(name)}.new`, this.#at(name));
  }

  #at(name: string): string {
    return join(this.site.sandbox.dir, name);
  }

  /** Returns a user with one kept connection. */
  user(tls: { cert: string; key: string }): TlsUser {
    return new TlsUser(this.port, tls);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#gate?.[Symbol.asyncDispose]();
    await this.site[Symbol.asyncDispose]();
  }
}

/** A user who keeps one connection to a gate. */
export class TlsUser implements Disposable {
  /** All connections that were made. */
  readonly sockets = new Set<TLSSocket>();
  readonly #port: number;
  readonly #agent: Agent;

  constructor(port: number, tls: { cert: string; key: string }) {
    this.#port = port;
    const once = { keepAlive: true, maxSockets: 1, maxCachedSessions: 0 };
    this.#agent = new Agent({ ...tls, ...once, rejectUnauthorized: false });
  }

  /** Asks for the refs of team/app. */
  async ask(): Promise<{ status: number | undefined; said: string }> {
    const sent = request({ host: "127.0.0.1", port: this.#port, path: REFS, agent: this.#agent });
    sent.on("socket", (socket) => void this.sockets.add(socket as TLSSocket)).end();
    const [response] = await once(sent, "response");
    return { status: response.statusCode, said: await text(response) };
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}
