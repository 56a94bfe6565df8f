// Kept connections to other devices, for Node's https. They end with their certificates, as connections here do.
import { X509Certificate } from "node:crypto";
import { Agent } from "node:https";
import type { Duplex } from "node:stream";
import type { SecureContextOptions, TLSSocket } from "node:tls";
import { drainAgent } from "../io/connections.ts";
import { connectToPeer, endOf, type PeerAddress, type ServerKey } from "./connect.ts";
import type { PeerCertificate } from "./peer-certificate.ts";

export type { ServerKey };

const MAX_FREE = 4;
/** Requests at once to one device. Half of what its git port takes, since new credentials make a second agent. */
const MAX_OPEN = 64;
const SWEEP_MS = 1_000;

type Made = (socket: TLSSocket, certificate: PeerCertificate) => void;

/** The connections to one device with one set of credentials. */
export class PeerAgent extends Agent {
  readonly #peer: Omit<PeerAddress, "host" | "port">;
  readonly #onMade: Made;

  constructor(peer: Omit<PeerAddress, "host" | "port">, keepAlive: boolean, onMade: Made) {
    super({ keepAlive, maxFreeSockets: MAX_FREE, maxSockets: MAX_OPEN });
    this.#peer = peer;
    this.#onMade = onMade;
  }

  /** When the certificate that this side shows ends, in milliseconds since 1970. */
  get ownEnd(): number {
    const { cert } = this.#peer.tls;
    return cert === undefined ? Number.POSITIVE_INFINITY : Date.parse(new X509Certificate(String(cert)).validTo);
  }

  /** As Agent has it: Node calls this for each new connection. */
  override createConnection(
    { host, port }: { host?: string | null; port?: number | string | null },
    done: (error: Error | null, socket: Duplex) => void,
  ): undefined {
    const address = { ...this.#peer, host: host ?? "localhost", port: Number(port ?? 443) };
    connectToPeer(address, (error, socket, certificate) => {
      if (socket !== undefined && certificate !== undefined) this.#onMade(socket, certificate);
      done(error, socket as unknown as Duplex);
    });
  }
}

/** The agents of all devices. */
export class PeerAgents {
  readonly #trustDomain: string;
  readonly #refuses: PeerAddress["refuses"];
  readonly #agents = new Map<string, PeerAgent>();
  readonly #open = new Map<TLSSocket, PeerCertificate>();
  readonly #sweep: NodeJS.Timeout;
  #tls: SecureContextOptions;

  constructor(tls: SecureContextOptions, trustDomain: string, refuses: PeerAddress["refuses"]) {
    this.#tls = tls;
    this.#trustDomain = trustDomain;
    this.#refuses = refuses;
    this.#sweep = setInterval(() => this.checkAgain(), SWEEP_MS).unref();
  }

  of(device: string): PeerAgent {
    const agent = this.#agents.get(device) ?? this.#agentOf(device, true);
    this.#agents.set(device, agent);
    return agent;
  }

  /** An agent whose one request takes a new connection. */
  fresh(device: string): PeerAgent {
    return this.#agentOf(device, false);
  }

  /** Uses these credentials for new requests. Running ones go on for up to `graceMs` over the old connections. */
  use(tls: SecureContextOptions, graceMs: number): void {
    this.#tls = tls;
    for (const agent of this.#agents.values()) drainAgent(agent, graceMs);
    this.#agents.clear();
  }

  /** Cuts the connections to devices whose keys are not trusted any more or whose certificates have ended. */
  checkAgain(): void {
    for (const [socket, certificate] of this.#open) {
      const { identity, key } = certificate;
      const ended = endOf(certificate, identity?.name ?? "");
      const refusal = ended === undefined ? identity && this.#refuses({ identity, key }) : new Error(ended);
      if (refusal !== undefined) socket.destroy(refusal);
    }
  }

  #agentOf(device: string, keepAlive: boolean): PeerAgent {
    const peer = { tls: this.#tls, device, trustDomain: this.#trustDomain, refuses: this.#refuses };
    return new PeerAgent(peer, keepAlive, (socket, certificate) => {
      this.#open.set(socket, certificate);
      socket.once("close", () => this.#open.delete(socket));
    });
  }

  [Symbol.dispose](): void {
    clearInterval(this.#sweep);
    for (const socket of this.#open.keys()) socket.destroy();
    for (const agent of this.#agents.values()) agent.destroy();
  }
}
