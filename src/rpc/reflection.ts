// gRPC reflection: describes the protocol to a client that lacks the .proto files, such as grpcurl.
import { createRequire } from "node:module";
import type { Server } from "@grpc/grpc-js";
import type { IFileDescriptorProto } from "protobufjs/ext/descriptor/index.js";
import { PROTO_DIR } from "../installation.ts";
import { PROTO_FILES } from "../protocol/proto.ts";

/** Loads a library while a call is answered, which cannot wait for `import`. */
const load = createRequire(import.meta.url);
type Descriptor = typeof import("protobufjs/ext/descriptor/index.js");

/** Adds the reflection service of the protocol, and loads its libraries. */
export function addReflection(server: Pick<Server, "addService">): void {
  const { loadSync } = load("@grpc/proto-loader") as typeof import("@grpc/proto-loader");
  const { ReflectionService } = load("@grpc/reflection") as typeof import("@grpc/reflection");
  // Every message carries the descriptors of all files. Reflection reads only these descriptors, so one message is
  // enough.
  const definitions = loadSync([...PROTO_FILES], { includeDirs: [PROTO_DIR], keepCase: true });
  const { "lockstep.v1.Write": message } = definitions;
  const fileDescriptorProtos = withDependencies(message?.fileDescriptorProtos as Buffer[]);
  const service = new ReflectionService({
    "lockstep.v1.Write": { ...message, fileDescriptorProtos } as typeof message & object,
  });
  service.addToServer(server as Server);
}

/**
 * Adds the field `dependency` to each descriptor. protobufjs makes one descriptor a package and leaves the field out;
 * clients cannot use the descriptors without it.
 */
function withDependencies(descriptors: readonly Buffer[]): Buffer[] {
  const { FileDescriptorProto } = load("protobufjs/ext/descriptor/index.js") as Descriptor;
  const files = descriptors.map(
    (bytes) => FileDescriptorProto.decode(bytes) as unknown as IFileDescriptorProto & { package: string },
  );
  return files.map((file) => {
    const types = (file.messageType ?? []).flatMap(({ field }) => (field ?? []).map(({ typeName }) => typeName ?? ""));
    const needed = files.filter(
      (other) => other !== file && types.some((type) => type.startsWith(`${other.package}.`)),
    );
    const complete = { ...file, dependency: needed.map(({ name }) => name) };
    return Buffer.from(FileDescriptorProto.encode(complete).finish());
  });
}
