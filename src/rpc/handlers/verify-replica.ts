import { toBytes } from "../../domain.ts";
import type { VerifyReplicaRequest__Output as Request } from "../../generated/lockstep/v1/VerifyReplicaRequest.ts";
import type { VerifyReplicaResponse as Response } from "../../generated/lockstep/v1/VerifyReplicaResponse.ts";
import { repositoryName } from "../../names.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { verify } from "../../sync/operator/verify-replica.ts";
import type { CallContext } from "../call/call.ts";
import { encodeValue } from "../encode/encode.ts";

const LISTED = 1_000;

export const verifyReplica =
  (context: SyncContext) =>
  async (request: Request, { signal }: CallContext): Promise<Response> => {
    const name = repositoryName(request.repository);
    const { version, refs, differences, damage, failure } = await verify(context, name, { full: request.full, signal });
    const listed = differences.slice(0, LISTED).map(({ name, onDisk, inLog }) => ({
      name: toBytes(name),
      onDisk: encodeValue(onDisk),
      inLog: encodeValue(inLog),
    }));
    return {
      device: context.me.device,
      version: String(version),
      refs,
      differences: listed,
      more: differences.length - listed.length,
      damage,
      failure: failure ?? "",
    };
  };
