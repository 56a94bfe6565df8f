// The fast path between devices: a pack over kept-alive https with mutual TLS. No negotiation and no refs, only ids from the log.
import { Agent, request } from "node:https";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import type { PeerCertificate, SecureContextOptions } from "node:tls";
import { LockstepError } from "../../errors.ts";
import { certificateIdentity } from "../../identity.ts";

/** Where a peer takes pack requests, and the header that says which device it must be. */
export const PACK_PATH = "/v1/pack";

export interface PackRequestBody {
  readonly repositoryId: string;
  readonly wants: readonly string[];
  readonly haves: readonly string[];
}

export class PackClient {
  readonly #agent: Agent;
  readonly #tls: SecureContextOptions;
  readonly #trustDomain: string;

  constructor(tls: SecureContextOptions, trustDomain: string) {
    this.#tls = tls;
    this.#trustDomain = trustDomain;
    this.#agent = new Agent({ keepAlive: true, maxFreeSockets: 4 });
  }

  /**
   * Asks the device at `address` (host:port) for a pack. The stream fails if the pack is cut off. Throws SOURCE_FAILED when the
   * device cannot be reached, is not the one it should be, or refuses.
   */
  async open(device: string, address: string, body: PackRequestBody, signal: AbortSignal): Promise<Readable> {
    const failed = (why: string, cause?: unknown) =>
      new LockstepError("SOURCE_FAILED", why, { cause, details: { device } });
    return await new Promise<Readable>((resolve, reject) => {
      const options = {
        ...this.#tls,
        method: "POST",
        agent: this.#agent,
        minVersion: "TLSv1.3" as const,
        // Whoever answers must prove to be that device; under which host name it is reached proves nothing.
        checkServerIdentity: (_: string, certificate: PeerCertificate) => this.#wrongDevice(device, certificate),
        servername: device,
        headers: { "content-type": "application/json" },
        signal,
      };
      const call = request(`https://${address}${PACK_PATH}`, options);
      call.once("error", (error) => reject(failed(error.message, error)));
      call.once("response", (response) => {
        if (response.statusCode === 200) return resolve(response);
        text(response).then(
          (said) => reject(failed(said.trim().slice(0, 300) || `it answered ${response.statusCode}`)),
          (error: unknown) => reject(failed("it broke off its answer", error)),
        );
      });
      call.end(JSON.stringify(body));
    });
  }

  #wrongDevice(device: string, certificate: PeerCertificate): Error | undefined {
    const identity = certificateIdentity(certificate.subjectaltname, this.#trustDomain);
    const right = identity?.role === "device" && identity.name === device;
    return right ? undefined : new Error(`its certificate is not that of device ${device}`);
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}
