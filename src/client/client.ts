// The client that front ends and the command line use to call a sidecar. It throws a LockstepError with the code of the
// sidecar's error.
import type { ServerResponse } from "node:http";
import { Client as GrpcClient, Metadata, type MethodDefinition, type ServiceError } from "@grpc/grpc-js";
import type { MethodDefinition as TypedMethod } from "@grpc/proto-loader";
import type { BeforeReadRequest } from "../generated/lockstep/v1/BeforeReadRequest.ts";
import type { BeginWriteRequest } from "../generated/lockstep/v1/BeginWriteRequest.ts";
import type { ClusterServiceDefinition } from "../generated/lockstep/v1/ClusterService.ts";
import type { SyncServiceDefinition } from "../generated/lockstep/v1/SyncService.ts";
import type { WatchRequest } from "../generated/lockstep/v1/WatchRequest.ts";
import { type CallOptions, Methods, type Repeats } from "../generated/methods.ts";
import { loadServices } from "../protocol/proto.ts";
import { channelOf, type Endpoint } from "./endpoint.ts";
import { HEALTH } from "./health.ts";
import { beforeHttpRead, type Granted } from "./http-read.ts";
import { repeat } from "./repeat.ts";
import { errorFromStatus } from "./status-error.ts";
import { type WatchEvent, watchAnew } from "./watch.ts";
import { type Landed, type WriteSession, withWrite } from "./with-write.ts";

type Definitions = SyncServiceDefinition & ClusterServiceDefinition;
type Name = keyof Definitions & string;
type RequestOf<N extends Name> =
  Definitions[N] extends TypedMethod<infer Request, infer _, infer __, infer ___> ? Request : never;
type ResponseOf<N extends Name> =
  Definitions[N] extends TypedMethod<infer _, infer __, infer ___, infer Response> ? Response : never;

export interface Call {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** The place of the caller's work in a trace, as W3C Trace Context writes it. */
  readonly traceparent?: string;
}

// While a channel waits before it connects again, every call fails. By default the wait grows to two minutes, and a
// gate could not reach its restarted sidecar for as long. On a unix socket a connection attempt costs nothing.
const SOCKET_BACK_OFF_MS = 50;
const BACK_OFF_MS = 1_000;
/** How long a method tries, unless its caller says otherwise. A first copy of a large repository takes longer. */
const CALL_MS = 60_000;
const HEALTH_MS = 3_000;

/**
 * A connection to one sidecar. The first call connects. There is a method for each RPC; it repeats the call where the
 * sidecar says that it may be repeated, until `timeoutMs` have passed. Errors are LockstepErrors.
 */
export class Client extends Methods {
  readonly #client: GrpcClient;
  readonly #methods: ReadonlyMap<string, MethodDefinition<object, object>>;

  constructor(endpoint: Endpoint) {
    super();
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

  protected override unary<Request, Response>(
    name: string,
    request: Request,
    { timeoutMs = CALL_MS, signal, traceparent }: CallOptions,
    repeats: Repeats,
  ): Promise<Response> {
    const traced = traceparent === undefined ? {} : { traceparent };
    const attempt = (left: Call) =>
      this.call(name as Name, request as never, { ...left, ...traced }) as Promise<Response>;
    return repeat(attempt, { timeoutMs, signal, repeats });
  }

  protected override streaming<Request, Response>(
    name: string,
    request: Request,
    { signal }: CallOptions,
  ): AsyncGenerator<Response> {
    return this.stream(name as Name, request as never, signal) as AsyncGenerator<Response>;
  }

  /**
   * Tells what lands in the cluster, in order, nothing missed and nothing twice, until `signal` aborts or the loop is
   * left. It connects again after a failure, and goes on after the last event. Keep the cursor of an event to go on
   * after a restart.
   */
  override watch(request: WatchRequest, { signal }: CallOptions = {}): AsyncGenerator<WatchEvent> {
    return watchAnew((asked, until) => this.stream("Watch", asked, until), request, signal);
  }

  /**
   * Asks before a read that an HTTP request wants, as `beforeRead` does. If the read is refused, it answers the request
   * with the sentence and returns undefined. Asks no longer when the client of the request has left.
   */
  beforeHttpRead(request: BeforeReadRequest, response: ServerResponse, options?: CallOptions): Promise<Granted> {
    return beforeHttpRead(this, request, response, options);
  }

  /**
   * Runs `work` in a write session, in the scratch repository `path` of this machine. Its changes there land as one
   * version when it returns, and nothing lands if it throws. Throws WRITE_DROPPED if the session is lost meanwhile.
   */
  withWrite<Result>(
    request: BeginWriteRequest,
    work: (session: WriteSession) => Promise<Result>,
    options: CallOptions = {},
  ): Promise<Landed<Result>> {
    return withWrite(this, request, work, options);
  }

  /** Calls the unary RPC `name` once, and returns its response. Throws a LockstepError. */
  async call<N extends Name>(name: N, request: RequestOf<N>, call: Call): Promise<ResponseOf<N>> {
    return (await this.#unary(this.#method(name), request as object, call)) as ResponseOf<N>;
  }

  /** Returns true if the sidecar takes calls: false while it starts or stops, and where none answers. */
  async isServing({ timeoutMs = HEALTH_MS, signal }: Omit<CallOptions, "traceparent"> = {}): Promise<boolean> {
    const call = { timeoutMs, ...(signal && { signal }) };
    return await this.#unary(HEALTH, {}, call).then(
      ({ serving }) => serving,
      () => false,
    );
  }

  async #unary<Response extends object>(
    { path, requestSerialize, responseDeserialize }: MethodDefinition<object, Response>,
    request: object,
    { timeoutMs, signal, traceparent }: Call,
  ): Promise<Response> {
    return await new Promise<Response>((resolve, reject) => {
      const done = (error: ServiceError | null, response?: Response) => {
        signal?.removeEventListener("abort", cancel);
        if (error) reject(errorFromStatus(error, signal?.aborted));
        else resolve(response as Response);
      };
      const options = { deadline: Date.now() + timeoutMs };
      const metadata = new Metadata();
      if (traceparent !== undefined) metadata.set("traceparent", traceparent);
      const running = this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        metadata,
        options,
        done,
      );
      const cancel = () => running.cancel();
      signal?.addEventListener("abort", cancel, { once: true });
      if (signal?.aborted) cancel();
    });
  }

  /**
   * Yields the messages of the server-streaming RPC `name`, and connects once. Cancels the call when the loop is left
   * or `signal` aborts. Throws a LockstepError.
   */
  async *stream<N extends Name>(name: N, request: RequestOf<N>, signal?: AbortSignal): AsyncGenerator<ResponseOf<N>> {
    const { path, requestSerialize, responseDeserialize } = this.#method(name);
    let cancel = () => {};
    try {
      const stream = this.#client.makeServerStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request as object,
      );
      cancel = () => stream.cancel();
      signal?.addEventListener("abort", cancel, { once: true });
      if (signal?.aborted) cancel();
      for await (const message of stream) yield message as ResponseOf<N>;
    } catch (error) {
      throw errorFromStatus(error as ServiceError, signal?.aborted);
    } finally {
      signal?.removeEventListener("abort", cancel);
      cancel();
    }
  }

  #method(name: string): MethodDefinition<object, object> {
    const method = this.#methods.get(name);
    if (method === undefined) throw new Error(`no method ${name}`);
    return method;
  }

  /** Ends the connection. `using client = new Client(…)` does so at the end of its block. */
  close(): void {
    this.#client.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
