import type { ListAuthorizedKeysRequest__Output as Request } from "../../generated/lockstep/v1/ListAuthorizedKeysRequest.ts";
import type { ListAuthorizedKeysResponse as Response } from "../../generated/lockstep/v1/ListAuthorizedKeysResponse.ts";
import type { SyncContext } from "../../sync/device/context.ts";

export const listAuthorizedKeys =
  ({ ssh }: SyncContext) =>
  async ({ key, shell }: Request): Promise<Response> => ({
    lines: ssh.authorizedKeys(key || undefined, shell || undefined),
  });
