// The health of a sidecar, as gRPC asks for it (https://grpc.io/docs/guides/health-checking).
import type { MethodDefinition } from "@grpc/grpc-js";

/** grpc.health.v1.Health/Check. Its request is empty, and an answer of two bytes has the status: 1 is SERVING. */
export const HEALTH: MethodDefinition<object, { readonly serving: boolean }> = {
  path: "/grpc.health.v1.Health/Check",
  requestStream: false,
  responseStream: false,
  requestSerialize: () => Buffer.alloc(0),
  requestDeserialize: () => ({}),
  responseSerialize: () => Buffer.alloc(0),
  responseDeserialize: (answer) => ({ serving: answer.equals(Buffer.from([8, 1])) }),
};
