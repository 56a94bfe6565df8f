// gRPC reflection: describes the protocol to a client that lacks the .proto files, such as grpcurl.
import { loadSync } from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";
import descriptor, { type IFileDescriptorProto } from "protobufjs/ext/descriptor/index.js";
import { PROTO_DIR, PROTO_FILES } from "../protocol/proto.ts";

const { FileDescriptorProto } = descriptor;

/** Makes the reflection service of the protocol. */
export function reflection(): ReflectionService {
  // Every message carries the descriptors of all files. Reflection reads only these descriptors, so one message is
  // enough.
  const definitions = loadSync([...PROTO_FILES], { includeDirs: [PROTO_DIR], keepCase: true });
  const { "lockstep.v1.Write": message } = definitions;
  const fileDescriptorProtos = withDependencies(message?.fileDescriptorProtos as Buffer[]);
  return new ReflectionService({
    "lockstep.v1.Write": { ...message, fileDescriptorProtos } as typeof message & object,
  });
}

/**
 * Adds the field `dependency` to each descriptor. protobufjs makes one descriptor a package and leaves the field out;
 * clients cannot use the descriptors without it.
 */
function withDependencies(descriptors: readonly Buffer[]): Buffer[] {
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
