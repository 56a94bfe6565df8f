// A gRPC client that uses nothing from src/. Its messages are written by hand, so that a changed number or name of the
// protocol shows. It sees errors as any program does.
import { readFileSync } from "node:fs";
import { type ChannelCredentials, Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import protobuf from "protobufjs";
import { SOON } from "./soon.ts";

const MESSAGES = `
syntax = "proto3";
message Timestamp { int64 seconds = 1; int32 nanos = 2; }
message Duration { int64 seconds = 1; int32 nanos = 2; }
message Write { string write_id = 1; string repository = 2; string device = 3; string author = 4; string reason = 5;
  uint64 base_version = 6; int32 status = 7; uint64 version = 8; Timestamp started_at = 9; Timestamp decided_at = 10;
  string drop_reason = 11; }
message GetVersionRequest { string repository = 1; }
message GetVersionResponse { string repository = 1; string device = 2; uint64 version = 3; uint64 head_version = 4;
  repeated string leaders = 5; bool is_writing = 6; Write writer = 7; bytes digest = 8; int32 state = 9; }
message FetchFromRequest { string repository = 1; string device = 2; uint64 version = 3; }
message FetchFromResponse { oneof event { FetchProgress progress = 1; FetchResult result = 2; } }
message FetchProgress { string phase = 1; uint64 objects = 2; uint64 total_objects = 3; uint64 bytes = 4; }
message FetchResult { string from_device = 1; uint64 from_version = 2; uint64 version = 3; uint64 bytes = 4;
  uint32 refs_changed = 5; Duration duration = 6; bool already_current = 7; }
message BeforeReadRequest { string repository = 1; uint64 min_version = 2; string commit = 3; Duration max_staleness = 4; }
message BeforeReadResponse { uint64 version = 1; bool fetched = 2; bool stale = 3; Duration waited = 4; }
message BeginWriteRequest { string repository = 1; string author = 2; string reason = 3; Duration wait = 4; string write_id = 5;
  bool live = 6; }
message BeginWriteResponse { string write_id = 1; string token = 2; uint64 base_version = 3; Timestamp expires_at = 4;
  string path = 5; }
message RenewWriteRequest { string repository = 1; string token = 2; }
message RenewWriteResponse { Timestamp expires_at = 1; }
message BumpVersionRequest { string repository = 1; string token = 2; }
message BumpVersionResponse { string write_id = 1; uint64 version = 2; uint32 refs_changed = 3; }
message AbortWriteRequest { string repository = 1; string token = 2; string reason = 3; }
message AbortWriteResponse { string write_id = 1; repeated string saved_refs = 2; }
message GetWriteRequest { string repository = 1; string write_id = 2; }
message GetWriteResponse { Write write = 1; }
message Repository { string name = 1; uint64 head_version = 2; string object_format = 3; }
message Replica { string device = 1; uint64 version = 2; int32 state = 3; bool leader = 4; bool live = 5;
  string last_error = 6; Timestamp updated_at = 7; }
message CreateRepositoryRequest { string repository = 1; repeated string devices = 2; string default_branch = 3;
  string object_format = 4; }
message CreateRepositoryResponse { Repository repository = 1; }
message ListRepositoriesRequest { string after = 1; uint32 limit = 2; }
message ListRepositoriesResponse { repeated Repository repositories = 1; }
message GetRepositoryRequest { string repository = 1; }
message Waiter { string device = 1; string author = 2; string reason = 3; Timestamp since = 4; Duration waited = 5; }
message SyncEvent { string device = 1; string from_device = 2; uint64 from_version = 3; uint64 version = 4; uint64 bytes = 5;
  uint32 refs_changed = 6; Duration duration = 7; string error = 8; Timestamp at = 9; }
message GetRepositoryResponse { Repository repository = 1; repeated Replica replicas = 2; Write writer = 3;
  repeated Waiter waiters = 4; repeated SyncEvent syncs = 5; }
message RefUpdate { bytes name = 1; string old_value = 2; string new_value = 3; }
message LogEntry { uint64 version = 1; string write_id = 2; string device = 3; string author = 4; Timestamp landed_at = 5;
  repeated RefUpdate updates = 6; uint32 more = 7; }
message ListLogRequest { string repository = 1; uint64 before = 2; uint32 limit = 3; }
message ListLogResponse { repeated LogEntry entries = 1; }
message Device { string name = 1; bool live = 2; string zone = 3; string grpc_address = 4; string git_address = 5;
  Timestamp started_at = 6; }
message RepositoryStatus { string repository = 1; uint64 head_version = 2; repeated string behind = 3;
  repeated string broken = 4; repeated string leaders = 5; bool writing = 6; }
message GetStatusRequest {}
message GetStatusResponse { repeated Device devices = 1; repeated RepositoryStatus repositories = 2; }
message RefDifference { bytes name = 1; string on_disk = 2; string in_log = 3; }
message VerifyReplicaRequest { string repository = 1; bool full = 2; }
message VerifyReplicaResponse { string device = 1; uint64 version = 2; uint32 refs = 3;
  repeated RefDifference differences = 4; uint32 more = 5; repeated string damage = 6; string failure = 7; }
message ThawRequest { string repository = 1; string promote = 2; repeated string demote = 3; string confirmation = 4;
  string author = 5; }
message ThawResponse { string confirmation = 1; bool done = 2; uint64 head_version = 3; uint64 version = 4;
  string keeper_device = 5; uint64 keeper_version = 6; }
message WatchRequest { string cursor = 1; repeated string repositories = 2; int32 visible = 3; }
message WatchResponse { string cursor = 1; string repository = 2; LogEntry entry = 3; }
message ListHooksRequest {}
message ListHooksResponse {}
message HealthCheckRequest { string service = 1; }
message HealthCheckResponse { int32 status = 1; }
message ServerReflectionRequest { string host = 1; string file_containing_symbol = 4; string list_services = 7; }
message ServiceResponse { string name = 1; }
message ListServiceResponse { repeated ServiceResponse service = 1; }
message FileDescriptorResponse { repeated bytes file_descriptor_proto = 1; }
message ServerReflectionResponse { FileDescriptorResponse file_descriptor_response = 4;
  ListServiceResponse list_services_response = 6; }
message Any { string type_url = 1; bytes value = 2; }
message RpcStatus { int32 code = 1; string message = 2; repeated Any details = 3; }
message ErrorInfo { string reason = 1; string domain = 2; map<string, string> metadata = 3; }
message RetryInfo { Duration retry_delay = 1; }
`;
const { root } = protobuf.parse(MESSAGES);

const SYNC = "lockstep.v1.SyncService";
const CLUSTER = "lockstep.v1.ClusterService";
const SERVICES: Readonly<Record<string, string>> = {
  GetVersion: SYNC,
  FetchFrom: SYNC,
  BeforeRead: SYNC,
  BeginWrite: SYNC,
  RenewWrite: SYNC,
  BumpVersion: SYNC,
  AbortWrite: SYNC,
  GetWrite: SYNC,
  CreateRepository: CLUSTER,
  ListRepositories: CLUSTER,
  GetRepository: CLUSTER,
  ListLog: CLUSTER,
  GetStatus: CLUSTER,
  VerifyReplica: CLUSTER,
  Thaw: CLUSTER,
  Watch: CLUSTER,
  ListHooks: CLUSTER,
};

// biome-ignore lint/suspicious/noExplicitAny: the shape of a message is what tests check.
export type Message = any;

/** The error of a call. If gRPC itself refused the call, `reason` and the fields after it are absent. */
export interface Refused {
  readonly code: string;
  readonly message: string;
  readonly reason?: string;
  readonly domain?: string;
  readonly metadata?: Record<string, string>;
  readonly retryMs?: number;
}

export interface Stranger extends Disposable {
  /** Calls a unary RPC and returns its answer. Rejects with `Refused`. */
  call(method: string, request?: object): Promise<Message>;
  /** Calls a unary RPC and returns its error. Rejects if the call succeeds. */
  refusal(method: string, request?: object): Promise<Refused>;
  /** Calls a streaming RPC and yields its messages. Rejects with `Refused`. */
  stream(method: string, request?: object): AsyncGenerator<Message>;
  health(service: string): Promise<number>;
  /** Sends one question to the reflection service and returns the answer. */
  reflect(question: object): Promise<Message>;
}

/** Makes the credentials for the TLS port from the files of a certificate. */
export function tlsCredentials(ca: string, pair: { cert: string; key: string } | undefined): ChannelCredentials {
  const read = (file: string) => readFileSync(file);
  return pair
    ? credentials.createSsl(read(ca), read(pair.key), read(pair.cert))
    : credentials.createSsl(read(ca), null, null);
}

/** Makes a client of `address`, such as `unix:/run/lockstep/lockstep.sock`. By default it does not use TLS. */
export function stranger(address: string, channel: ChannelCredentials = credentials.createInsecure()): Stranger {
  const client = new Client(address, channel, { "grpc.service_config_disable_resolution": 1 });
  const deadline = () => ({ deadline: Date.now() + SOON.timeout });
  const encode = (type: string) => (message: object) => {
    const known = root.lookupType(type);
    return Buffer.from(known.encode(known.fromObject(message)).finish());
  };
  const decode = (type: string) => (bytes: Buffer) => decodeAs(type, bytes);
  const unary = (path: string, request: string, response: string, message: object) =>
    new Promise<Message>((resolve, reject) => {
      client.makeUnaryRequest(
        path,
        encode(request),
        decode(response),
        message,
        new Metadata(),
        deadline(),
        (error, answer) => (error ? reject(refused(error)) : resolve(answer)),
      );
    });
  const call: Stranger["call"] = (method, request = {}) =>
    unary(`/${SERVICES[method]}/${method}`, `${method}Request`, `${method}Response`, request);
  return {
    call,
    async refusal(method, request) {
      const answer = await call(method, request).catch((error: Refused) => ({ refused: error }));
      if ("refused" in answer) return answer.refused;
      throw new Error(`${method} was answered: ${JSON.stringify(answer)}`);
    },
    async *stream(method, request = {}) {
      const path = `/${SERVICES[method]}/${method}`;
      const options = deadline();
      const messages = client.makeServerStreamRequest(
        path,
        encode(`${method}Request`),
        decode(`${method}Response`),
        request,
        new Metadata(),
        options,
      );
      try {
        for await (const message of messages) yield message;
      } catch (error) {
        throw refused(error as ServiceError);
      } finally {
        messages.cancel();
      }
    },
    async health(service) {
      const answer = await unary("/grpc.health.v1.Health/Check", "HealthCheckRequest", "HealthCheckResponse", {
        service,
      });
      return answer.status;
    },
    async reflect(question) {
      const talk = client.makeBidiStreamRequest(
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        encode("ServerReflectionRequest"),
        decode("ServerReflectionResponse"),
        new Metadata(),
        deadline(),
      );
      talk.end(question);
      for await (const answer of talk) return answer;
    },
    [Symbol.dispose]() {
      client.close();
    },
  };
}

function decodeAs(type: string, bytes: Uint8Array): Message {
  const known = root.lookupType(type);
  return known.toObject(known.decode(bytes), { longs: Number, defaults: true, arrays: true, oneofs: true });
}

function refused(error: ServiceError): Refused {
  const [bytes] = error.metadata?.get("grpc-status-details-bin") ?? [];
  const base = { code: status[error.code] as string, message: error.details };
  if (!Buffer.isBuffer(bytes)) return base;
  const details = new Map<string, Message>(
    decodeAs("RpcStatus", bytes).details.map(({ typeUrl, value }: Message) => {
      const type = typeUrl.replace("type.googleapis.com/google.rpc.", "");
      return [type, decodeAs(type, value)];
    }),
  );
  const { reason, domain, metadata } = details.get("ErrorInfo") ?? {};
  const delay = details.get("RetryInfo")?.retryDelay;
  return {
    ...base,
    reason,
    domain,
    metadata,
    ...(delay ? { retryMs: delay.seconds * 1000 + delay.nanos / 1e6 } : {}),
  };
}
