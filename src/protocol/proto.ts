// Loads the definitions of the protocol from proto/.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type GrpcObject,
  loadPackageDefinition,
  type MethodDefinition,
  type ServiceClientConstructor,
  type ServiceDefinition,
} from "@grpc/grpc-js";
import protobuf from "protobufjs";
import { PROTO_DIR, PROTO_JSON } from "../installation.ts";

export const PROTO_FILES = ["lockstep/v1/sync.proto", "lockstep/v1/cluster.proto"] as const;
/** Options for decoded messages: 64-bit numbers and enums are strings, and every field is present. */
const CONVERSIONS = { longs: String, enums: String, defaults: true, oneofs: true } as const;

/** Returns the services by their full names. */
export function loadServices(): Record<string, ServiceClientConstructor> {
  const packages = loadPackageDefinition(serviceDefinitions()) as unknown as { lockstep: { v1: GrpcObject } };
  const { SyncService, ClusterService } = packages.lockstep.v1;
  return {
    "lockstep.v1.SyncService": SyncService as ServiceClientConstructor,
    "lockstep.v1.ClusterService": ClusterService as ServiceClientConstructor,
  };
}

/**
 * Returns what gRPC needs of the services. proto-loader would return the same, but it also encodes the descriptor of
 * each message several times. That is a tenth of the start of a command that calls, and only reflection reads them.
 */
function serviceDefinitions(): Record<string, ServiceDefinition> {
  const root = readJson() ?? parseProtocol();
  const services = ["lockstep.v1.SyncService", "lockstep.v1.ClusterService"].map((name) => root.lookupService(name));
  return Object.fromEntries(
    services.map((service) => {
      const name = service.fullName.slice(1);
      return [
        name,
        Object.fromEntries(service.methodsArray.map((method) => [method.name, definitionOf(name, method)])),
      ];
    }),
  );
}

/** Reads the definitions from the .proto files, which takes three times as long as from JSON. */
export function parseProtocol(): protobuf.Root {
  const root = new protobuf.Root();
  root.resolvePath = (_, target) => (target.startsWith("google/protobuf/") ? target : join(PROTO_DIR, target));
  return root.loadSync([...PROTO_FILES]).resolveAll() as protobuf.Root;
}

function readJson(): protobuf.Root | undefined {
  if (!existsSync(PROTO_JSON)) return undefined;
  return protobuf.Root.fromJSON(JSON.parse(readFileSync(PROTO_JSON, "utf8")));
}

function definitionOf(service: string, method: protobuf.Method): MethodDefinition<object, object> {
  const [request, response] = [codecOf(method.resolvedRequestType), codecOf(method.resolvedResponseType)];
  return {
    path: `/${service}/${method.name}`,
    originalName: `${method.name[0]?.toLowerCase()}${method.name.slice(1)}`,
    requestStream: method.requestStream === true,
    responseStream: method.responseStream === true,
    requestSerialize: request.serialize,
    requestDeserialize: request.deserialize,
    responseSerialize: response.serialize,
    responseDeserialize: response.deserialize,
  };
}

function codecOf(type: protobuf.Type | null) {
  if (type === null) throw new Error("a message is missing from the protocol files");
  return {
    serialize: (message: object) => type.encode(type.fromObject(message)).finish() as Buffer,
    deserialize: (bytes: Buffer): object => type.toObject(type.decode(bytes), CONVERSIONS),
  };
}
