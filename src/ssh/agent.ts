// Kept connections to other devices over ssh, for Node's http.
import { Agent, type ClientRequestArgs } from "node:http";
import type { Duplex } from "node:stream";
import { SshConnection } from "./connection.ts";
import type { SshTarget } from "./options.ts";

const MAX_FREE = 4;
/** The command for sshd (docs/hook-protocol.md). */
const COMMAND = "lockstep-peer";

/** Returns how a device is reached at `user@host:port`. Throws LockstepError. */
export type FindTarget = (device: string, address: string) => Promise<SshTarget>;

/** The options of a request to a device. */
export interface SshRequest extends ClientRequestArgs {
  readonly device: string;
  readonly sshAddress: string;
}

export interface SshAgentOptions {
  readonly find: FindTarget;
  /** Where ssh is looked for. */
  readonly path: string;
  readonly onMade: (connection: SshConnection) => void;
  readonly keepAlive: boolean;
}

export class SshAgent extends Agent {
  readonly #options: SshAgentOptions;

  constructor(options: SshAgentOptions) {
    super({ keepAlive: options.keepAlive, maxFreeSockets: MAX_FREE });
    this.#options = options;
  }

  /** As Agent has it: Node calls this for each new connection. */
  override createConnection(
    options: ClientRequestArgs,
    done?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    const { find, path, onMade } = this.#options;
    const { device, sshAddress } = options as SshRequest;
    find(device, sshAddress)
      .then((target) => new SshConnection(target, COMMAND, path))
      .then(
        (connection) => {
          onMade(connection);
          done?.(null, connection);
        },
        (error: Error) => done?.(error, undefined as unknown as Duplex),
      );
  }

  /** As Agent has it: connections with the same name serve the same requests. */
  override getName(options: ClientRequestArgs = {}): string {
    const { device, sshAddress } = options as SshRequest;
    return `${device} ${sshAddress}`;
  }
}
