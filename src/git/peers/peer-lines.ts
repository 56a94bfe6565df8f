// The ways to other devices: https with mutual TLS, and ssh. Both carry the same requests, over kept connections.
import type { RequestOptions } from "node:https";
import type { SecureContextOptions } from "node:tls";
import { drainAgent } from "../../io/connections.ts";
import { SshAgent, type SshAgentOptions, type SshRequest } from "../../ssh/agent.ts";
import type { SshConnection } from "../../ssh/connection.ts";
import type { SshTarget } from "../../ssh/options.ts";
import { type PeerAgent, PeerAgents, type ServerKey } from "../../tls/peer-agent.ts";
import { instant } from "../../tls/peer-certificate.ts";

export interface PeerLine extends Disposable {
  /** Returns the options of a request to `device` at `address`. `fresh`: over a new connection. */
  to(device: string, address: string, fresh: boolean): RequestOptions;
  /** Returns why the device may have hung up without an answer. */
  whyHungUp(device: string): string;
  /** Cuts the connections to devices whose keys are not trusted any more. */
  checkAgain(): void;
}

/** https. Addresses are host:port. */
export class TlsLine implements PeerLine {
  readonly #agents: PeerAgents;

  /** `refuses`: returns why nothing is asked of a device with that key. */
  constructor(
    tls: SecureContextOptions,
    trustDomain: string,
    refuses: (shown: ServerKey) => Error | undefined = () => undefined,
  ) {
    this.#agents = new PeerAgents(tls, trustDomain, refuses);
  }

  /** Uses these credentials for new requests. Running ones go on for up to `graceMs` over the old connections. */
  use(tls: SecureContextOptions, graceMs: number): void {
    this.#agents.use(tls, graceMs);
  }

  to(device: string, address: string, fresh: boolean): RequestOptions {
    const agent: PeerAgent = fresh ? this.#agents.fresh(device) : this.#agents.of(device);
    const { hostname, port } = new URL(`https://${address}`);
    return { protocol: "https:", host: hostname.replace(/^\[|\]$/g, ""), port: port || 443, agent };
  }

  whyHungUp(device: string): string {
    const { ownEnd } = this.#agents.of(device);
    if (Date.now() > ownEnd)
      return `it hung up: the certificate of this device ended at ${instant(ownEnd)}; put a new one in its place`;
    return "it hung up without an answer (socket hang up); its log says why";
  }

  checkAgain(): void {
    this.#agents.checkAgain();
  }

  [Symbol.dispose](): void {
    this.#agents[Symbol.dispose]();
  }
}

/** ssh. Addresses are user@host:port. */
export class SshLine implements PeerLine {
  readonly #agent: (keepAlive: boolean) => SshAgent;
  #kept: SshAgent;
  readonly #fresh: SshAgent;
  readonly #refuses: (target: SshTarget) => Error | undefined;
  readonly #open = new Set<SshConnection>();

  /** `refuses`: returns why this device no longer asks that peer. */
  constructor(options: Pick<SshAgentOptions, "find" | "path">, refuses: (target: SshTarget) => Error | undefined) {
    this.#refuses = refuses;
    const onMade = (connection: SshConnection) => {
      this.#open.add(connection);
      connection.once("close", () => this.#open.delete(connection));
    };
    this.#agent = (keepAlive) => new SshAgent({ ...options, onMade, keepAlive });
    this.#kept = this.#agent(true);
    this.#fresh = this.#agent(false);
  }

  to(device: string, sshAddress: string, fresh: boolean): RequestOptions & SshRequest {
    return { protocol: "http:", host: device, device, sshAddress, agent: fresh ? this.#fresh : this.#kept };
  }

  /** Uses a new key for new requests. Running ones go on for up to `graceMs` over the old connections. */
  renew(graceMs: number): void {
    drainAgent(this.#kept, graceMs);
    this.#kept = this.#agent(true);
  }

  whyHungUp(): string {
    return "its sidecar hung up without an answer; its log says why";
  }

  checkAgain(): void {
    for (const connection of this.#open) {
      const refusal = this.#refuses(connection.target);
      if (refusal !== undefined) connection.destroy(refusal);
    }
  }

  [Symbol.dispose](): void {
    for (const connection of this.#open) connection.destroy();
    this.#kept.destroy();
    this.#fresh.destroy();
  }
}
