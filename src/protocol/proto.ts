// The protocol's definitions, loaded once from proto/.
import { fileURLToPath } from "node:url";
import { type GrpcObject, loadPackageDefinition, type ServiceClientConstructor } from "@grpc/grpc-js";
import { loadSync, type PackageDefinition } from "@grpc/proto-loader";

export const PROTO_DIR: string = fileURLToPath(new URL("../../proto", import.meta.url));

/** The definitions of the protocol; with `keepCase` fields have the names of its files, without it those of the types here. */
export function loadDefinition({ keepCase = false }: { keepCase?: boolean } = {}): PackageDefinition {
  return loadSync(["lockstep/v1/sync.proto", "lockstep/v1/cluster.proto"], {
    includeDirs: [PROTO_DIR],
    keepCase,
    longs: String,
    enums: String,
    defaults: true,
    oneofs: true,
  });
}

/** The services by their full names. */
export function loadServices(): Record<string, ServiceClientConstructor> {
  const packages = loadPackageDefinition(loadDefinition()) as unknown as { lockstep: { v1: GrpcObject } };
  const { SyncService, ClusterService } = packages.lockstep.v1;
  return {
    "lockstep.v1.SyncService": SyncService as ServiceClientConstructor,
    "lockstep.v1.ClusterService": ClusterService as ServiceClientConstructor,
  };
}

/** A timestamp as the protocol has it; undefined stays undefined. */
export function toTimestamp(date: Date | null): { seconds: string; nanos: number } | null {
  if (date === null) return null;
  const ms = date.getTime();
  return { seconds: String(Math.floor(ms / 1000)), nanos: (((ms % 1000) + 1000) % 1000) * 1_000_000 };
}

/** A duration as the protocol has it. */
export function toDuration(ms: number): { seconds: string; nanos: number } {
  const whole = Math.floor(ms / 1000);
  return { seconds: String(whole), nanos: Math.round((ms - whole * 1000) * 1_000_000) };
}

/** The inverse of `toTimestamp` and `toDuration`, in milliseconds. */
export function toMs(value: { seconds: string; nanos: number } | null | undefined): number | undefined {
  return value ? Number(value.seconds) * 1000 + value.nanos / 1_000_000 : undefined;
}
