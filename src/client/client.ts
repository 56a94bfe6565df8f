// The client that front ends and the command line use to call a sidecar. It throws a LockstepError with the code of the
// sidecar's error.
import {
  credentials,
  Client as GrpcClient,
  type MethodDefinition,
  type ServiceError,
  status,
  type VerifyOptions,
} from "@grpc/grpc-js";
import type { MethodDefinition as TypedMethod } from "@grpc/proto-loader";
import { LockstepError } from "../errors.ts";
import type { ClusterServiceDefinition } from "../generated/lockstep/v1/ClusterService.ts";
import type { SyncServiceDefinition } from "../generated/lockstep/v1/SyncService.ts";
import { DETAILS_KEY, decodeDetails } from "../protocol/error-details.ts";
import { loadServices } from "../protocol/proto.ts";
import { certificateIdentity } from "../tls/identity.ts";

export type Endpoint =
  /** The unix socket of the sidecar on this machine. */
  | { readonly socket: string }
  /**
   * The gRPC address of a device, with this caller's credentials as PEM. The certificate of the server must be that of
   * `device`; without `device`, that of any device of the trust domain.
   */
  | {
      readonly address: string;
      readonly ca: string;
      readonly cert: string;
      readonly key: string;
      readonly trustDomain: string;
      readonly device?: string;
    };

type Definitions = SyncServiceDefinition & ClusterServiceDefinition;
type Name = keyof Definitions & string;
type RequestOf<N extends Name> =
  Definitions[N] extends TypedMethod<infer Request, infer _, infer __, infer ___> ? Request : never;
type ResponseOf<N extends Name> =
  Definitions[N] extends TypedMethod<infer _, infer __, infer ___, infer Response> ? Response : never;

export interface Call {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

// While a channel waits before it connects again, every call fails. By default the wait grows to two minutes, and a
// gate could not reach its restarted sidecar for as long. On a unix socket a connection attempt costs nothing.
const SOCKET_BACK_OFF_MS = 50;
const BACK_OFF_MS = 1_000;

/** A connection to one sidecar. The first call connects. */
export class Client {
  readonly #client: GrpcClient;
  readonly #methods: ReadonlyMap<string, MethodDefinition<object, object>>;

  constructor(endpoint: Endpoint) {
    const [address, channel] = channelOf(endpoint);
    const backOff = "socket" in endpoint ? SOCKET_BACK_OFF_MS : BACK_OFF_MS;
    this.#client = new GrpcClient(address, channel, {
      "grpc.service_config_disable_resolution": 1,
      "grpc.initial_reconnect_backoff_ms": SOCKET_BACK_OFF_MS,
      "grpc.max_reconnect_backoff_ms": backOff,
    });
    const services = Object.values(loadServices());
    this.#methods = new Map(
      services.flatMap(({ service }) => Object.entries(service)) as [string, MethodDefinition<object, object>][],
    );
  }

  /** Calls the unary RPC `name` and returns its response. Throws a LockstepError. */
  async call<N extends Name>(name: N, request: RequestOf<N>, { timeoutMs, signal }: Call): Promise<ResponseOf<N>> {
    const { path, requestSerialize, responseDeserialize } = this.#method(name);
    return await new Promise<ResponseOf<N>>((resolve, reject) => {
      const done = (error: ServiceError | null, response?: object) => {
        signal?.removeEventListener("abort", cancel);
        if (error) reject(errorFromStatus(error));
        else resolve(response as ResponseOf<N>);
      };
      const options = { deadline: Date.now() + timeoutMs };
      const running = this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request as object,
        options,
        done,
      );
      const cancel = () => running.cancel();
      signal?.addEventListener("abort", cancel, { once: true });
      if (signal?.aborted) cancel();
    });
  }

  /**
   * Yields the messages of the server-streaming RPC `name`. Cancels the call when the loop is left or `signal` aborts.
   * Throws a LockstepError.
   */
  async *stream<N extends Name>(name: N, request: RequestOf<N>, signal?: AbortSignal): AsyncGenerator<ResponseOf<N>> {
    const { path, requestSerialize, responseDeserialize } = this.#method(name);
    const stream = this.#client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request as object);
    const cancel = () => stream.cancel();
    signal?.addEventListener("abort", cancel, { once: true });
    if (signal?.aborted) cancel();
    try {
      for await (const message of stream) yield message as ResponseOf<N>;
    } catch (error) {
      throw errorFromStatus(error as ServiceError);
    } finally {
      signal?.removeEventListener("abort", cancel);
      stream.cancel();
    }
  }

  #method(name: string): MethodDefinition<object, object> {
    const method = this.#methods.get(name);
    if (method === undefined) throw new Error(`no method ${name}`);
    return method;
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

function channelOf(endpoint: Endpoint): [string, ReturnType<typeof credentials.createSsl>] {
  if ("socket" in endpoint) return [`unix:${endpoint.socket}`, credentials.createInsecure()];
  const { ca, cert, key, trustDomain, device } = endpoint;
  const verify: VerifyOptions = {
    checkServerIdentity: (_, certificate) => {
      const identity = certificateIdentity(certificate.subjectaltname, trustDomain);
      const right = identity?.role === "device" && (device === undefined || identity.name === device);
      return right ? undefined : new Error(`its certificate is not that of ${device ?? `a device of ${trustDomain}`}`);
    },
  };
  const pem = (text: string) => Buffer.from(text);
  return [endpoint.address, credentials.createSsl(pem(ca), pem(key), pem(cert), verify)];
}

/** Returns the LockstepError of a gRPC status: from its details, else by its code. */
export function errorFromStatus(error: ServiceError): LockstepError {
  const details = error.metadata?.get(DETAILS_KEY)[0];
  const known = Buffer.isBuffer(details) ? decodeDetails(error.details, details) : undefined;
  if (known) return known;
  switch (error.code) {
    case status.UNAVAILABLE:
      if (/\b(EACCES|EPERM)\b/.test(error.details)) {
        return new LockstepError(
          "PERMISSION_DENIED",
          `This user may not use the sidecar's socket (${withoutWrapping(error.details)}); run this as the user of \`lockstep serve\`, or with sudo.`,
          { cause: error },
        );
      }
      return new LockstepError(
        "SIDECAR_UNAVAILABLE",
        `The sidecar does not answer (${withoutWrapping(error.details)}); see whether \`lockstep serve\` runs.`,
        {
          cause: error,
        },
      );
    case status.DEADLINE_EXCEEDED:
      return new LockstepError("CATCH_UP_TIMEOUT", "The sidecar did not answer in time; try again.", { cause: error });
    case status.CANCELLED:
      return new LockstepError(
        "SHUTTING_DOWN",
        "The call was cancelled before its answer came; find out whether it took effect before you repeat it.",
        { cause: error },
      );
    case status.RESOURCE_EXHAUSTED:
      return new LockstepError("INVALID_REQUEST", `The request is too large (${error.details}); send less at once.`, {
        cause: error,
      });
    case status.UNIMPLEMENTED:
      return new LockstepError(
        "PREREQUISITE_MISSING",
        `The sidecar does not serve this call (${error.details}); run a version of Lockstep that does.`,
        { cause: error },
      );
    default:
      return new LockstepError("INTERNAL", error.details || error.message, { cause: error });
  }
}

/** Returns the operating system's error without the sentences that grpc-js puts around it. */
function withoutWrapping(details: string): string {
  return /^No connection established\. Last error: (?:Error: )?(.*)\. Resolution note: /s.exec(details)?.[1] ?? details;
}
