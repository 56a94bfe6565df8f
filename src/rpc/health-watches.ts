// The Watch calls of the health service. Any valid certificate may make them and they never end by themselves, so each
// certificate may have a few.
import {
  type handleServerStreamingCall,
  type Server,
  type ServerWritableStream,
  status,
  type UntypedHandleCall,
} from "@grpc/grpc-js";

type Watch = ServerWritableStream<unknown, unknown>;

/** Watch calls of one certificate, and of all that name nobody together. */
const EACH = 100;

export class Watches {
  readonly #keyOf: (certificate: object) => string;
  readonly #open = new Map<Watch, string>();

  /** `keyOf`: returns a text for a certificate. */
  constructor(keyOf: (certificate: object) => string) {
    this.#keyOf = keyOf;
  }

  /** Wraps `server`, so that the Watch calls of a service added to it are kept and limited. */
  keptOf(server: Pick<Server, "addService">): Pick<Server, "addService"> {
    return {
      addService: (service, { watch, ...handlers }) => {
        const watched = (call: Watch) => {
          if (this.#take(call)) (watch as handleServerStreamingCall<unknown, unknown>)(call);
        };
        server.addService(service, { ...handlers, watch: watched as UntypedHandleCall });
      },
    };
  }

  #take(call: Watch): boolean {
    const certificate = call.getAuthContext().sslPeerCertificate;
    const key = certificate === undefined ? "local" : this.#keyOf(certificate);
    const count = [...this.#open.values()].filter((each) => each === key).length;
    if (count >= EACH) {
      const details = `This certificate has ${EACH} health watches already, which is the limit; end one, or call Check.`;
      call.emit("error", { code: status.RESOURCE_EXHAUSTED, details });
      return false;
    }
    this.#open.set(call, key);
    call.once("cancelled", () => this.#open.delete(call));
    return true;
  }

  /** Ends all calls. A server waits for its calls when it stops. */
  end(): void {
    for (const call of this.#open.keys()) call.end();
  }
}
