import type { ListIdentitiesRequest__Output as Request } from "../../generated/lockstep/v1/ListIdentitiesRequest.ts";
import type { ListIdentitiesResponse as Response } from "../../generated/lockstep/v1/ListIdentitiesResponse.ts";
import { deviceName } from "../../names.ts";
import { listIdentities as list } from "../../store/registry/list-identities.ts";
import type { Name } from "../../store/registry/registry.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { roleOf } from "../call/key-of.ts";
import { encodeIdentities, encodeWaiting } from "../encode/encode-identity.ts";

export const listIdentities =
  (context: Pick<SyncContext, "db">) =>
  async ({ role, name }: Request): Promise<Response> => {
    const which: Partial<Name> = {
      ...(role !== "" && { role: roleOf(role) }),
      ...(name !== "" && { name: deviceName(name) }),
    };
    const found = await list(context.db, which);
    return { identities: encodeIdentities(found), waiting: found.waiting.map(encodeWaiting) };
  };
