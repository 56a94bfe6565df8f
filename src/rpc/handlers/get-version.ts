import type { GetVersionRequest__Output as Request } from "../../generated/lockstep/v1/GetVersionRequest.ts";
import type { GetVersionResponse as Response } from "../../generated/lockstep/v1/GetVersionResponse.ts";
import { repositoryName } from "../../names.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { readVersion } from "../../sync/read/get-version.ts";
import { encodeState, encodeWrite } from "../encode/encode.ts";

export const getVersion =
  (context: SyncContext) =>
  async (request: Request): Promise<Response> => {
    const repository = repositoryName(request.repository);
    const found = await readVersion(context, repository);
    return {
      repository,
      device: context.me.device,
      version: String(found.version),
      headVersion: String(found.head),
      leaders: found.leaders,
      isWriting: found.writer !== null,
      writer: found.writer && encodeWrite(found.writer),
      digest: found.digest,
      state: encodeState(found.state),
    };
  };
