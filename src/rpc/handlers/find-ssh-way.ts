import type { FindSshWayRequest__Output as Request } from "../../generated/lockstep/v1/FindSshWayRequest.ts";
import type { FindSshWayResponse as Response } from "../../generated/lockstep/v1/FindSshWayResponse.ts";
import type { SyncContext } from "../../sync/device/context.ts";

export const findSshWay =
  ({ ssh }: SyncContext) =>
  async ({ host, port }: Request): Promise<Response> => {
    const { device, user, host: at, port: open, keyFile, hostKeysFile } = await ssh.way(host, port || undefined);
    return { device, user, host: at, port: open, keyFile, hostKeysFile };
  };
