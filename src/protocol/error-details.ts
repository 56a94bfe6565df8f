// Encodes an error for gRPC: its code as google.rpc.ErrorInfo. If the caller may repeat the call, RetryInfo is added.
import { join } from "node:path";
import protobuf from "protobufjs";
import { ERROR_TABLE, type ErrorCode, GrpcStatus, LockstepError, retryAfterMs } from "../errors.ts";
import { PROTO_DIR } from "../installation.ts";
import { toDuration, toMs } from "./times.ts";

const DOMAIN = "lockstep";
/** The name of the trailer that carries the details, by gRPC's convention. */
export const DETAILS_KEY = "grpc-status-details-bin";
const TYPE_PREFIX = "type.googleapis.com/";

const AS_TEXT = { longs: String, defaults: true };
type RetryInfo = { retryDelay?: { seconds: string; nanos: number } };

let types: { status: protobuf.Type; errorInfo: protobuf.Type; retryInfo: protobuf.Type } | undefined;

function load(): NonNullable<typeof types> {
  if (types === undefined) {
    const root = new protobuf.Root();
    root.resolvePath = (_, target) => join(PROTO_DIR, target);
    root.loadSync("google/rpc/error_details.proto");
    types = {
      status: root.lookupType("google.rpc.Status"),
      errorInfo: root.lookupType("google.rpc.ErrorInfo"),
      retryInfo: root.lookupType("google.rpc.RetryInfo"),
    };
  }
  return types;
}

/** Encodes the details of an error for the trailer `DETAILS_KEY`. */
export function encodeDetails(error: LockstepError): Buffer {
  const { status, errorInfo, retryInfo } = load();
  const pack = (type: protobuf.Type, message: object) => ({
    type_url: TYPE_PREFIX + type.fullName.slice(1),
    value: type.encode(type.fromObject(message)).finish(),
  });
  const details = [pack(errorInfo, { reason: error.code, domain: DOMAIN, metadata: error.details })];
  const retryMs = retryAfterMs(error.code);
  if (retryMs !== undefined) details.push(pack(retryInfo, { retryDelay: toDuration(retryMs) }));
  const message = { code: GrpcStatus[ERROR_TABLE[error.code].grpc], message: error.message, details };
  return Buffer.from(status.encode(status.fromObject(message)).finish());
}

/** Decodes the error that a peer sent. Returns undefined if `bytes` are not the details of a LockstepError. */
export function decodeDetails(message: string, bytes: Buffer): LockstepError | undefined {
  const { status, errorInfo, retryInfo } = load();
  try {
    const decoded = status.toObject(status.decode(bytes)) as { details?: { type_url: string; value: Uint8Array }[] };
    const info = decoded.details?.find(({ type_url }) => type_url.endsWith("google.rpc.ErrorInfo"));
    if (info === undefined) return undefined;
    const { reason, domain, metadata } = errorInfo.toObject(errorInfo.decode(info.value)) as {
      reason?: string;
      domain?: string;
      metadata?: Record<string, string>;
    };
    if (domain !== DOMAIN || reason === undefined || !Object.hasOwn(ERROR_TABLE, reason)) return undefined;
    const retry = decoded.details?.find(({ type_url }) => type_url.endsWith("google.rpc.RetryInfo"));
    const { retryDelay } = retry ? (retryInfo.toObject(retryInfo.decode(retry.value), AS_TEXT) as RetryInfo) : {};
    return new LockstepError(reason as ErrorCode, message, {
      details: metadata ?? {},
      retryAfterMs: toMs(retryDelay),
    });
  } catch {
    return undefined;
  }
}
